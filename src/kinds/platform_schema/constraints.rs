//! What may become of a keyword in the definition of a field, by what it says: a constraint may be weakened, an annotation
//! changed, anything else must stay as it is.

use serde_json::Value;

/// What becomes of one keyword in the definition of a field.
#[derive(Debug, PartialEq)]
pub(super) enum Change {
    Keep,
    /// Adobe gets what the spec says.
    Set,
    /// Adobe loses what the spec does not say.
    Remove,
    /// Records that exist might not fit any more.
    Narrower,
    /// It would be another field.
    Redefined,
}

/// A constraint may go, and become weaker.
pub(super) fn loosened(
    want: Option<&Value>,
    have: Option<&Value>,
    is_weaker: impl Fn(&Value, &Value) -> bool,
) -> Change {
    match (stated(want), stated(have)) {
        (None, None) => Change::Keep,
        (None, Some(_)) => Change::Remove,
        (Some(want), Some(have)) if is_same(want, have) => Change::Keep,
        (Some(want), Some(have)) if is_weaker(want, have) => Change::Set,
        // A list of required fields may begin with new ones.
        (Some(want), None) if want.is_array() && is_weaker(want, &Value::Null) => Change::Set,
        _ => Change::Narrower,
    }
}

/// What restricts nothing changes freely.
pub(super) fn annotated(want: Option<&Value>, have: Option<&Value>) -> Change {
    match want {
        Some(want) if !is_within(want, have.unwrap_or(&Value::Null)) => Change::Set,
        _ => Change::Keep,
    }
}

/// A constraint, unless it says nothing.
fn stated(value: Option<&Value>) -> Option<&Value> {
    value.filter(|value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::Array(elements) => !elements.is_empty(),
        _ => true,
    })
}

/// No length is less than zero.
pub(super) fn positive(value: Option<&Value>) -> Option<&Value> {
    value.filter(|it| it.as_u64() != Some(0))
}

pub(super) fn is_less(one: &Value, other: &Value) -> bool {
    one.as_f64() < other.as_f64()
}

pub(super) fn never(_: &Value, _: &Value) -> bool {
    false
}

pub(super) fn is_date(format: Option<&Value>) -> bool {
    format.is_some_and(|it| it == "date" || it == "date-time")
}

/// Lists of values and names have no order.
fn is_same(want: &Value, have: &Value) -> bool {
    if want.is_array() {
        is_superset(want, have) && is_superset(have, want)
    } else {
        is_within(want, have)
    }
}

pub(super) fn is_superset(list: &Value, others: &Value) -> bool {
    elements(others).iter().all(|it| contains(list, it)) && others.is_array()
}

pub(super) fn contains(list: &Value, value: &Value) -> bool {
    elements(list).iter().any(|it| is_within(value, it))
}

pub(super) fn elements(list: &Value) -> &[Value] {
    list.as_array().map_or(&[], Vec::as_slice)
}

/// Whether Adobe holds everything in the spec; what it adds does not count.
pub(super) fn is_within(wanted: &Value, found: &Value) -> bool {
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => wanted
            .iter()
            .all(|(key, want)| is_within(want, found.get(key).unwrap_or(&Value::Null))),
        (Value::Array(wanted), Value::Array(found)) => {
            wanted.len() == found.len()
                && wanted
                    .iter()
                    .zip(found)
                    .all(|(want, have)| is_within(want, have))
        }
        (Value::Number(wanted), Value::Number(found)) => wanted.as_f64() == found.as_f64(),
        (Value::Object(wanted), Value::Null) => wanted.is_empty(),
        _ => wanted == found,
    }
}
