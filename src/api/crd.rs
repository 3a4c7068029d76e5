//! The custom resource definitions: derived from the types, then completed with what all kinds
//! share.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceColumnDefinition, CustomResourceDefinition, JSON, JSONSchemaProps,
    JSONSchemaPropsOrArray, SelectableField,
};
use kube::CustomResourceExt;
use serde_json::{Value, json};

use super::{
    AepResource, BaseConnection, Dataflow, Dataset, Kind, MappingSet, PlatformSchema, Sandbox,
    SourceConnection, TargetConnection,
};

/// First line of every rendered definition.
const HEADER: &str = "# Generated from the Rust types by `aep-operator crds`. Do not edit.\n";

/// The definitions of all kinds, in the order of [`Kind::ALL`].
#[must_use]
pub fn crds() -> Vec<CustomResourceDefinition> {
    Kind::ALL
        .into_iter()
        .map(|kind| match kind {
            Kind::Sandbox => crd::<Sandbox>(),
            Kind::BaseConnection => crd::<BaseConnection>(),
            Kind::PlatformSchema => crd::<PlatformSchema>(),
            Kind::Dataset => crd::<Dataset>(),
            Kind::SourceConnection => crd::<SourceConnection>(),
            Kind::TargetConnection => crd::<TargetConnection>(),
            Kind::MappingSet => crd::<MappingSet>(),
            Kind::Dataflow => crd::<Dataflow>(),
        })
        .collect()
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
        version.additional_printer_columns = Some(columns(K::KIND));
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
fn columns(kind: Kind) -> Vec<CustomResourceColumnDefinition> {
    let ready = |field| format!(r#".status.conditions[?(@.type=="Ready")].{field}"#);
    let mut columns = vec![
        column("Ready", "string", &ready("status")),
        column("Reason", "string", &ready("reason")),
    ];
    columns.extend(match kind {
        Kind::Sandbox => vec![
            column("Sandbox", "string", ".spec.sandboxName"),
            column("State", "string", ".status.state"),
            wide(column("Type", "string", ".status.type")),
        ],
        Kind::BaseConnection => vec![
            column("State", "string", ".status.state"),
            column("Adobe Id", "string", ".status.id"),
        ],
        Kind::Dataflow => vec![
            column("State", "string", ".status.state"),
            column("Last Run", "string", ".status.lastRun.state"),
            column("Adobe Id", "string", ".status.id"),
        ],
        // The id of a schema is a long URL.
        Kind::PlatformSchema => vec![
            column("Version", "string", ".status.version"),
            wide(column("Adobe Id", "string", ".status.id")),
        ],
        Kind::MappingSet => vec![
            column("Version", "integer", ".status.version"),
            column("Adobe Id", "string", ".status.id"),
        ],
        Kind::Dataset | Kind::SourceConnection | Kind::TargetConnection => {
            vec![column("Adobe Id", "string", ".status.id")]
        }
    });
    if kind != Kind::Sandbox {
        columns.push(wide(column("Sandbox", "string", ".spec.sandboxRef.name")));
    }
    columns.push(wide(column("Message", "string", &ready("message"))));
    columns.push(column("Age", "date", ".metadata.creationTimestamp"));
    columns
}

fn column(name: &str, type_: &str, json_path: &str) -> CustomResourceColumnDefinition {
    CustomResourceColumnDefinition {
        name: name.into(),
        type_: type_.into(),
        json_path: json_path.into(),
        ..Default::default()
    }
}

fn wide(column: CustomResourceColumnDefinition) -> CustomResourceColumnDefinition {
    CustomResourceColumnDefinition {
        priority: Some(1),
        ..column
    }
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
