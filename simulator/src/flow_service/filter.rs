//! The `property` filter of every listing.

use serde_json::Value;

use super::problem::Problem;
use crate::profile::Profile;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// One condition: a path, an operator and the values of which one must fit.
#[derive(Debug)]
pub(super) struct Condition {
    path: String,
    operator: Operator,
    values: Vec<String>,
}

/// Reads one `property` parameter. A text without operator is a projection, which filters nothing.
pub(super) fn parse(
    text: &str,
    fields: &[&str],
    profile: Profile,
) -> Result<Vec<Condition>, Problem> {
    let parts = text
        .split('&')
        .map(|part| part.strip_prefix("property=").unwrap_or(part));
    parts
        .filter_map(|part| condition(part, fields, profile).transpose())
        .collect()
}

fn condition(text: &str, fields: &[&str], profile: Profile) -> Result<Option<Condition>, Problem> {
    let Some(at) = text.find(['=', '!', '<', '>', '~']) else {
        return Ok(None);
    };
    let path = text[..at].trim().to_owned();
    let (operator, rest) = operator(&text[at..], profile)?;
    let head = path.split(['.', '[']).next().unwrap_or_default();
    if !fields.contains(&head) {
        return Err(Problem::bad(
            1449,
            format!("The filter field {path} is not known."),
        ));
    }
    let values: Vec<String> = rest
        .split(',')
        .map(|value| unquoted(value.trim()).to_owned())
        .collect();
    check(&path, operator, &values)?;
    Ok(Some(Condition {
        path,
        operator,
        values,
    }))
}

fn operator(text: &str, profile: Profile) -> Result<(Operator, &str), Problem> {
    let known = [
        ("==", Operator::Equal),
        ("!=", Operator::NotEqual),
        ("<=", Operator::LessOrEqual),
        (">=", Operator::GreaterOrEqual),
        ("<", Operator::Less),
        (">", Operator::Greater),
    ];
    if text.starts_with('~') || text.starts_with("=~") {
        return Err(Problem::bad(
            1440,
            "The operator ~ is not supported in filters.",
        ));
    }
    let found = known
        .iter()
        .find_map(|(sign, operator)| Some((*operator, text.strip_prefix(sign)?)));
    let single = (profile == Profile::Lenient)
        .then(|| text.strip_prefix('='))
        .flatten();
    found
        .or(single.map(|rest| (Operator::Equal, rest)))
        .ok_or_else(|| {
            Problem::bad(
                1450,
                format!("The filter has an invalid operator near {text}."),
            )
        })
}

fn unquoted(value: &str) -> &str {
    value
        .strip_prefix('"')
        .and_then(|v| v.strip_suffix('"'))
        .unwrap_or(value)
}

fn check(path: &str, operator: Operator, values: &[String]) -> Result<(), Problem> {
    let range = !matches!(operator, Operator::Equal | Operator::NotEqual);
    if values.iter().any(String::is_empty) {
        return Err(Problem::bad(
            1453,
            format!("The filter on {path} has an empty value."),
        ));
    }
    if range && path == "id" {
        return Err(Problem::bad(1448, "Range operators cannot be used on id."));
    }
    if range && values.len() > 1 {
        return Err(Problem::bad(1443, "Range operators take a single value."));
    }
    let is_time = path == "createdAt" || path == "updatedAt" || path.ends_with("AtUTC");
    if is_time && values.iter().any(|value| value.parse::<f64>().is_err()) {
        return Err(Problem::bad(
            1452,
            format!("The filter on {path} needs a number."),
        ));
    }
    Ok(())
}

impl Condition {
    /// Whether an object fits.
    pub(super) fn matches(&self, object: &Value) -> bool {
        let mut found = Vec::new();
        collect(object, &self.path, &mut found);
        let status = self.path.ends_with("status");
        let any = |test: &dyn Fn(&Value, &str) -> bool| {
            found
                .iter()
                .any(|value| self.values.iter().any(|wanted| test(value, wanted)))
        };
        match self.operator {
            Operator::Equal => any(&|value, wanted| equal(value, wanted, status)),
            Operator::NotEqual => !any(&|value, wanted| equal(value, wanted, status)),
            Operator::Less => {
                any(&|value, wanted| order(value, wanted).is_some_and(std::cmp::Ordering::is_lt))
            }
            Operator::LessOrEqual => {
                any(&|value, wanted| order(value, wanted).is_some_and(std::cmp::Ordering::is_le))
            }
            Operator::Greater => {
                any(&|value, wanted| order(value, wanted).is_some_and(std::cmp::Ordering::is_gt))
            }
            Operator::GreaterOrEqual => {
                any(&|value, wanted| order(value, wanted).is_some_and(std::cmp::Ordering::is_ge))
            }
        }
    }
}

/// Every value at a dotted path; `[]` after a name goes into the elements of an array.
pub(super) fn collect<'v>(value: &'v Value, path: &str, found: &mut Vec<&'v Value>) {
    let (head, rest) = path
        .split_once('.')
        .map_or((path, None), |(head, rest)| (head, Some(rest)));
    let (name, elements) = head
        .strip_suffix("[]")
        .map_or((head, false), |name| (name, true));
    let Some(member) = value.get(name) else {
        return;
    };
    let members: &[Value] = match member.as_array() {
        Some(array) if elements => array,
        _ => std::slice::from_ref(member),
    };
    for member in members {
        match rest {
            Some(rest) => collect(member, rest, found),
            None => found.push(member),
        }
    }
}

fn equal(value: &Value, wanted: &str, ignore_case: bool) -> bool {
    match value {
        Value::String(text) => text == wanted || (ignore_case && text.eq_ignore_ascii_case(wanted)),
        Value::Bool(flag) => wanted.eq_ignore_ascii_case(&flag.to_string()),
        Value::Number(_) => order(value, wanted).is_some_and(std::cmp::Ordering::is_eq),
        _ => false,
    }
}

fn order(value: &Value, wanted: &str) -> Option<std::cmp::Ordering> {
    match value {
        Value::Number(number) => number.as_f64()?.partial_cmp(&wanted.parse().ok()?),
        Value::String(text) => Some(text.as_str().cmp(wanted)),
        _ => None,
    }
}
