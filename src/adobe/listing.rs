//! What a list shows: each object is read by itself, so one that cannot be read hides no other.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Error, Redactor, Service};

/// What identifies an object in a list, by service and type.
const IDS: [&str; 3] = ["id", "$id", "@id"];

/// What a list shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Listing<T> {
    /// What can be read.
    pub items: Vec<T>,
    /// What cannot be read, and is there all the same.
    pub unreadable: Vec<Unreadable>,
}

/// An object that cannot be read.
#[derive(Clone, Debug)]
pub struct Unreadable {
    /// Its id, if it has one.
    pub id: Option<String>,
    /// Every text in it.
    texts: Vec<String>,
    /// Why it cannot be read.
    pub error: Error,
}

impl<T> Default for Listing<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            unreadable: Vec::new(),
        }
    }
}

impl<T> Listing<T> {
    /// The same with each item as something else.
    #[must_use]
    pub fn map<U>(self, as_other: impl FnMut(T) -> U) -> Listing<U> {
        Listing {
            items: self.items.into_iter().map(as_other).collect(),
            unreadable: self.unreadable,
        }
    }
}

impl<T> IntoIterator for Listing<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

impl Unreadable {
    /// An object that has these texts, among them its id.
    #[must_use]
    pub fn new(id: &str, texts: Vec<String>, error: Error) -> Self {
        let id = Some(id.to_owned());
        Self { id, texts, error }
    }

    /// Every text in it.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(String::as_str)
    }

    /// Whether a text in it contains another one, such as the id of an object that it uses.
    #[must_use]
    pub fn mentions(&self, text: &str) -> bool {
        self.texts().any(|it| it.contains(text))
    }

    /// The same, explained in words without secrets.
    pub(super) fn redacted(self, redactor: &Redactor) -> Self {
        let error = self.error.redacted(redactor);
        Self { error, ..self }
    }
}

/// Two are the same if they say the same.
impl PartialEq for Unreadable {
    fn eq(&self, other: &Self) -> bool {
        (&self.id, &self.texts) == (&other.id, &other.texts)
    }
}

/// One item of a list, readable or not.
pub(super) enum Item<T> {
    /// It can be read.
    Read(T),
    /// It cannot be read.
    Odd(
        Box<RawValue>,
        Box<serde_path_to_error::Error<serde_json::Error>>,
    ),
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Item<T> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = Box::<RawValue>::deserialize(input)?;
        let mut json = serde_json::Deserializer::from_str(text.get());
        match serde_path_to_error::deserialize(&mut json) {
            Ok(item) => Ok(Self::Read(item)),
            Err(error) => Ok(Self::Odd(text, Box::new(error))),
        }
    }
}

impl<T> Item<T> {
    /// What can be read, changed by `settle`, or why it cannot be read; `id` is that of an object that does not hold it itself.
    pub(super) fn split<U>(
        self,
        service: Service,
        id: Option<String>,
        settle: impl FnOnce(T) -> U,
    ) -> Result<U, Unreadable> {
        match self {
            Self::Read(item) => Ok(settle(item)),
            Self::Odd(text, error) => {
                let texts = texts(text.get());
                let id = id.or_else(|| id_in(text.get()));
                let error = Error::unreadable_object(service, id.as_deref(), &error);
                Err(Unreadable { id, texts, error })
            }
        }
    }
}

fn id_in(text: &str) -> Option<String> {
    let fields: std::collections::BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
    let mut ids = IDS.iter().filter_map(|name| fields.get(*name));
    let value: Value = serde_json::from_str(ids.next()?.get()).ok()?;
    super::tolerant::as_text(&value)
}

/// Every text in a JSON text, names of fields included, however deeply it is nested.
fn texts(json: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = json;
    while let Some(begin) = rest.find('"') {
        let text = &rest[begin..];
        let end = end_of_text(text);
        found.extend(serde_json::from_str::<String>(&text[..end]));
        rest = &text[end..];
    }
    found
}

/// Where a text ends that begins with a quotation mark.
fn end_of_text(text: &str) -> usize {
    let mut escaped = false;
    for (position, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return position + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn every_text_is_found_as_it_is_meant() {
        let json = r#"{"a\"b":["[aep\u002doperator:x\/y]",1,{"c":"d\\"}],"e":"\\\""}"#;
        let found = texts(json);
        assert_eq!(
            found,
            ["a\"b", "[aep-operator:x/y]", "c", "d\\", "e", "\\\""]
        );
    }

    proptest! {
        #[test]
        fn no_text_of_an_object_is_overlooked(
            names in prop::collection::vec(any::<String>(), 0..6),
            values in prop::collection::vec(any::<String>(), 6),
        ) {
            let object: serde_json::Map<_, _> = names
                .iter()
                .cloned()
                .zip(values.iter().map(|it| json!([it])))
                .collect();
            let found = texts(&json!(object).to_string());
            for (name, value) in &object {
                prop_assert!(found.contains(name));
                let value = value[0].as_str().unwrap_or_default();
                prop_assert!(found.iter().any(|it| it == value));
            }
        }

        #[test]
        fn any_text_can_be_searched(text in any::<String>()) {
            texts(&text);
            id_in(&text);
        }
    }
}
