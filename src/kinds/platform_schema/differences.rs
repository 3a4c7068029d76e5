//! What a change of a schema changes, for people to read.

use serde_json::Value;

use super::desired::Desired;
use super::held::Held;
use super::plan::Change;
use crate::adobe::PatchOp;
use crate::engine::{Difference, Mark};

pub(super) fn differences(desired: &Desired, held: &Held, change: &Change) -> Vec<Difference> {
    let none = Value::Null;
    match change {
        Change::CreateFields => vec![Difference::new(
            desired.fields_path(),
            none,
            "a new resource",
        )],
        Change::CreateSchema => vec![Difference::new("spec.title", none, desired.title.as_str())],
        Change::PatchFields(ops) => {
            let part = held.part.as_ref();
            let mark = part.and_then(|it| it.mark.as_ref());
            let texts = part.map(|it| (it.title.as_str(), it.description.as_str()));
            let pointer = part.and_then(|it| it.pointer.as_deref());
            patched(desired, texts, mark, ops, pointer)
        }
        Change::PatchSchema(ops) => {
            let schema = held.schema.as_ref();
            let mark = schema.and_then(|it| it.mark.as_ref());
            let texts = schema.map(|it| (it.title.as_str(), it.description.as_str()));
            patched(desired, texts, mark, ops, None)
        }
        Change::CreateDescriptor(body) => {
            let path = body["xdm:sourceProperty"].clone();
            vec![Difference::new("spec.identities", none, path)]
        }
        Change::EnableProfile(_) => vec![Difference::new("spec.profileEnabled", false, true)],
    }
}

/// What ops change about a resource with this title and description, whose own fields are below `pointer`.
fn patched(
    desired: &Desired,
    texts: Option<(&str, &str)>,
    mark: Option<&Mark>,
    ops: &[PatchOp],
    pointer: Option<&str>,
) -> Vec<Difference> {
    let (title, description) = texts.unwrap_or_default();
    let mut all = Vec::new();
    for op in ops {
        let new = op.value.clone().unwrap_or_default();
        let own = pointer.and_then(|pointer| op.path.strip_prefix(pointer));
        let difference = match (op.path.as_str(), own) {
            ("/title", _) => Difference::new("spec.title", title, new),
            ("/description", _) => {
                let new = Mark::unsigned(new.as_str().unwrap_or_default());
                let old = Mark::unsigned(description);
                all.extend(Difference::mark(mark, &desired.mark));
                if old == new {
                    continue;
                }
                Difference::new("spec.description", old, new)
            }
            ("/allOf/-", _) => {
                Difference::new("spec.fieldGroups", Value::Null, new["$ref"].clone())
            }
            (_, Some(field)) => {
                let field = field.replace("/properties/", "/").replace('/', ".");
                Difference::hidden(&format!("{}{field}", desired.fields_path()))
            }
            (path, None) => Difference::hidden(path),
        };
        all.push(difference);
    }
    all
}
