//! What the registry tells about a tenant as a whole.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::kind::Kind;
use super::{filter, find, text, view};
use crate::collection::Collection;
use crate::http::Answer;
use crate::world::{Context, Sandbox};

/// How many resources the "recently" lists show.
const RECENT: usize = 10;

/// Answers `GET /stats`.
pub(super) fn answer(sandbox: &Sandbox, cx: &Context<'_>) -> Answer {
    let classes = classes(sandbox);
    let unions = of(sandbox, Kind::Schema)
        .filter(|schema| super::union::is_enabled(schema))
        .map(|schema| text(schema, "meta:class"))
        .collect::<std::collections::BTreeSet<_>>()
        .len();
    Answer::json(
        200,
        json!({
            "imsOrg": cx.ims_org,
            "tenantId": cx.tenant,
            "counts": {
                "schemas": of(sandbox, Kind::Schema).count(),
                "mixins": of(sandbox, Kind::FieldGroup).count(),
                "datatypes": of(sandbox, Kind::DataType).count(),
                "classes": of(sandbox, Kind::Class).count(),
                "unions": unions,
            },
            "recentlyCreatedResources": recent(sandbox, "created"),
            "recentlyUpdatedResources": recent(sandbox, "updated"),
            "classUsage": classes,
        }),
    )
}

fn recent(sandbox: &Sandbox, date: &str) -> Vec<Value> {
    let mut all: Vec<_> = Kind::OF_TENANT
        .iter()
        .flat_map(|kind| of(sandbox, *kind))
        .collect();
    all.sort_by_key(|object| Reverse(filter::field(object, date).and_then(Value::as_i64)));
    let summary = |object: &Value| {
        let mut summary = view::summary(object);
        summary["description"] = object["description"].clone();
        summary
    };
    all.into_iter().take(RECENT).map(summary).collect()
}

fn classes(sandbox: &Sandbox) -> Vec<Value> {
    let mut usage: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for schema in of(sandbox, Kind::Schema) {
        usage
            .entry(text(schema, "meta:class"))
            .or_default()
            .push(view::summary(schema));
    }
    usage
        .into_iter()
        .map(|(class, schemas)| {
            let title = find(sandbox, class).map_or("", |c| text(c, "title"));
            json!({ "$id": class, "title": title, "numberOfSchemas": schemas.len(), "schemas": schemas })
        })
        .collect()
}

fn of(sandbox: &Sandbox, kind: Kind) -> impl Iterator<Item = &Value> {
    let collection = sandbox.registry.get(kind.collection());
    collection
        .into_iter()
        .flat_map(Collection::iter)
        .map(|(_, object)| object)
}
