//! Values that users may write, odd ones among them.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

/// Texts in which something could be taken for more than text.
const ODD: [&str; 20] = [
    "\"quoted\" & 'quoted'",
    "name==\"x\"",
    "back\\slash\\",
    "a,b*c",
    "!not",
    "==",
    "line\nbreak\ttab\r\n",
    " space around ",
    "%20?a=b&c=d#e+f",
    "~0~1/..",
    "[aep-operator:team/default/Dataflow/team/other]",
    "[aep-operator:",
    "]",
    "{\"a\": [1]}",
    "null",
    "True",
    "007",
    "1.0",
    "application/vnd.adobe.xed-full+json; version=1.0",
    "Größe 漢字 🙂 e\u{301}",
];

/// A text that is not empty.
pub(in crate::kinds) fn text() -> BoxedStrategy<String> {
    let long = "x".repeat(255);
    let odd = select(&ODD[..]).prop_map(String::from);
    prop_oneof![4 => "[a-zA-Z_]{1,12}", 2 => "\\PC{1,12}", 3 => odd, 1 => Just(long)].boxed()
}

/// A description; an empty one is none, and blank ones are next to none.
pub(in crate::kinds) fn description() -> BoxedStrategy<Value> {
    let blank = select(vec!["", " ", "\n"]).prop_map(Value::from);
    prop_oneof![3 => text().prop_map(Value::from), 1 => blank].boxed()
}

/// Anything that JSON can say.
pub(in crate::kinds) fn json() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    let nested = leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![vec(inner.clone(), 0..3).prop_map(Value::from), map(inner)]
    });
    nested.boxed()
}

/// An object that is passed on as it is.
pub(in crate::kinds) fn object() -> BoxedStrategy<Value> {
    map(json())
}

fn map(values: impl Strategy<Value = Value> + 'static) -> BoxedStrategy<Value> {
    let entries = btree_map(text(), values, 0..3);
    entries.prop_map(|it| it.into_iter().collect()).boxed()
}

/// A member of an object, perhaps left out.
pub(in crate::kinds) type Member = (&'static str, BoxedStrategy<Option<Value>>);

/// A member that is there.
pub(in crate::kinds) fn with<S>(name: &'static str, value: S) -> Member
where
    S: Strategy<Value: Into<Value>> + 'static,
{
    (name, value.prop_map(|it| Some(it.into())).boxed())
}

/// A member that may be left out.
pub(in crate::kinds) fn perhaps<S>(name: &'static str, value: S) -> Member
where
    S: Strategy<Value: Into<Value>> + 'static,
{
    let value = value.prop_map(Into::into);
    (name, prop::option::of(value).boxed())
}

/// An object of these members.
pub(in crate::kinds) fn members(members: Vec<Member>) -> BoxedStrategy<Value> {
    let (names, values): (Vec<_>, Vec<_>) = members.into_iter().unzip();
    let object = values.prop_map(move |values| {
        let all = names.iter().zip(values);
        all.filter_map(|(name, value)| Some(((*name).to_owned(), value?)))
            .collect()
    });
    object.boxed()
}

/// One of some values.
pub(in crate::kinds) fn one_of<T>(values: impl IntoIterator<Item = T>) -> BoxedStrategy<Value>
where
    T: Into<Value>,
{
    let values: Vec<Value> = values.into_iter().map(Into::into).collect();
    select(values).boxed()
}
