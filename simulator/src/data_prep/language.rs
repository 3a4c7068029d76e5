//! The language of calculated fields, as far as one can tell without evaluating it.

use serde_json::{Value, json};

use super::errors::invalid;
use crate::http::{Answer, Request};

/// The functions that an expression may call.
const FUNCTIONS: &[&str] = &[
    "add_to_array",
    "arrays_to_object",
    "arrays_to_objects",
    "coalesce",
    "concat",
    "contains_key",
    "crc32",
    "date",
    "date_diff",
    "date_part",
    "decode",
    "dformat",
    "equals",
    "equalsIgnoreCase",
    "explode",
    "extract_regex",
    "first",
    "format",
    "get_keys",
    "get_url_host",
    "get_url_path",
    "get_url_port",
    "get_url_protocol",
    "get_url_query_str",
    "get_values",
    "guid",
    "iif",
    "instr",
    "is_empty",
    "is_set",
    "join",
    "join_arrays",
    "json_to_object",
    "last",
    "lcase",
    "lower",
    "lpad",
    "ltrim",
    "make_date_time",
    "map_get_values",
    "map_has_keys",
    "matches_regex",
    "max",
    "md5",
    "min",
    "now",
    "nullify",
    "object_to_map",
    "replacestr",
    "right",
    "left",
    "rpad",
    "rtrim",
    "set_date_part",
    "sha1",
    "sha256",
    "sha512",
    "size_of",
    "split",
    "str_to_object",
    "substr",
    "timestamp",
    "to_array",
    "to_bigint",
    "to_decimal",
    "to_float",
    "to_integer",
    "to_map",
    "to_object",
    "trim",
    "ua_agent_name",
    "ua_agent_version",
    "ua_device_class",
    "ua_os_class",
    "ua_os_name",
    "ua_os_version",
    "ucase",
    "upper",
    "uuid",
    "zone_date_to_utc",
    "zone_date_to_zone",
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
    let functions: Vec<_> = FUNCTIONS
        .iter()
        .map(|name| json!({ "function": name }))
        .collect();
    Answer::json(200, functions.into())
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
    matches!(word, "and" | "or" | "not" | "div" | "mod") || FUNCTIONS.contains(&word)
}

fn opening(closing: char) -> char {
    match closing {
        ')' => '(',
        ']' => '[',
        _ => '{',
    }
}
