//! Reading what Adobe spells in more than one way: numbers as text, text as numbers, `null` for nothing, instants in
//! milliseconds or in ISO 8601.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// `null` reads as the default.
pub(super) fn or_default<'de, D, T>(input: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(input)?.unwrap_or_default())
}

/// Text, or a number or boolean as text; anything else is absent.
pub(super) fn text<'de, D: Deserializer<'de>>(input: D) -> Result<Option<String>, D::Error> {
    Value::deserialize(input).map(|value| as_text(&value))
}

/// A boolean, or the words `true` and `false`; anything else is absent.
pub(super) fn flag<'de, D: Deserializer<'de>>(input: D) -> Result<Option<bool>, D::Error> {
    Value::deserialize(input).map(|value| match value {
        Value::Bool(flag) => Some(flag),
        Value::String(text) => text.to_ascii_lowercase().parse().ok(),
        _ => None,
    })
}

/// An instant in milliseconds since 1970; anything unreadable is absent.
pub(super) fn millis<'de, D: Deserializer<'de>>(input: D) -> Result<Option<i64>, D::Error> {
    Value::deserialize(input).map(|value| as_millis(&value))
}

/// A list of texts; a single text is a list of one, anything else is left out.
pub(super) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().filter_map(as_text).collect(),
        other => as_text(other).into_iter().collect(),
    }
}

pub(super) fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// A whole number, spelled as a number or as text.
pub(super) fn as_integer(value: &Value) -> Option<i64> {
    match value {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "fractions carry no meaning here"
        )]
        Value::Number(number) => number
            .as_i64()
            .or_else(|| number.as_f64().map(|f| f as i64)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// An instant in milliseconds since 1970, from milliseconds or from ISO 8601 text. Text without a zone is UTC.
pub(super) fn as_millis(value: &Value) -> Option<i64> {
    as_integer(value).or_else(|| {
        let text = value.as_str()?.trim();
        let instant = text.parse::<Timestamp>().ok().or_else(|| {
            let local: DateTime = text.parse().ok()?;
            Some(local.to_zoned(TimeZone::UTC).ok()?.timestamp())
        })?;
        Some(instant.as_millisecond())
    })
}
