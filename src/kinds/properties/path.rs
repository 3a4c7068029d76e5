//! The fields of a kind, as its definition has them.

use serde_json::{Map, Value};

use crate::api::{self, Kind};

/// What all kinds have, and what is never sent to Adobe.
const POLICIES: [&str; 5] = [
    "sandboxRef",
    "deletionPolicy",
    "adoptionPolicy",
    "replacePolicy",
    "suspend",
];

/// A field of a spec.
pub(super) struct Field {
    /// Names of members; `[]` is the first element of a list.
    path: Vec<String>,
    /// Whether it must be there, where that is there in which it is.
    pub required: bool,
}

impl Field {
    /// As users write it.
    pub fn name(&self) -> String {
        self.path.join(".").replace(".[]", "[]")
    }

    /// Whether it holds secrets itself.
    pub fn is_secret(&self) -> bool {
        self.path.iter().any(|name| name == "secretParams")
    }

    pub fn get<'v>(&self, spec: &'v Value) -> Option<&'v Value> {
        self.path
            .iter()
            .try_fold(spec, |value, name| match name.as_str() {
                "[]" => value.get(0),
                name => value.get(name),
            })
    }

    /// The spec without this field.
    pub fn without(&self, spec: &Value) -> Value {
        let mut spec = spec.clone();
        let (last, parents) = self.path.split_last().expect("a field has a name");
        if let Some(Value::Object(members)) = parent(&mut spec, parents) {
            members.remove(last);
        }
        spec
    }

    /// The spec with another value of this field.
    pub fn with(&self, spec: &Value, value: &Value) -> Value {
        let mut spec = spec.clone();
        if let Some(field) = parent(&mut spec, &self.path) {
            *field = value.clone();
        }
        spec
    }
}

fn parent<'v>(spec: &'v mut Value, path: &[String]) -> Option<&'v mut Value> {
    path.iter()
        .try_fold(spec, |value, name| match name.as_str() {
            "[]" => value.get_mut(0),
            name => value.get_mut(name),
        })
}

/// All fields of a kind but for the policies.
pub(super) fn fields(kind: Kind) -> Vec<Field> {
    let definitions = api::crds();
    let of_kind = definitions
        .into_iter()
        .find(|it| it.spec.names.kind == kind.name());
    let versions = of_kind.expect("every kind has a definition").spec.versions;
    let schema = serde_json::to_value(&versions[0].schema).expect("a definition is valid JSON");
    let spec = &schema["openAPIV3Schema"]["properties"]["spec"];
    let mut fields = Vec::new();
    collect(spec, &[], &mut fields);
    fields
}

fn collect(schema: &Value, path: &[String], fields: &mut Vec<Field>) {
    let none = Map::new();
    let members = schema["properties"].as_object().unwrap_or(&none);
    let rules = schema["x-kubernetes-validations"].to_string();
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    for (name, member) in members {
        let id = name.strip_suffix("Ref").map(|it| format!("{it}Id"));
        let replaced = id.is_some_and(|id| members.contains_key(&id));
        if replaced || (path.is_empty() && POLICIES.contains(&name.as_str())) {
            continue;
        }
        let path = [path, std::slice::from_ref(name)].concat();
        let other = name.strip_suffix("Id").map(|it| format!("{it}Ref"));
        let other = other.filter(|it| members.contains_key(it));
        let one_of =
            |other: &String| rules.contains(&format!("has(self.{other}) != has(self.{name})"));
        fields.push(Field {
            required: required.contains(&name.as_str().into())
                || other.as_ref().is_some_and(one_of),
            path: path.clone(),
        });
        // What selects a connector or a secret is one thing, though it has several members.
        if member["properties"].get("version").is_none() && name != "secretParams" {
            collect(member, &path, fields);
            collect(
                &member["items"],
                &[path, vec!["[]".into()]].concat(),
                fields,
            );
        }
    }
}
