//! Listings of mapping sets: the newest version of each.

use serde_json::{Value, json};

use super::errors::invalid;
use super::sets::latest;
use crate::http::{Answer, Request};
use crate::profile::Profile;
use crate::registry::filter::{self, Filter};
use crate::world::{Context, Sandbox};

const DEFAULT_LIMIT: usize = 10;

/// Answers `GET /mappingSets`.
pub(super) fn answer(
    request: &Request,
    sandbox: &Sandbox,
    cx: &Context<'_>,
) -> Result<Answer, Answer> {
    let limit = number(request, "limit", DEFAULT_LIMIT, cx)?;
    let start = number(request, "start", 0, cx)?;
    let filters: Vec<_> = request.queries("property").map(Filter::parse).collect();
    let listed = sandbox.mapping_sets.listed(cx.now_ms, cx.list_lag_ms);
    let mut sets: Vec<_> = listed
        .filter_map(|(_, stored)| latest(Some(stored)))
        .filter(|set| {
            request
                .query("name")
                .is_none_or(|name| set.get("name").is_some_and(|n| n == name))
        })
        .filter(|set| filters.iter().all(|f| f.matches(set)))
        .collect();
    order(request, &mut sets);
    let total = sets.len();
    let data: Vec<_> = sets.into_iter().skip(start).take(limit).collect();
    let end = start + data.len();
    let next = format!("/data/foundation/conversion/mappingSets?limit={limit}&start={end}");
    let links = if end < total {
        json!({ "next": { "href": next } })
    } else {
        json!({})
    };
    let page = json!({ "count": data.len(), "limit": limit });
    Ok(Answer::json(
        200,
        json!({ "data": data, "_page": page, "_links": links }),
    ))
}

/// Both numbers are documented as required; a live service was seen to do without.
fn number(
    request: &Request,
    name: &str,
    default: usize,
    cx: &Context<'_>,
) -> Result<usize, Answer> {
    match request.query(name) {
        None if cx.profile == Profile::Lenient => Ok(default),
        None => Err(invalid(&format!("{name} is required"))),
        Some(given) => given
            .parse()
            .map_err(|_| invalid(&format!("{name} must be a number"))),
    }
}

/// `+` may arrive as the space that it means in a query.
fn order(request: &Request, sets: &mut [&Value]) {
    let Some(given) = request.query("orderBy").map(str::trim) else {
        return;
    };
    let descending = given.starts_with('-');
    let key = match given.trim_start_matches(['+', '-']) {
        "updatedDate" | "lastUpdateDate" => "modifiedDate",
        key => key,
    };
    sets.sort_by(|a, b| {
        let ascending = filter::order(a.get(key), b.get(key));
        if descending {
            ascending.reverse()
        } else {
            ascending
        }
    });
}
