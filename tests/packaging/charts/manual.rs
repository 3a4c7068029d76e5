//! `README.md` of each chart: its table of values is written from `values.yaml`.

use std::fs;

use serde_json::Value;

use super::generated::{charts, check};

const BEGIN: &str = "<!-- values: written by `make crds` -->\n";

#[test]
fn the_values_in_the_readme_are_those_of_the_chart() {
    for chart in ["aep-operator-crds", "aep-operator"] {
        let readme = charts(chart).join("README.md");
        let text = fs::read_to_string(&readme).unwrap();
        let (before, _) = text.split_once(BEGIN).unwrap();
        let values = fs::read_to_string(charts(chart).join("values.yaml")).unwrap();
        check(&readme, &format!("{before}{BEGIN}\n{}", table(&values)));
    }
}

/// One row for each value that a comment explains.
fn table(text: &str) -> String {
    let values: Value = serde_saphyr::from_str(text).unwrap();
    let mut rows = vec![
        "| value | default | meaning |".into(),
        "|---|---|---|".into(),
    ];
    let (mut path, mut comment) = (Vec::<(usize, String)>::new(), String::new());
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        if let Some(words) = line.trim_start().strip_prefix('#') {
            comment += words.trim_start_matches(" --");
        } else if let Some((key, _)) = line.trim_start().split_once(':') {
            path.retain(|(outer, _)| *outer < indent);
            path.push((indent, key.to_owned()));
            let names: Vec<_> = path.iter().map(|(_, name)| name.as_str()).collect();
            let value = &values[names[0]];
            let value = names[1..].iter().fold(value, |value, name| &value[*name]);
            let group = value.as_object().is_some_and(|it| !it.is_empty()) && comment.is_empty();
            let name = names.join(".");
            assert!(group || !comment.is_empty(), "{name} has no comment");
            if !group {
                let meaning = comment.trim().replace('|', "\\|");
                rows.push(format!("| `{name}` | `{value}` | {meaning} |"));
            }
            comment.clear();
        }
    }
    rows.join("\n") + "\n"
}

/// What a value may be called is said twice: in `values.yaml` and in `values.schema.json`.
#[test]
fn the_schema_knows_exactly_the_values_of_the_chart() {
    for chart in ["aep-operator-crds", "aep-operator"] {
        let read = |file: &str| fs::read_to_string(charts(chart).join(file)).unwrap();
        let values: Value = serde_saphyr::from_str(&read("values.yaml")).unwrap();
        let schema: Value = serde_json::from_str(&read("values.schema.json")).unwrap();
        compare(chart, &values, &schema, &schema);
    }
}

fn compare(path: &str, values: &Value, schema: &Value, root: &Value) {
    let pointer = schema["$ref"].as_str().and_then(|it| it.strip_prefix('#'));
    let schema = pointer.map_or(schema, |pointer| root.pointer(pointer).unwrap());
    let (Some(known), Some(values)) = (schema["properties"].as_object(), values.as_object()) else {
        return;
    };
    if values.is_empty() || schema["additionalProperties"] != false {
        return;
    }
    let mut known: Vec<_> = known.keys().filter(|key| *key != "global").collect();
    let mut given: Vec<_> = values.keys().collect();
    known.sort();
    given.sort();
    assert_eq!(known, given, "{path}");
    for (key, value) in values {
        compare(
            &format!("{path}.{key}"),
            value,
            &schema["properties"][key],
            root,
        );
    }
}
