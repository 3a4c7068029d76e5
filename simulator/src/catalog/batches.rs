//! Batches: what was ingested into data sets.

use serde_json::{Map, Value, json};

use super::{errors, query};
use crate::http::{Answer, Request};
use crate::world::{Context, Ids, Sandbox};

/// Members that can be filtered by their own name.
const FILTERABLE: [&str; 5] = ["status", "createdClient", "version", "created", "updated"];

/// Answers `GET /batches`.
pub(super) fn list(
    request: &Request,
    sandbox: &Sandbox,
    cx: &Context<'_>,
) -> Result<Answer, Answer> {
    let (limit, start) = (query::limit(request)?, query::start(request)?);
    let listed = sandbox.batches.listed(cx.now_ms, cx.list_lag_ms);
    let mut items: Vec<_> = listed.filter(|(_, batch)| passes(request, batch)).collect();
    query::order(request, &mut items);
    let page = items.into_iter().skip(start).take(limit);
    let page: Map<_, _> = page
        .map(|(id, batch)| (id.to_owned(), query::projected(request, batch)))
        .collect();
    Ok(Answer::json(200, page.into()))
}

/// Answers `GET /batches/{id}`.
pub(super) fn look_up(id: &str, request: &Request, sandbox: &Sandbox) -> Result<Answer, Answer> {
    let batch = sandbox.batches.get(id).ok_or_else(errors::no_batch)?;
    let shown = query::projected(request, batch);
    Ok(Answer::json(200, json!({ id: shown })))
}

fn passes(request: &Request, batch: &Value) -> bool {
    request
        .query
        .iter()
        .all(|(name, given)| match name.as_str() {
            "dataSet" => batch["relatedObjects"][0]["id"] == given.as_str(),
            name if FILTERABLE.contains(&name) => query::has_value(batch.get(name), given),
            _ => true,
        })
}

/// Ingests a batch of records into a data set, and answers with its id; `None` if there is no such data set.
pub(crate) fn ingest(
    data_set: &str,
    records: u64,
    at_ms: i64,
    sandbox: &mut Sandbox,
    ids: &mut Ids,
) -> Option<String> {
    let id = ids.hex(26).to_uppercase();
    let held = sandbox.data_sets.get_mut(data_set)?;
    held["lastBatchId"] = json!(id);
    held["lastBatchStatus"] = json!("success");
    held["lastSuccessfulBatch"] = json!(id);
    let batch = json!({
        "imsOrg": held["imsOrg"], "created": at_ms, "updated": at_ms, "started": at_ms, "completed": at_ms,
        "createdClient": "acp_foundation_push", "createdUser": "acp_foundation_push@AdobeID",
        "updatedUser": "acp_foundation_dataTracker@AdobeID", "version": "1.0.0", "status": "success",
        "recordCount": records, "failedRecordCount": 0, "size": records * 170,
        "relatedObjects": [{ "type": "dataSet", "id": data_set }],
    });
    sandbox.batches.insert(id.clone(), batch, at_ms);
    Some(id)
}

/// The batches of a data set go with it.
pub(super) fn forget(data_set: &str, now_ms: i64, sandbox: &mut Sandbox) {
    let of_it = |batch: &Value| batch["relatedObjects"][0]["id"] == data_set;
    let ids = sandbox.batches.iter().filter(|(_, batch)| of_it(batch));
    let ids: Vec<_> = ids.map(|(id, _)| id.to_owned()).collect();
    for id in ids {
        sandbox.batches.remove(&id, now_ms);
    }
}
