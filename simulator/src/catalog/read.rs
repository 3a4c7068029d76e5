//! Listings and lookups of data sets: always a map from id to data set, even of one.

use serde_json::{Map, Value};

use super::{errors, query, text};
use crate::http::{Answer, Request};
use crate::world::{Context, Sandbox};

/// Answers `GET /dataSets`.
pub(super) fn list(
    request: &Request,
    sandbox: &Sandbox,
    cx: &Context<'_>,
) -> Result<Answer, Answer> {
    let (limit, start) = (query::limit(request)?, query::start(request)?);
    let listed = sandbox.data_sets.listed(cx.now_ms, cx.list_lag_ms);
    let mut items: Vec<_> = listed
        .filter(|(_, data_set)| query::passes(request, data_set))
        .collect();
    query::order(request, &mut items);
    let page: Map<_, _> = items
        .into_iter()
        .skip(start)
        .take(limit)
        .map(|(id, data_set)| (id.to_owned(), query::projected(request, data_set)))
        .collect();
    Ok(Answer::json(200, page.into()))
}

/// Answers `GET /dataSets/{id}`.
pub(super) fn look_up(id: &str, request: &Request, sandbox: &Sandbox) -> Result<Answer, Answer> {
    let data_set = sandbox.data_sets.get(id).ok_or_else(errors::not_found)?;
    let shown = query::projected(request, data_set);
    let body = Value::Object([(id.to_owned(), shown)].into_iter().collect());
    Ok(Answer::json(200, body).with_header("E-Tag", text(data_set, "version")))
}
