//! `docs/reference`: one page per kind, generated from its CRD, so that it says what `kubectl explain` says.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};

use super::crds;

#[test]
fn the_reference_pages_are_those_of_the_types() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference");
    for crd in crds() {
        let file = folder.join(format!("{}.md", crd.spec.names.plural));
        let page = page(&crd);
        if env::var_os("UPDATE").is_some() {
            fs::write(&file, &page).unwrap();
        }
        let committed = fs::read_to_string(&file).unwrap_or_default();
        let name = file.display();
        assert!(committed == page, "{name} is stale: run `make crds`");
    }
}

fn page(crd: &CustomResourceDefinition) -> String {
    let names = &crd.spec.names;
    let version = &crd.spec.versions[0];
    let schema = version.schema.as_ref().unwrap();
    let root = schema.open_api_v3_schema.as_ref().unwrap();
    let short = names
        .short_names
        .as_deref()
        .unwrap_or_default()
        .join("`, `");
    let columns = version.additional_printer_columns.iter().flatten();
    let columns: Vec<_> = columns
        .map(|it| match it.priority {
            Some(1..) => format!("{} (`-o wide`)", it.name),
            _ => it.name.clone(),
        })
        .collect();
    let mut text = format!(
        "<!-- Generated from the types by `make crds`. Do not edit. -->\n\n# {}\n\n{}\n\n\
         `apiVersion: {}/{}` · `kubectl get {}` (`{short}`) shows {}\n",
        names.kind,
        description(root),
        crd.spec.group,
        version.name,
        names.plural,
        columns.join(", "),
    );
    let properties = root.properties.as_ref().unwrap();
    for part in ["spec", "status"] {
        let schema = &properties[part];
        write!(text, "\n## {part}\n\n{}\n\n", description(schema)).unwrap();
        text.push_str("| field | type | description |\n|---|---|---|\n");
        rows(&mut text, "", schema);
        let mut rules = Vec::new();
        collect_rules(&mut rules, part, schema);
        if !rules.is_empty() {
            write!(text, "\nRules:\n\n{}\n", rules.join("\n")).unwrap();
        }
    }
    text
}

/// One row per field, those of nested objects below them.
fn rows(text: &mut String, path: &str, schema: &JSONSchemaProps) {
    for (name, field) in schema.properties.iter().flatten() {
        let needed = schema.required.iter().flatten().any(|it| it == name);
        let (path, inner) = match &field.items {
            Some(JSONSchemaPropsOrArray::Schema(item)) => (format!("{path}{name}[]"), &**item),
            _ => (format!("{path}{name}"), field),
        };
        let needed = if needed { ", required" } else { "" };
        let (kind, told) = (type_of(field), described(field));
        writeln!(text, "| `{path}` | {kind}{needed} | {told} |").unwrap();
        rows(text, &format!("{path}."), inner);
    }
}

fn type_of(field: &JSONSchemaProps) -> String {
    let name = field.type_.as_deref().unwrap_or("any");
    match (name, &field.items, &field.additional_properties) {
        ("array", Some(JSONSchemaPropsOrArray::Schema(item)), _) => {
            format!("list of {}", type_of(item))
        }
        ("object", _, Some(JSONSchemaPropsOrBool::Schema(value))) => {
            format!("map of {}", type_of(value))
        }
        ("string", ..) if field.format.as_deref() == Some("date-time") => "time".into(),
        _ => name.into(),
    }
}

fn described(field: &JSONSchemaProps) -> String {
    let mut told = description(field);
    if let Some(default) = &field.default
        && !told.contains("Default:")
    {
        write!(told, " Default: `{}`.", default.0).unwrap();
    }
    let choices: Vec<_> = field
        .enum_
        .iter()
        .flatten()
        .map(|it| it.0.to_string())
        .collect();
    if !choices.is_empty() && !choices.iter().all(|it| told.contains(it.trim_matches('"'))) {
        write!(told, " One of {}.", choices.join(", ").replace('"', "`")).unwrap();
    }
    told
}

/// As one line of a table.
fn description(schema: &JSONSchemaProps) -> String {
    let told = schema.description.clone().unwrap_or_default();
    told.replace('|', "\\|").replace('\n', " ")
}

fn collect_rules(rules: &mut Vec<String>, path: &str, schema: &JSONSchemaProps) {
    for rule in schema.x_kubernetes_validations.iter().flatten() {
        let told = rule.message.as_deref().unwrap_or(&rule.rule);
        rules.push(format!("- `{path}`: {told}"));
    }
    for (name, field) in schema.properties.iter().flatten() {
        collect_rules(rules, &format!("{path}.{name}"), field);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(item)) = &schema.items {
        collect_rules(rules, &format!("{path}[]"), item);
    }
}
