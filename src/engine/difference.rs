//! What a change changes, in the words of the spec: for events.

use std::fmt;

use serde_json::Value;

use super::mark::Mark;

/// Longest text of one value.
const LONGEST: usize = 80;

/// One field that is changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    what: String,
    /// Old and new value; none where nobody may read them.
    values: Option<(Value, Value)>,
}

impl Difference {
    /// A field, such as `spec.name`, with what Adobe holds and what it is given; `null` is nothing.
    #[must_use]
    pub fn new(field: &str, old: impl Into<Value>, new: impl Into<Value>) -> Self {
        Self {
            what: format!("`{field}`"),
            values: Some((old.into(), new.into())),
        }
    }

    /// A field whose values may be secret: it is only named.
    #[must_use]
    pub fn hidden(field: &str) -> Self {
        Self {
            what: format!("`{field}`"),
            values: None,
        }
    }

    /// The owner mark, if it is another one.
    #[must_use]
    pub fn mark(old: Option<&Mark>, new: &Mark) -> Option<Self> {
        let what = "the owner mark".to_owned();
        let values = None;
        (old != Some(new)).then_some(Self { what, values })
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        match &self.values {
            Some((old, new)) => write!(f, " {} → {}", shown(old), shown(new)),
            None => Ok(()),
        }
    }
}

/// A value as a line of text that is not too long.
fn shown(value: &Value) -> String {
    let text = match value {
        Value::Null => return "none".into(),
        Value::String(text) if text.is_empty() => return "none".into(),
        Value::String(text) => text.replace(char::is_control, " "),
        other => other.to_string(),
    };
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("`{}…`", &text[..end]),
        None => format!("`{text}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_names_the_field_and_both_values() {
        let told = |old: Value, new: Value| Difference::new("spec.name", old, new).to_string();
        assert_eq!(told("a".into(), "b".into()), "`spec.name` `a` → `b`");
        assert_eq!(told(Value::Null, 5.into()), "`spec.name` none → `5`");
        assert_eq!(told("a\nb".into(), "".into()), "`spec.name` `a b` → none");
    }

    #[test]
    fn a_long_value_is_cut_between_characters() {
        let long = "ö".repeat(LONGEST + 1);
        let told = Difference::new("spec.name", long, true).to_string();
        let cut = "ö".repeat(LONGEST);
        assert_eq!(told, format!("`spec.name` `{cut}…` → `true`"));
    }

    #[test]
    fn of_a_secret_only_the_field_is_named() {
        let told = Difference::hidden("spec.auth.secretParams").to_string();
        assert_eq!(told, "`spec.auth.secretParams`");
    }
}
