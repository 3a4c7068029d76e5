//! The custom resource definitions: derived from the types, then completed with what all kinds
//! share.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceColumnDefinition, CustomResourceDefinition, JSON, JSONSchemaProps,
    JSONSchemaPropsOrArray, SelectableField,
};
use kube::CustomResourceExt;
use serde_json::{Value, json};

use super::kind::with_kinds;
use super::{AepResource, Column, Kind};

/// First line of every rendered definition.
const HEADER: &str = "# Generated from the Rust types by `aep-operator crds`. Do not edit.\n";

macro_rules! definitions {
    ($($(#[$doc:meta])+ $kind:ident,)+) => {
        vec![$(crd::<super::$kind>()),+]
    };
}

/// The definitions of all kinds, in the order of [`Kind::ALL`].
#[must_use]
pub fn crds() -> Vec<CustomResourceDefinition> {
    with_kinds!(definitions)
}

/// The definition as YAML, with a comment that says where it comes from.
///
/// # Panics
///
/// Never in practice: a definition always is valid JSON, and JSON always is valid YAML.
#[must_use]
pub fn render(crd: &CustomResourceDefinition) -> String {
    let mut value = serde_json::to_value(crd).expect("a definition is valid JSON");
    whole_numbers(&mut value);
    let yaml = serde_saphyr::to_string(&value).expect("JSON is valid YAML");
    format!("{HEADER}{yaml}")
}

fn crd<K: AepResource + CustomResourceExt>() -> CustomResourceDefinition {
    let mut crd = K::crd();
    crd.spec.names.categories = Some(vec!["aep".into()]);
    for version in &mut crd.spec.versions {
        if let Some(root) = version
            .schema
            .as_mut()
            .and_then(|it| it.open_api_v3_schema.as_mut())
        {
            clean(root);
            default_status(root);
        }
        version.selectable_fields = Some(selectable_fields(K::KIND));
        version.additional_printer_columns = Some(columns::<K>());
    }
    crd
}

/// Removes `nullable`, which every `Option` brings and which breaks merge patches; titles, which
/// only repeat the names of Rust types; and line breaks, since tools wrap descriptions themselves.
fn clean(schema: &mut JSONSchemaProps) {
    schema.nullable = None;
    schema.title = None;
    schema.description = schema.description.take().map(|it| it.replace('\n', " "));
    for property in schema.properties.iter_mut().flat_map(|it| it.values_mut()) {
        clean(property);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(item)) = &mut schema.items {
        clean(item);
    }
}

/// Without a status, tools consider a new resource finished; with this one they wait for the
/// operator.
fn default_status(root: &mut JSONSchemaProps) {
    if let Some(status) = root.properties.as_mut().and_then(|it| it.get_mut("status")) {
        status.default = Some(JSON(json!({"observedGeneration": -1})));
    }
}

fn selectable_fields(kind: Kind) -> Vec<SelectableField> {
    let paths: &[&str] = match kind {
        Kind::Sandbox => &[".spec.sandboxName", ".spec.suspend"],
        _ => &[".spec.sandboxRef.name", ".spec.suspend"],
    };
    paths
        .iter()
        .map(|path| SelectableField {
            json_path: (*path).to_owned(),
        })
        .collect()
}

/// What `kubectl get` shows.
fn columns<K: AepResource>() -> Vec<CustomResourceColumnDefinition> {
    let common = [
        Column::new("Ready", r#".status.conditions[?(@.type=="Ready")].status"#),
        Column::new("Reason", r#".status.conditions[?(@.type=="Ready")].reason"#),
    ];
    let sandbox = Column::new("Sandbox", ".spec.sandboxRef.name").wide();
    let sandbox = (K::KIND != Kind::Sandbox).then_some(sandbox);
    let message = r#".status.conditions[?(@.type=="Ready")].message"#;
    let rest = [
        Column::new("Message", message).wide(),
        Column::new("Age", ".metadata.creationTimestamp").of_type("date"),
    ];
    let columns = common.iter().chain(K::COLUMNS).copied();
    let columns = columns.chain(sandbox).chain(rest);
    columns.map(Into::into).collect()
}

/// Limits are floating-point in the Rust types of Kubernetes; people and `kubectl` write `15`, not
/// `15.0`.
#[expect(
    clippy::cast_possible_truncation,
    reason = "only exact integers are converted"
)]
fn whole_numbers(value: &mut Value) {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::Array(items) => items.iter_mut().for_each(whole_numbers),
        Value::Object(entries) => entries.values_mut().for_each(whole_numbers),
        Value::Number(number) if number.is_f64() => {
            if let Some(float) = number
                .as_f64()
                .filter(|it| it.fract() == 0.0 && it.abs() < EXACT)
            {
                *value = json!(float as i64);
            }
        }
        _ => {}
    }
}
