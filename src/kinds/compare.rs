//! Comparing what was asked for with what Adobe holds, whatever its spelling. Pure.

use serde_json::{Map, Value};

use crate::adobe::PatchOp;
use crate::api::OpenObject;
use crate::engine::{Error, Plan, Result};

/// Largest open object of a spec, in bytes of JSON: etcd keeps a whole object within 1.5 MB.
const OPEN_MAX: usize = 256 * 1024;

/// Whether Adobe holds what is wanted. Keys that nobody asked for are Adobe's own, and no difference.
pub(super) fn covers(wanted: &Value, held: &Value) -> bool {
    match (wanted, held) {
        (Value::Object(wanted), Value::Object(held)) => covers_all(wanted, held),
        (Value::Array(wanted), Value::Array(held)) => {
            wanted.len() == held.len() && wanted.iter().zip(held).all(|(w, h)| covers(w, h))
        }
        (Value::String(wanted), Value::String(held)) => {
            wanted == held || media_type(wanted).is_some_and(|w| media_type(held) == Some(w))
        }
        _ => wanted == held || scalar(wanted).is_some_and(|w| scalar(held) == Some(w)),
    }
}

/// [`covers`] for the content of objects; a wanted `null` is met by absence.
fn covers_all(wanted: &Map<String, Value>, held: &Map<String, Value>) -> bool {
    wanted.iter().all(|(key, wanted)| {
        let held = held.get(key).unwrap_or(&Value::Null);
        covers(wanted, held)
    })
}

/// [`covers`] where Adobe may hold nothing.
pub(super) fn covers_some(wanted: Option<&Value>, held: Option<&Value>) -> bool {
    wanted.is_none_or(|wanted| covers(wanted, held.unwrap_or(&Value::Null)))
}

/// A whole number, spelled as a number or as text.
pub(super) fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A text somewhere in what Adobe holds.
pub(super) fn text<'v>(value: Option<&'v Value>, pointer: &str) -> Option<&'v str> {
    value?.pointer(pointer)?.as_str()
}

/// A boolean, spelled as a boolean or as text.
pub(super) fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) => text.trim().to_ascii_lowercase().parse().ok(),
        _ => None,
    }
}

/// One spelling for numbers and booleans that are written as text on one side.
fn scalar(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_ascii_lowercase(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        _ => return None,
    };
    Some(version(&text).to_owned())
}

/// One spelling for media types with a version, of which Adobe has several.
fn media_type(text: &str) -> Option<String> {
    if !text.starts_with("application/") {
        return None;
    }
    let bare: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    Some(version(&bare).to_owned())
}

pub(super) fn version(text: &str) -> &str {
    text.strip_suffix(".0").unwrap_or(text)
}

/// The object as it is sent, unless it is larger than anything a connector needs.
pub(super) fn open(field: &str, object: &OpenObject) -> Result<OpenObject> {
    let size = serde_json::to_vec(object).map_or(0, |text| text.len());
    if size > OPEN_MAX {
        return Err(Error::Invalid(format!(
            "`{field}` has {size} bytes as JSON, more than the {OPEN_MAX} allowed: shorten it"
        )));
    }
    Ok(object.clone())
}

/// Whether a text means nothing but itself in a filter, as far as is known. Blanks around it would be lost.
pub(super) fn is_plain(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.');
    text.trim() == text && text.chars().all(plain)
}

/// Either nothing to do, a change, or what stands in the way of one.
pub(super) fn change_or_replace(fixed: &[&str], ops: Vec<PatchOp>) -> Plan<Vec<PatchOp>> {
    if !fixed.is_empty() {
        Plan::Replace(fixed.join(", "))
    } else if ops.is_empty() {
        Plan::Keep
    } else {
        Plan::Change(ops)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_and_booleans_may_be_spelled_as_text() {
        assert!(covers(&json!("30"), &json!(30)));
        assert!(covers(&json!(30), &json!("30")));
        assert!(covers(&json!(30), &json!(30.0)));
        assert!(covers(&json!(true), &json!("True")));
        assert!(!covers(&json!("007"), &json!("7")));
        assert!(!covers(&json!(30), &json!(31)));
    }

    #[test]
    fn a_fraction_comes_back_as_it_was_sent() {
        let sent: Value = serde_json::from_str("-3.0047195257879718e-238").unwrap();
        let read: Value = serde_json::from_str(&sent.to_string()).unwrap();
        assert!(covers(&sent, &read));
    }

    #[test]
    fn a_text_with_a_meaning_in_filters_or_with_blanks_around_it_is_not_plain() {
        assert!(is_plain("Payments 2.0"));
        for odd in ["a,b", "a==b", "\"a\"", " a", "a\n", "Größe"] {
            assert!(!is_plain(odd), "{odd}");
        }
    }

    #[test]
    fn what_adobe_adds_is_no_difference_but_what_it_lacks_is() {
        assert!(covers(
            &json!({"a": {"b": 1}}),
            &json!({"x": 1, "a": {"c": 2, "b": "1"}})
        ));
        assert!(!covers(&json!({"a": 1, "b": 2}), &json!({"a": 1})));
        assert!(covers(&json!({"a": null}), &json!({})));
        assert!(!covers(&json!(["a"]), &json!(["a", "b"])));
    }

    #[test]
    fn lists_are_compared_element_by_element() {
        assert!(covers(
            &json!(["1", {"a": 1}]),
            &json!([1, {"a": 1, "b": 2}])
        ));
        assert!(!covers(&json!(["a", "b"]), &json!(["a", "c"])));
        assert!(!covers(&json!(["a", "b"]), &json!(["b", "a"])));
    }

    #[test]
    fn what_adobe_spells_as_text_is_read_all_the_same() {
        for (value, number) in [
            (json!(30), Some(30)),
            (json!(" 30"), Some(30)),
            (json!("x"), None),
        ] {
            assert_eq!(integer(&value), number);
        }
        for (value, set) in [
            (json!(true), Some(true)),
            (json!("False"), Some(false)),
            (json!(1), None),
        ] {
            assert_eq!(flag(&value), set);
        }
        let held = json!({"schema": {"id": "an-id"}});
        assert_eq!(text(Some(&held), "/schema/id"), Some("an-id"));
        assert_eq!(text(Some(&held), "/schema"), None);
    }

    #[test]
    fn media_types_are_compared_without_spaces_and_trailing_zero() {
        let spaced = json!("application/vnd.adobe.xed-full+json; version=1.0");
        let bare = json!("application/vnd.adobe.xed-full+json;version=1");
        assert!(covers(&spaced, &bare));
        assert!(!covers(
            &spaced,
            &json!("application/vnd.adobe.xed-full+json;version=2")
        ));
        assert!(!covers(&json!("Paid Orders"), &json!("PaidOrders")));
    }

    #[test]
    fn an_open_object_beyond_the_limit_is_refused_by_name() {
        let sized = |bytes| {
            let text = "x".repeat(bytes - r#"{"a":""}"#.len());
            OpenObject::from_iter([("a".into(), text.into())])
        };
        let most = sized(OPEN_MAX);
        assert_eq!(open("spec.params", &most).unwrap(), most);
        let error = open("spec.params", &sized(OPEN_MAX + 1));
        let error = error.unwrap_err().to_string();
        assert!(error.contains("spec.params"), "{error}");
        assert!(error.contains("262144"), "{error}");
    }
}
