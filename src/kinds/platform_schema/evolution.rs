//! How the own fields of a schema may change. Adobe lets fields be added, and lets a field become less restrictive; whatever
//! else would break records that exist is refused here, before Adobe refuses it.
//!
//! A constraint that the spec leaves out is none: the own fields are the spec's as a whole. Titles, descriptions and other
//! annotations restrict nothing; those that the spec leaves out are Adobe's.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::constraints::{
    Change, annotated, contains, elements, is_date, is_less, is_superset, is_within, loosened,
    never, positive,
};
use super::fields::segment;
use crate::adobe::PatchOp;
use crate::engine::{Error, Result};

type Members = Map<String, Value>;

/// Appends what brings the fields at Adobe to those of the spec.
pub(super) fn compare_fields(
    ops: &mut Vec<PatchOp>,
    pointer: &str,
    path: &str,
    wanted: &Members,
    found: &Members,
) -> Result<()> {
    if let Some(name) = found.keys().find(|name| !wanted.contains_key(*name)) {
        return Err(Error::Invalid(format!(
            "`{path}.{name}` exists at Adobe but not in the spec: removing a field is a breaking change; restore it, \
             with `meta:status: deprecated` if it is to be used no longer, or create a new resource under another name"
        )));
    }
    for (name, wanted) in wanted {
        let pointer = format!("{pointer}/{}", segment(name));
        let path = format!("{path}.{name}");
        match found.get(name) {
            Some(found) => Field::of(Some(wanted), Some(found)).compare(ops, &pointer, &path)?,
            None => ops.push(PatchOp::add(pointer, wanted.clone())),
        }
    }
    Ok(())
}

/// One field, in the spec and at Adobe.
struct Field<'f> {
    wanted: &'f Members,
    found: &'f Members,
}

impl<'f> Field<'f> {
    fn of(wanted: Option<&'f Value>, found: Option<&'f Value>) -> Self {
        Self {
            wanted: members(wanted),
            found: members(found),
        }
    }

    fn compare(&self, ops: &mut Vec<PatchOp>, pointer: &str, path: &str) -> Result<()> {
        let keys: BTreeSet<_> = self.wanted.keys().chain(self.found.keys()).collect();
        for key in keys {
            let at = format!("{pointer}/{}", segment(key));
            let (want, have) = (self.wanted.get(key), self.found.get(key));
            match (key.as_str(), want, have) {
                ("properties", want, Some(Value::Object(found))) => {
                    compare_fields(ops, &at, path, members(want), found)?;
                }
                ("items" | "additionalProperties", None | Some(Value::Object(_)), Some(_)) => {
                    Self::of(want, have).compare(ops, &at, path)?;
                }
                ("meta:enum", Some(Value::Object(want)), Some(Value::Object(have))) => {
                    self.compare_labels(ops, &at, want, have);
                }
                _ => match self.change(key) {
                    Change::Keep => {}
                    Change::Set => ops.push(PatchOp::add(at, want.cloned().unwrap_or_default())),
                    Change::Remove => ops.push(PatchOp::remove(at)),
                    change => return Err(refused(&change, path, key, want, have)),
                },
            }
        }
        Ok(())
    }

