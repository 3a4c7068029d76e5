//! Listings: filter, order, count and pages.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::filter::{self, Condition};
use super::problem::Problem;
use crate::http::{Answer, Request};
use crate::profile::Profile;

/// What can be listed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listing {
    /// The resource, as in the path.
    pub(super) resource: &'static str,
    /// The top-level fields that filters and orders may name.
    pub(super) fields: &'static [&'static str],
    /// Whether the listing comes in pages. The catalogues of specs come whole.
    pub(super) paged: bool,
}

/// The page size if none is asked for: small, so that nobody gets away with reading one page.
const DEFAULT_LIMIT: usize = 20;
const MAX_LIMIT: usize = 100;
const PARAMETERS: &[&str] = &["property", "limit", "orderby", "continuationToken", "count"];

/// Where a listing goes on, and what it was asked for at the start.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Cursor {
    offset: usize,
    after: String,
    limit: Option<usize>,
    order: Option<String>,
    properties: Vec<String>,
}

impl Cursor {
    fn token(&self) -> String {
        let text = serde_json::to_vec(self).unwrap_or_default();
        text.iter()
            .flat_map(|b| [b >> 4, b & 15])
            .filter_map(|d| char::from_digit(d.into(), 16))
            .collect()
    }

    fn read(token: &str) -> Option<Self> {
        let digits: Vec<u8> = token
            .chars()
            .map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok()))
            .collect::<Option<_>>()?;
        let bytes: Vec<u8> = digits
            .chunks(2)
            .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit))
            .collect();
        serde_json::from_slice(&bytes).ok()
    }
}

/// Refuses query parameters that a call does not have.
pub(super) fn allow_query(request: &Request, allowed: &[&str]) -> Result<(), Problem> {
    match request
        .query
        .iter()
        .find(|(name, _)| !allowed.contains(&name.as_str()))
    {
        Some((name, _)) => Err(Problem::bad(
            1451,
            format!("The query parameter {name} is not known."),
        )),
        None => Ok(()),
    }
}

/// Answers a listing of these objects; `show` makes what the caller may see of one.
pub(super) fn list<'v>(
    request: &Request,
    listing: Listing,
    objects: impl Iterator<Item = &'v Value>,
    profile: Profile,
    show: impl Fn(&Value) -> Value,
) -> Result<Answer, Problem> {
    allow_query(
        request,
        if listing.paged {
            PARAMETERS
        } else {
            &PARAMETERS[..1]
        },
    )?;
    let counting = request
        .query("count")
        .is_some_and(|value| value.eq_ignore_ascii_case("true"));
    if counting && request.query("limit").is_some() {
        return Err(Problem::bad(
            1401,
            "limit and count cannot be used together.",
        ));
    }
    let cursor = cursor(request, profile)?;
    let mut found = filtered(objects, &cursor, listing, profile)?;
    if counting {
        return Ok(Answer::json(200, json!({ "count": found.len() })));
    }
    sort(&mut found, cursor.order.as_deref(), listing)?;
    Ok(page(&found, cursor, listing, show))
}

fn page(
    found: &[&Value],
    cursor: Cursor,
    listing: Listing,
    show: impl Fn(&Value) -> Value,
) -> Answer {
    let limit = if listing.paged {
        cursor.limit.unwrap_or(DEFAULT_LIMIT)
    } else {
        usize::MAX
    };
    let start = start(found, &cursor).min(found.len());
    let end = start.saturating_add(limit).min(found.len());
    let items: Vec<Value> = found[start..end]
        .iter()
        .map(|object| show(object))
        .collect();
    let mut links = json!({});
    if end < found.len() {
        let after = found[end - 1]["id"].as_str().unwrap_or_default().to_owned();
        let token = Cursor {
            offset: end,
            after,
            ..cursor
        }
        .token();
        links["next"] =
            json!({ "href": format!("/{}?continuationToken={token}", listing.resource) });
    }
    Answer::json(200, json!({ "items": items, "_links": links }))
}

/// The cursor of the token, if any, overruled by what the request repeats.
fn cursor(request: &Request, profile: Profile) -> Result<Cursor, Problem> {
    let mut cursor = match request.query("continuationToken") {
        Some(token) => Cursor::read(token)
            .ok_or_else(|| Problem::bad(1452, "The continuationToken is invalid."))?,
        None => Cursor::default(),
    };
    if let Some(text) = request.query("limit") {
        cursor.limit = Some(limit(text, profile)?);
    }
    if let Some(order) = request.query("orderby") {
        cursor.order = Some(order.to_owned());
    }
    let properties: Vec<String> = request.queries("property").map(str::to_owned).collect();
    if !properties.is_empty() {
        cursor.properties = properties;
    }
    Ok(cursor)
}

fn limit(text: &str, profile: Profile) -> Result<usize, Problem> {
    let limit = text.parse().ok().filter(|limit| *limit > 0);
    let limit = limit.filter(|limit| profile == Profile::Lenient || *limit <= MAX_LIMIT);
    limit
        .map(|limit: usize| limit.min(MAX_LIMIT))
        .ok_or_else(|| Problem::bad(1452, format!("limit cannot be {text}.")))
}

fn filtered<'v>(
    objects: impl Iterator<Item = &'v Value>,
    cursor: &Cursor,
    listing: Listing,
    profile: Profile,
) -> Result<Vec<&'v Value>, Problem> {
    let parsed: Vec<Vec<Condition>> = cursor
        .properties
        .iter()
        .map(|text| filter::parse(text, listing.fields, profile))
        .collect::<Result<_, _>>()?;
    let conditions: Vec<Condition> = parsed.into_iter().flatten().collect();
    Ok(objects
        .filter(|object| conditions.iter().all(|condition| condition.matches(object)))
        .collect())
}

/// Right after the last object of the page before; by number if that object has gone.
fn start(found: &[&Value], cursor: &Cursor) -> usize {
    if cursor.offset == 0 {
        return 0;
    }
    let last = found
        .iter()
        .position(|object| object["id"] == cursor.after.as_str());
    last.map_or(cursor.offset, |index| index + 1)
}

fn sort(found: &mut [&Value], order: Option<&str>, listing: Listing) -> Result<(), Problem> {
    let Some(order) = order else { return Ok(()) };
    let mut keys = Vec::new();
    for key in order.split(',') {
        // An unencoded `+` arrives as a space.
        let (path, descending) = key
            .strip_prefix('-')
            .map_or((key.trim_start_matches(['+', ' ']), false), |p| (p, true));
        if path.is_empty() {
            return Err(Problem::bad(1433, "orderby needs a field."));
        }
        if !listing
            .fields
            .contains(&path.split(['.', '[']).next().unwrap_or_default())
        {
            return Err(Problem::bad(
                1432,
                format!("orderby cannot use the field {path}."),
            ));
        }
        keys.push((path, descending));
    }
    found.sort_by(|a, b| {
        let orders = keys.iter().map(|(path, descending)| {
            let order = compare(a, b, path);
            if *descending { order.reverse() } else { order }
        });
        orders.fold(Ordering::Equal, Ordering::then)
    });
    Ok(())
}

fn compare(a: &Value, b: &Value, path: &str) -> Ordering {
    let first = |value| {
        let mut found = Vec::new();
        filter::collect(value, path, &mut found);
        found.first().copied()
    };
    match (first(a), first(b)) {
        (Some(Value::Number(a)), Some(Value::Number(b))) => a
            .as_f64()
            .partial_cmp(&b.as_f64())
            .unwrap_or(Ordering::Equal),
        (Some(a), Some(b)) => a.as_str().cmp(&b.as_str()),
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}
