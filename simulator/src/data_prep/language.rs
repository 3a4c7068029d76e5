//! The language of calculated fields, as far as one can tell without evaluating it.

use serde_json::{Value, json};

use super::errors::invalid;
use crate::http::{Answer, Request};

/// Every documented function that an expression may call, by category. Adobe's specification spells two of the
/// categories; the others are the headings of its guide.
#[rustfmt::skip]
const FUNCTIONS: &[(&str, &[&str])] = &[
    ("String", &[
        "concat", "equals", "equalsIgnoreCase", "explode", "instr", "join", "lcase", "left", "lower", "lpad", "ltrim",
        "replacestr", "right", "rpad", "rtrim", "split", "substr", "trim", "ucase", "upper",
    ]),
    ("Regular Expression", &["extract_regex", "matches_regex"]),
    ("Hashing", &["crc32", "md5", "sha1", "sha256", "sha512"]),
    ("URL", &[
        "get_url_decoded", "get_url_encoded", "get_url_host", "get_url_path", "get_url_port", "get_url_protocol",
        "get_url_query_str",
    ]),
    ("Date / Time", &[
        "date", "date_diff", "date_part", "dformat", "format", "make_date_time", "make_timestamp", "now", "set_date_part",
        "timestamp", "zone_date_to_utc", "zone_date_to_zone",
    ]),
    ("Hierarchies - Objects", &[
        "add_to_map", "arrays_to_object", "arrays_to_objects", "contains_key", "get", "get_keys", "get_values", "is_empty",
        "is_set", "map_get_values", "map_has_keys", "nullify", "object_to_map", "str_to_object", "to_object",
    ]),
    ("Hierarchies - Arrays", &[
        "add_to_array", "array_to_string", "coalesce", "filterArray", "first", "flattenArray", "join_arrays", "last",
        "size_of", "to_array", "transformArray", "upsert_array_append", "upsert_array_replace",
    ]),
    ("Hierarchies - Map", &["array_to_map", "to_map"]),
    ("Logical Operators", &["decode", "iif"]),
    ("Aggregation", &["max", "min"]),
    ("Type Conversions", &["to_bigint", "to_decimal", "to_float", "to_integer"]),
    ("JSON", &["json_to_object"]),
    ("Special Operations", &["fpid_to_ecid", "guid", "uuid"]),
    ("User Agent", &[
        "ua_agent_name", "ua_agent_version", "ua_agent_version_major", "ua_device_class", "ua_os_name",
        "ua_os_name_version", "ua_os_version", "ua_os_version_major",
    ]),
    ("Analytics", &[
        "aa_get_event_id", "aa_get_event_value", "aa_get_product_categories", "aa_get_product_evars",
        "aa_get_product_event_values", "aa_get_product_names", "aa_get_product_prices", "aa_get_product_quantity",
    ]),
];

/// Answers `POST /languages/el/validate` with a bare `true` or `false`.
pub(super) fn answer(request: &Request) -> Result<Answer, Answer> {
    let expression = request
        .body
        .as_ref()
        .and_then(|b| b.get("expression"))
        .and_then(Value::as_str);
    let expression = expression.ok_or_else(|| invalid("expression must be a string"))?;
    Ok(Answer::json(200, is_valid(expression).into()))
}

/// Answers `GET /languages/el/functions` with the names that are known here.
pub(super) fn functions() -> Answer {
    let described = |(category, names): &(&str, &[&str])| -> Vec<Value> {
        let described = |name| json!({ "category": category, "function": name });
        names.iter().map(described).collect()
    };
    Answer::json(200, FUNCTIONS.iter().flat_map(described).collect())
}

/// Whether brackets and quotes close, and every function that is called exists.
pub(super) fn is_valid(expression: &str) -> bool {
    let mut open = Vec::new();
    let mut word = String::new();
    let mut ended = false;
    let mut chars = expression.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' | '\'' if !skip_text(&mut chars, c) => return false,
            '$' if chars.as_str().starts_with('{') && !chars.any(|c| c == '}') => return false,
            '(' if !word.is_empty() && !is_callable(&word) => return false,
            '(' | '[' | '{' => open.push(c),
            ')' | ']' | '}' if open.pop() != Some(opening(c)) => return false,
            _ => {}
        }
        // A word stays the last one over the space that may precede its bracket.
        if c.is_alphanumeric() || c == '_' {
            if std::mem::take(&mut ended) {
                word.clear();
            }
            word.push(c);
        } else if c.is_whitespace() {
            ended = true;
        } else {
            word.clear();
        }
    }
    open.is_empty() && !expression.trim().is_empty()
}

/// Skips to the end of a quoted text; `false` if it has none.
fn skip_text(chars: &mut std::str::Chars<'_>, quote: char) -> bool {
    while let Some(c) = chars.next() {
        if c == '\\' {
            chars.next();
        } else if c == quote {
            return true;
        }
    }
    false
}

/// Operators such as `and` may stand before a bracket, too.
fn is_callable(word: &str) -> bool {
    matches!(word, "and" | "or" | "not" | "div" | "mod")
        || FUNCTIONS.iter().any(|(_, names)| names.contains(&word))
}

fn opening(closing: char) -> char {
    match closing {
        ')' => '(',
        ']' => '[',
        _ => '{',
    }
}
