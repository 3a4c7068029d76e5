//! Turns a definition as a client sends it into a resource as the registry stores it.

use serde_json::{Map, Value, json};

use super::kind::Kind;
use super::resolve::{composed, references};
use super::{alt_id, checks, find, text, texts};
use crate::http::Answer;
use crate::world::{Context, Sandbox};

const AD_HOC: &str = "https://ns.adobe.com/xdm/data/adhoc";

/// What a client may say about a resource besides its definition; every other `meta:` member is the server's.
const CLIENT_META: [&str; 4] = [
    "meta:intendedToExtend",
    "meta:immutableTags",
    "meta:enum",
    "meta:status",
];

/// Digits that make a new id: ad-hoc classes have shorter ones.
pub(super) fn new_digits(kind: Kind, definition: &Value, cx: &mut Context<'_>) -> String {
    let ad_hoc = kind == Kind::Class && references(definition).iter().any(|r| r == AD_HOC);
    cx.ids.hex(if ad_hoc { 32 } else { 48 })
}

/// Checks a definition and completes it: identifiers, references, types, everything except dates and version.
pub(super) fn resource(
    kind: Kind,
    definition: &Value,
    digits: &str,
    sandbox: &Sandbox,
    cx: &mut Context<'_>,
) -> Result<Value, Answer> {
    let mut body = client_part(definition);
    let ad_hoc = kind == Kind::Class && references(definition).iter().any(|r| r == AD_HOC);
    if ad_hoc {
        name_space_ad_hoc(&mut body, digits);
    }
    body.entry("type").or_insert_with(|| json!("object"));
    body.entry("description").or_insert_with(|| json!(""));
    let mut object = Value::Object(body);
    checks::definition(kind, &object, sandbox, cx)?;
    annotate_parts(&mut object);
    let server = server_part(kind, &object, digits, sandbox, cx);
    for (key, value) in server.as_object().into_iter().flatten() {
        object[key] = value.clone();
    }
    if ad_hoc {
        object["meta:datasetNamespace"] = json!(format!("_{digits}"));
    }
    if kind == Kind::Schema {
        add_class(sandbox, &mut object);
    }
    Ok(object)
}

/// What only the server decides.
fn server_part(
    kind: Kind,
    object: &Value,
    digits: &str,
    sandbox: &Sandbox,
    cx: &Context<'_>,
) -> Value {
    let word = kind.resource_type();
    let id = format!("https://ns.adobe.com/{}/{word}/{digits}", cx.tenant);
    let reusable = kind != Kind::Schema;
    let sandbox_type = sandbox.about.get("type").cloned();
    json!({
        "meta:altId": alt_id(&id),
        "$id": id,
        "meta:resourceType": word,
        "refs": references(object),
        "imsOrg": cx.ims_org,
        "meta:extensible": reusable,
        "meta:abstract": reusable,
        "meta:extends": extends(sandbox, object),
        "meta:xdmType": "object",
        "meta:containerId": "tenant",
        "meta:tenantNamespace": format!("_{}", cx.tenant),
        "meta:sandboxId": sandbox.id(&cx.ims_org),
        "meta:sandboxType": sandbox_type.unwrap_or_else(|| json!("development")),
    })
}

/// Dates, authors and a new `eTag`.
pub(super) fn stamp(object: &mut Value, previous: Option<&Value>, cx: &mut Context<'_>) {
    let author = format!("{}@techacct.adobe.com", cx.client_id);
    let mut metadata = json!({
        "repo:createdDate": cx.now_ms,
        "repo:lastModifiedDate": cx.now_ms,
        "xdm:createdClientId": cx.client_id,
        "xdm:lastModifiedClientId": cx.client_id,
        "xdm:createdUserId": author,
        "xdm:lastModifiedUserId": author,
        "eTag": cx.ids.hex(64),
        "meta:globalLibVersion": "1.38.2",
    });
    if let Some(old) = previous.and_then(|p| p.get("meta:registryMetadata")) {
        for key in [
            "repo:createdDate",
            "xdm:createdClientId",
            "xdm:createdUserId",
        ] {
            metadata[key] = old[key].clone();
        }
    }
    object["meta:registryMetadata"] = metadata;
}

