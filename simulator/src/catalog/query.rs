//! Which data sets a listing shows, and what of each.

use std::cmp::Ordering;

use regex::Regex;
use serde_json::{Map, Value};

use super::errors::bad_request;
use crate::http::{Answer, Request};
use crate::registry::filter::{self, Filter, plain};

const DEFAULT_LIMIT: usize = 20;

/// Members that can be filtered by their own name.
const FILTERABLE: [&str; 9] = [
    "name",
    "description",
    "version",
    "created",
    "updated",
    "createdClient",
    "createdUser",
    "updatedUser",
    "enableErrorDiagnostics",
];

/// How many data sets fit on a page: 1 to 100, and fewer with the large `observableSchema`.
pub(super) fn limit(request: &Request) -> Result<usize, Answer> {
    let observable = properties(request).is_some_and(|p| p.contains(&"observableSchema"));
    let largest = if observable { 20 } else { 100 };
    match request.query("limit").map(str::parse::<usize>) {
        None => Ok(DEFAULT_LIMIT),
        Some(Ok(limit)) if (1..=largest).contains(&limit) => Ok(limit),
        Some(_) => Err(bad_request(&format!(
            "Please supply a valid query limit: (1 - {largest})"
        ))),
    }
}

/// The offset of the first data set shown.
pub(super) fn start(request: &Request) -> Result<usize, Answer> {
    match request.query("start").map(str::parse) {
        None => Ok(0),
        Some(Ok(start)) => Ok(start),
        Some(Err(_)) => Err(bad_request("Please supply a valid query start")),
    }
}

/// Whether a data set passes every filter of the request.
pub(super) fn passes(request: &Request, data_set: &Value) -> bool {
    request
        .query
        .iter()
        .all(|(name, given)| match name.as_str() {
            "property" => Filter::parse(given).matches(data_set),
            "tags" => given.split(',').all(|pair| has_tag(data_set, pair)),
            name if FILTERABLE.contains(&name) => has_value(data_set.get(name), given),
            _ => true,
        })
}

/// `value`, `a,b` for either, `!value` for neither, with wildcards.
pub(super) fn has_value(value: Option<&Value>, given: &str) -> bool {
    let (negated, given) = given
        .strip_prefix('!')
        .map_or((false, given), |g| (true, g));
    let found = value
        .map(plain)
        .is_some_and(|text| given.split(',').any(|pattern| is_like(&text, pattern)));
    found != negated
}

/// `namespace:value`, split at the first colon, since values may contain more.
fn has_tag(data_set: &Value, pair: &str) -> bool {
    let (namespace, pattern) = pair.split_once(':').unwrap_or((pair, "*"));
    let tags = data_set.get("tags").and_then(Value::as_object);
    tags.into_iter()
        .flatten()
        .filter(|(name, _)| is_like(name, namespace))
        .filter_map(|(_, values)| values.as_array())
        .flatten()
        .any(|value| is_like(&plain(value), pattern))
}

/// `*` stands for anything, `**` for a star.
fn is_like(text: &str, pattern: &str) -> bool {
    let literal: Vec<_> = pattern
        .split("**")
        .map(|part| {
            part.split('*')
                .map(regex::escape)
                .collect::<Vec<_>>()
                .join(".*")
        })
        .collect();
    Regex::new(&format!("(?s)^{}$", literal.join(r"\*"))).is_ok_and(|r| r.is_match(text))
}

/// Orders data sets by `orderBy=asc:name,desc:created`; a field without direction has that of the one before.
pub(super) fn order(request: &Request, items: &mut [(&str, &Value)]) {
    let mut descending = false;
    let mut keys = Vec::new();
    for word in request
        .query("orderBy")
        .unwrap_or_default()
        .split(',')
        .filter(|w| !w.is_empty())
    {
        let key = match word.split_once(':') {
            Some((direction, key)) => {
                descending = direction == "desc";
                key
            }
            None => word,
        };
        keys.push((key, descending));
    }
    items.sort_by(|(_, a), (_, b)| {
        let compare = |(key, descending): &(&str, bool)| {
            let ascending = filter::order(a.get(*key), b.get(*key));
            if *descending {
                ascending.reverse()
            } else {
                ascending
            }
        };
        keys.iter()
            .map(compare)
            .find(|o| o.is_ne())
            .unwrap_or(Ordering::Equal)
    });
}

fn properties(request: &Request) -> Option<Vec<&str>> {
    request
        .query("properties")
        .map(|p| p.split(',').map(str::trim).collect())
}

/// The members that `properties=` asks for; absent ones are left out.
pub(super) fn projected(request: &Request, data_set: &Value) -> Value {
    let Some(properties) = properties(request) else {
        return data_set.clone();
    };
    properties
        .into_iter()
        .filter_map(|key| Some((key.to_owned(), data_set.get(key)?.clone())))
        .collect::<Map<_, _>>()
        .into()
}
