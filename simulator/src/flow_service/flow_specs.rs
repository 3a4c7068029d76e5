//! Flow specs: the kinds of flow there are.

use serde_json::{Value, json};

use super::connection_specs::{BATCH_PROVIDER, STREAMING_PROVIDER};
use super::page::{self, Listing, allow_query};
use super::problem::Problem;
use super::{Outcome, entity};
use crate::connectors::{Connector, DATA_LAKE, HTTP_STREAMING, Reads, SNOWFLAKE_STREAMING};
use crate::http::{Answer, Request};
use crate::profile::Profile;
use crate::world::Context;

/// One kind of flow.
#[derive(Debug)]
pub(super) struct FlowSpec {
    name: &'static str,
    pub(super) id: &'static str,
    pub(super) reads: Reads,
}

const LISTING: Listing = Listing {
    resource: "flowSpecs",
    fields: &[
        "id",
        "name",
        "providerId",
        "version",
        "sourceConnectionSpecIds",
        "targetConnectionSpecIds",
        "attributes",
        "transformationSpecs",
        "scheduleSpec",
        "optionSpec",
        "runSpec",
        "permissionsInfo",
    ],
    paged: false,
};

const ALL_FLOWS: &[FlowSpec] = &[
    FlowSpec {
        name: "CRMToAEP",
        id: "14518937-270c-4525-bdec-c2ba7cce3860",
        reads: Reads::Table,
    },
    FlowSpec {
        name: "CloudStorageToAEP",
        id: "9753525b-82c7-4dce-8a9b-5ccfce2b9876",
        reads: Reads::Files,
    },
    FlowSpec {
        name: "RestStorageToAEP",
        id: "6499120c-0b15-42dc-936e-847ea3c24d72",
        reads: Reads::Rest,
    },
    FlowSpec {
        name: "Steam data with transformation",
        id: "c1a19761-d2c7-4702-b9fa-fe91f0613e81",
        reads: Reads::Stream,
    },
    FlowSpec {
        name: "Stream data without transformation",
        id: GUESSED,
        reads: Reads::Stream,
    },
    FlowSpec {
        name: "Stream data with optional transformation",
        id: "d69717ba-71b4-4313-b654-49f9cf126d7a",
        reads: Reads::Stream,
    },
    FlowSpec {
        name: "GenericStreamingAEP",
        id: "e77fde5a-22a8-11ed-861d-0242ac120002",
        reads: Reads::Webhook,
    },
];

/// The kind of flow whose name is a guess: only its id is documented.
const GUESSED: &str = "d8a6f005-7eaf-4153-983e-e8574508b877";

/// The kind of flow with this id.
pub(super) fn find(id: &str) -> Option<&'static FlowSpec> {
    ALL_FLOWS.iter().find(|spec| spec.id == id)
}

/// Answers one request below `/flowSpecs`.
pub(super) fn answer(request: &Request, rest: &[&str], cx: &Context<'_>) -> Outcome {
    match (request.method.as_str(), rest) {
        ("GET", []) => {
            let documents: Vec<Value> = ALL_FLOWS.iter().map(|it| document(it, cx)).collect();
            page::list(request, LISTING, documents.iter(), cx.profile, Value::clone)
        }
        ("GET", [id]) => {
            allow_query(request, &["property"])?;
            let spec = find(id).ok_or_else(|| Problem::not_found("flowSpecs", id))?;
            Ok(entity::one(&document(spec, cx)))
        }
        _ => Ok(Answer::html_not_found()),
    }
}

/// Whether a kind of flow reads from a connector. Three of them read streams, each other ones.
fn fits(spec: &FlowSpec, connector: &Connector) -> bool {
    let stream = match connector.id.as_str() {
        _ if spec.reads != Reads::Stream => true,
        HTTP_STREAMING => !spec.name.contains("optional"),
        SNOWFLAKE_STREAMING => spec.name.contains("Steam"),
        _ => spec.name.contains("optional"),
    };
    stream && connector.reads == spec.reads
}

fn document(spec: &FlowSpec, cx: &Context<'_>) -> Value {
    let streaming = spec.reads.is_streaming();
    let is_guessed = spec.id == GUESSED && cx.profile == Profile::Strict;
    let sources = cx.connectors.iter().filter(|it| fits(spec, it));
    let sources: Vec<&str> = sources.map(|it| it.id.as_str()).collect();
    let mut document = json!({
        "id": spec.id, "name": if is_guessed { spec.id } else { spec.name }, "version": "1.0",
        "providerId": if streaming { STREAMING_PROVIDER } else { BATCH_PROVIDER },
        "sourceConnectionSpecIds": sources, "targetConnectionSpecIds": [DATA_LAKE],
        "transformationSpecs": transformations(spec), "optionSpec": options(),
        "attributes": { "isSourceFlow": true, "isDraftModeSupported": true, "flacValidationSupported": true,
            "frequency": if streaming { "streaming" } else { "batch" } },
    });
    if !streaming {
        document["scheduleSpec"] = schedule();
        document["runSpec"] = json!({ "name": "ProviderRefId", "type": "object", "spec": { "type": "object",
            "properties": { "startTime": { "type": "integer" }, "windowStartTime": { "type": "integer" },
                "windowEndTime": { "type": "integer" } },
            "required": ["startTime", "windowStartTime", "windowEndTime"] } });
    }
    document
}

fn transformations(spec: &FlowSpec) -> Vec<Value> {
    let copy = json!({ "name": "Copy", "spec": { "type": "object", "required": ["deltaColumn"], "properties": {
        "deltaColumn": { "type": "object", "required": ["name"], "properties": {
            "name": { "type": "string" }, "dateFormat": { "type": "string" }, "timezone": { "type": "string" } } } } } });
    let mapping = json!({ "name": "Mapping", "spec": { "type": "object", "properties": {
        "mappingId": { "type": "string" }, "mappingVersion": { "type": "string" } } } });
    match spec.reads {
        Reads::Table => vec![copy, mapping],
        _ if spec.name.contains("without") => Vec::new(),
        _ => vec![mapping],
    }
}

fn options() -> Value {
    json!({ "name": "OptionSpec", "spec": { "type": "object", "properties": {
        "errorDiagnosticsEnabled": { "type": "boolean", "default": false },
        "partialIngestionPercent": { "type": "number", "exclusiveMinimum": 0 } } } })
}

fn schedule() -> Value {
    json!({ "name": "PeriodicSchedule", "type": "Periodic", "spec": {
        "$schema": "http://json-schema.org/draft-07/schema#", "type": "object",
        "properties": {
            "startTime": { "type": "integer", "description": "epoch time in seconds" },
            "frequency": { "type": "string", "enum": ["once", "minute", "hour", "day", "week"] },
            "interval": { "type": "integer" },
            "backfill": { "type": "boolean", "default": true } },
        "required": ["startTime", "frequency"],
        "if": { "properties": { "frequency": { "const": "once" } } },
        "then": { "allOf": [{ "not": { "required": ["interval"] } }, { "not": { "required": ["backfill"] } }] },
        "else": { "required": ["interval"],
            "if": { "properties": { "frequency": { "const": "minute" } } },
            "then": { "properties": { "interval": { "minimum": 15 } } },
            "else": { "properties": { "interval": { "minimum": 1 } } } } } })
}