    fn change(&self, key: &str) -> Change {
        let (want, have) = (self.wanted.get(key), self.found.get(key));
        match key {
            "enum" => loosened(want, have, is_superset),
            "required" => loosened(want, have, |want, have| self.requires_only(want, have)),
            "minimum" | "exclusiveMinimum" => loosened(want, self.bound(want, have), is_less),
            "minLength" | "minItems" | "minProperties" => {
                loosened(positive(want), positive(have), is_less)
            }
            "maximum" | "exclusiveMaximum" => {
                loosened(want, self.bound(want, have), |want, have| {
                    is_less(have, want)
                })
            }
            "maxLength" | "maxItems" | "maxProperties" => {
                loosened(want, have, |want, have| is_less(have, want))
            }
            "format" if want.is_none() && is_date(have) => self.without_date(have),
            "pattern" | "format" | "multipleOf" | "uniqueItems" | "const" => {
                loosened(want, have, never)
            }
            // Adobe shows an object without fields with none, or not at all.
            "properties" => annotated(want, have),
            "meta:enum" if want.is_none() && self.change("enum") == Change::Remove => {
                Change::Remove
            }
            "$ref" if want.is_none() => Change::Redefined,
            _ if key != "meta:xdmType" && key.starts_with("meta:") => annotated(want, have),
            "title" | "description" | "default" | "examples" | "$comment" => annotated(want, have),
            _ if want.is_none_or(|want| is_within(want, have.unwrap_or(&Value::Null))) => {
                Change::Keep
            }
            _ => Change::Redefined,
        }
    }

    /// The bound at Adobe, unless it is that of the number's type, which restricts nothing further.
    fn bound<'v>(&self, want: Option<&Value>, have: Option<&'v Value>) -> Option<&'v Value> {
        let of_type: &[u64] = match self.wanted.get("meta:xdmType").and_then(Value::as_str) {
            Some("byte") => &[127, 128],
            Some("short") => &[32_767, 32_768],
            _ => &[
                2_147_483_647,
                2_147_483_648,
                9_007_199_254_740_991,
                9_007_199_254_740_992,
            ],
        };
        let is_of_type = |bound: &Value| {
            let size = bound.as_i64().map(i64::unsigned_abs);
            size.is_some_and(|size| of_type.contains(&size))
        };
        have.filter(|have| want.is_some() || !is_of_type(have))
    }

    /// A new field may be required, but not one that records may lack.
    fn requires_only(&self, want: &Value, have: &Value) -> bool {
        let known = members(self.found.get("properties"));
        let is_new = |name: &&Value| name.as_str().is_none_or(|it| !known.contains_key(it));
        let mut names = elements(want).iter();
        names.all(|name| contains(have, name) || is_new(&name))
    }

    /// A date without a format would be a mere text, unless its type says the same.
    fn without_date(&self, have: Option<&Value>) -> Change {
        if self.wanted.get("meta:xdmType") == have {
            Change::Keep
        } else {
            Change::Redefined
        }
    }

    /// The values that Adobe suggests are those of the spec; more than those only bear labels of what `enum` allows.
    fn compare_labels(&self, ops: &mut Vec<PatchOp>, at: &str, want: &Members, have: &Members) {
        let at = |name: &str| format!("{at}/{}", segment(name));
        for (name, label) in want
            .iter()
            .filter(|(name, it)| have.get(*name) != Some(*it))
        {
            ops.push(PatchOp::add(at(name), label.clone()));
        }
        let allowed = self.wanted.get("enum").unwrap_or(&Value::Null);
        let is_allowed = |name: &str| elements(allowed).iter().any(|it| it == name);
        for name in have.keys().filter(|name| !want.contains_key(*name)) {
            if !is_allowed(name) {
                ops.push(PatchOp::remove(at(name)));
            }
        }
    }
}

fn members(value: Option<&Value>) -> &Members {
    static NONE: LazyLock<Members> = LazyLock::new(Members::new);
    value.and_then(Value::as_object).unwrap_or(&NONE)
}

fn refused(
    change: &Change,
    path: &str,
    key: &str,
    want: Option<&Value>,
    have: Option<&Value>,
) -> Error {
    let told = |value: Option<&Value>| match value {
        Some(value) => format!("`{key}: {value}`"),
        None => format!("no `{key}`"),
    };
    let why = match change {
        Change::Narrower => "Adobe lets a field become less restrictive only",
        _ => "redefining a field is a breaking change",
    };
    Error::Invalid(format!(
        "`{path}` has {} at Adobe and {} in the spec: {why}; restore it or add another field",
        told(have),
        told(want)
    ))
}

#[cfg(test)]
mod tests;
