//! Reading a custom resource field by field, where it cannot be read as a whole.

use kube::core::object::HasSpec;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::Fields;
use super::fault::Lost;
use crate::api::{AepResource, GROUP, VERSION};

/// The custom resource with each field that can be read, and the fields that cannot.
pub(super) fn salvage<K: AepResource>(object: &Fields) -> Option<(K, Vec<Lost>)> {
    let spec = serde_json::to_value(<K as HasSpec>::Spec::default()).ok()?;
    let empty = json!({
        "apiVersion": format!("{GROUP}/{VERSION}"), "kind": K::KIND.name(),
        "metadata": {}, "spec": spec, "status": {},
    });
    let mut rescue = Rescue {
        resource: serde_json::from_value(empty.clone()).ok()?,
        read: empty,
        lost: Vec::new(),
    };
    for part in ["metadata", "spec", "status"] {
        if let Some(fields) = object.get(part) {
            rescue.add_all(part, fields);
        }
    }
    Some((rescue.resource, rescue.lost))
}

struct Rescue<K> {
    /// What could be read so far, as JSON and as a resource.
    read: Value,
    resource: K,
    lost: Vec<Lost>,
}

impl<K: AepResource> Rescue<K> {
    fn add_all(&mut self, part: &str, fields: &RawValue) {
        match serde_json::from_str::<Fields>(fields.get()) {
            Ok(fields) => {
                for (name, value) in fields {
                    if let Err(error) = self.add(part, &name, value) {
                        self.lose(format!("{part}.{name}"), &error);
                    }
                }
            }
            // A `null` is the same as nothing.
            Err(_) if fields.get() == "null" => {}
            Err(error) => self.lose(part.to_owned(), &error),
        }
    }

    fn add(&mut self, part: &str, name: &str, value: &RawValue) -> serde_json::Result<()> {
        // From text, so that nothing is nested more deeply than a text may be.
        let value: Value = serde_json::from_str(value.get())?;
        let mut read = self.read.clone();
        read[part][name] = value;
        self.resource = serde_json::from_value(read.clone())?;
        self.read = read;
        Ok(())
    }

    fn lose(&mut self, field: String, error: &serde_json::Error) {
        let why = words(error);
        self.lost.push(Lost { field, why });
    }
}

/// The parser's message, without the position in a text that nobody sees.
fn words(error: &serde_json::Error) -> String {
    let words = error.to_string();
    let words = words.split(" at line ").next().unwrap_or_default();
    if words == "recursion limit exceeded" {
        return "nested too deeply, the limit is some 120 levels".into();
    }
    words.to_owned()
}