/// What the client decides: no identifiers and no server-owned members.
pub(super) fn client_part(definition: &Value) -> Map<String, Value> {
    let mut body = definition.as_object().cloned().unwrap_or_default();
    body.retain(|key, _| {
        let servers = matches!(
            key.as_str(),
            "$id" | "$schema" | "version" | "imsOrg" | "refs"
        );
        !servers && (!key.starts_with("meta:") || CLIENT_META.contains(&key.as_str()))
    });
    body
}

/// The closure of what a resource extends: what it refers to on its top level, and what those extend.
fn extends(sandbox: &Sandbox, object: &Value) -> Vec<String> {
    let mut closure: Vec<String> = Vec::new();
    for reference in composed(object) {
        let inherited = find(sandbox, reference)
            .into_iter()
            .flat_map(|target| texts(target, "meta:extends"));
        for id in std::iter::once(reference).chain(inherited) {
            if !closure.iter().any(|known| known == id) {
                closure.push(id.to_owned());
            }
        }
    }
    closure
}

/// The class among what a schema is composed of.
fn class_of<'a>(sandbox: &Sandbox, schema: &'a Value) -> Option<&'a str> {
    composed(schema).find(|id| find(sandbox, id).is_some_and(|r| Kind::of(r) == Some(Kind::Class)))
}

fn add_class(sandbox: &Sandbox, schema: &mut Value) {
    let Some(class) = class_of(sandbox, schema).map(str::to_owned) else {
        return;
    };
    if let Some(space) = find(sandbox, &class).and_then(|c| c.get("meta:datasetNamespace")) {
        schema["meta:datasetNamespace"] = space.clone();
    }
    schema["meta:class"] = json!(class);
}

/// The placeholder `_adhoc` becomes the class's own namespace.
fn name_space_ad_hoc(body: &mut Map<String, Value>, digits: &str) {
    let parts = body.get_mut("allOf").and_then(Value::as_array_mut);
    for part in parts.into_iter().flatten() {
        if let Some(fields) = part.get_mut("properties").and_then(Value::as_object_mut)
            && let Some(columns) = fields.remove("_adhoc")
        {
            fields.insert(format!("_{digits}"), columns);
        }
    }
}

/// Adds `meta:xdmType` to every field and to every part of a composition.
fn annotate_parts(object: &mut Value) {
    annotate_fields(object);
    for part in object
        .get_mut("allOf")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        annotate_fields(part);
        if let Some(part) = part.as_object_mut() {
            part.entry("type").or_insert_with(|| json!("object"));
            part.entry("meta:xdmType")
                .or_insert_with(|| json!("object"));
        }
    }
    for part in object
        .get_mut("definitions")
        .and_then(Value::as_object_mut)
        .into_iter()
        .flatten()
    {
        annotate_fields(part.1);
    }
}

fn annotate_fields(node: &mut Value) {
    for (_, field) in node
        .get_mut("properties")
        .and_then(Value::as_object_mut)
        .into_iter()
        .flatten()
    {
        annotate(field);
    }
}

fn annotate(field: &mut Value) {
    annotate_fields(field);
    if let Some(items) = field.get_mut("items") {
        annotate(items);
    }
    let kind = match (text(field, "type"), text(field, "format")) {
        ("", _) => return,
        ("string", format @ ("date" | "date-time")) => format.to_owned(),
        ("integer", _) => integer(field).to_owned(),
        (kind, _) => kind.to_owned(),
    };
    if let Some(field) = field.as_object_mut() {
        field.entry("meta:xdmType").or_insert_with(|| json!(kind));
    }
}

/// The UI's Long, Short and Byte are integers with bounds.
fn integer(field: &Value) -> &'static str {
    match field.get("maximum").and_then(Value::as_i64) {
        Some(127 | 128) => "byte",
        Some(32_767 | 32_768) => "short",
        Some(bound) if bound > i64::from(i32::MAX) => "long",
        _ => "int",
    }
}
