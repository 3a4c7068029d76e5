//! kustomize knows every reference of every kind.

use std::fmt::Write as _;

use super::*;

const FILE: &str = "deploy/kustomize/components/name-references/name-references.yaml";
const HEADER: &str = "\
# Where our kinds name other objects, for kustomize. Generated from the types: `make crds`.
nameReference:
";
const PROBE: &str = "probe";

/// The path of every reference in the definition of a kind, such as `spec`, `auth`, `secretParams[]`, ….
fn references(node: &Value, path: &[String], found: &mut Vec<Vec<String>>) {
    for (name, property) in node["properties"].as_object().into_iter().flatten() {
        let items = property.get("items");
        let step = format!("{name}{}", items.map_or("", |_| "[]"));
        let path = [path, &[step]].concat();
        if name.ends_with("Ref") && property["properties"].get("name").is_some() {
            found.push(path);
        } else {
            references(items.unwrap_or(property), &path, found);
        }
    }
}

/// Lets an object name something there.
fn refer(node: &mut Value, path: &[String]) {
    match path {
        [] => *node = json!({ "name": PROBE, "key": "key" }),
        [step, rest @ ..] => match step.strip_suffix("[]") {
            Some(name) => refer(&mut node[name][0], rest),
            None => refer(&mut node[step.as_str()], rest),
        },
    }
}

/// What an object of that kind names there.
fn target(kind: &str, path: &[String]) -> Target {
    let full = samples().remove("full").unwrap();
    let mut object = full.into_iter().find(|it| it["kind"] == kind).unwrap();
    refer(&mut object, path);
    let named = through_its_type(&object).1;
    let mut named = named.into_iter().filter(|it| it.name == PROBE);
    let target = named.next();
    target
        .unwrap_or_else(|| panic!("{kind}: {path:?} is no reference"))
        .target
}

fn generated() -> String {
    let mut by_target: BTreeMap<Target, Vec<(String, String)>> = BTreeMap::new();
    for (kind, root) in schemas() {
        let mut found = Vec::new();
        references(&root["properties"]["spec"], &["spec".into()], &mut found);
        for path in found {
            let place = path.join("/").replace("[]", "");
            let referrers = by_target.entry(target(&kind, &path)).or_default();
            referrers.push((kind.clone(), format!("{place}/name")));
        }
    }
    let mut text = HEADER.to_owned();
    for (target, referrers) in by_target {
        let of = match target {
            Target::Kind(_) => format!("group: {GROUP}"),
            Target::Secret => "version: v1".into(),
        };
        write!(text, "- kind: {target}\n  {of}\n  fieldSpecs:\n").unwrap();
        for (kind, path) in referrers {
            writeln!(
                text,
                "  - kind: {kind}\n    group: {GROUP}\n    path: {path}"
            )
            .unwrap();
        }
    }
    text
}

#[test]
fn kustomize_knows_every_reference_of_every_kind() {
    let file = repository(FILE);
    let expected = generated();
    if env::var_os("UPDATE").is_some() {
        fs::write(&file, &expected).unwrap();
    }
    let committed = fs::read_to_string(file).unwrap_or_default();
    assert!(committed == expected, "{FILE} is stale: run `make crds`");
}
