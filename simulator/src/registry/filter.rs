//! `property=` filters, as the registry, Catalog and Data Prep understand them.

use std::cmp::Ordering;

use regex::Regex;
use serde_json::Value;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Exists,
    Absent,
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Matches,
}

/// One `property=` expression, such as `title==Payments` or `meta:extends!=…` or just `meta:class`.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    key: String,
    operator: Operator,
    value: String,
}

impl Filter {
    /// Reads an expression: the operator is the first one found; without any, the property must exist.
    pub(crate) fn parse(expression: &str) -> Self {
        let operator = expression.char_indices().find_map(|(at, _)| {
            starting_operator(&expression[at..]).map(|(op, len)| (at, op, len))
        });
        let (key, operator, value) = match (operator, expression.strip_prefix('!')) {
            (Some((at, op, len)), _) => (&expression[..at], op, &expression[at + len..]),
            (None, Some(key)) => (key, Operator::Absent, ""),
            (None, None) => (expression, Operator::Exists, ""),
        };
        Self {
            key: key.trim().to_owned(),
            operator,
            value: value.trim().to_owned(),
        }
    }

    /// Whether an object passes. An array passes `==` if any element does, and `!=` if none equals.
    pub(crate) fn matches(&self, object: &Value) -> bool {
        let values = match field(object, &self.key) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(items)) => items.iter().collect(),
            Some(value) => vec![value],
        };
        match self.operator {
            Operator::Exists => !values.is_empty(),
            Operator::Absent => values.is_empty(),
            Operator::Unequal => !values.iter().any(|v| plain(v) == self.value),
            _ => values.iter().any(|v| self.holds(v)),
        }
    }

    fn holds(&self, value: &Value) -> bool {
        let text = plain(value);
        let order = order_against(value, &self.value);
        match self.operator {
            Operator::Equal => text == self.value,
            Operator::Less => order == Ordering::Less,
            Operator::LessOrEqual => order != Ordering::Greater,
            Operator::Greater => order == Ordering::Greater,
            Operator::GreaterOrEqual => order != Ordering::Less,
            Operator::Matches => Regex::new(&self.value).is_ok_and(|r| r.is_match(&text)),
            Operator::Exists | Operator::Absent | Operator::Unequal => false,
        }
    }
}

fn starting_operator(rest: &str) -> Option<(Operator, usize)> {
    const OPERATORS: [(&str, Operator); 7] = [
        ("==", Operator::Equal),
        ("!=", Operator::Unequal),
        ("<=", Operator::LessOrEqual),
        (">=", Operator::GreaterOrEqual),
        ("<", Operator::Less),
        (">", Operator::Greater),
        ("~", Operator::Matches),
    ];
    OPERATORS
        .iter()
        .find(|(sign, _)| rest.starts_with(sign))
        .map(|(sign, operator)| (*operator, sign.len()))
}

/// A member by name; failing that, by a dotted path; `updated` and `created` also name the registry's dates.
pub(crate) fn field<'a>(object: &'a Value, key: &str) -> Option<&'a Value> {
    if let Some(value) = object.get(key) {
        return Some(value);
    }
    let metadata = object.get("meta:registryMetadata");
    match key {
        "updated" => metadata?.get("repo:lastModifiedDate"),
        "created" => metadata?.get("repo:createdDate"),
        _ => key
            .split('.')
            .try_fold(object, |inner, step| inner.get(step)),
    }
}

/// A value as it would be typed into a query.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// How a stored value compares with one from a query: as numbers if both are, otherwise as text.
pub(crate) fn order_against(value: &Value, given: &str) -> Ordering {
    match (value.as_f64(), given.parse::<f64>()) {
        (Some(left), Ok(right)) => left.total_cmp(&right),
        _ => plain(value).as_str().cmp(given),
    }
}

/// How two stored values compare; absent ones come first.
pub(crate) fn order(left: Option<&Value>, right: Option<&Value>) -> Ordering {
    match (left, right) {
        (Some(left), Some(right)) => order_against(left, &plain(right)),
        (left, right) => left.is_some().cmp(&right.is_some()),
    }
}
