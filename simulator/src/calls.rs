//! The log of calls: what was asked, what was answered, and how often.

use std::{
    collections::{BTreeMap, VecDeque},
    fs::File,
    io::{BufWriter, Write},
    sync::Arc,
};

use serde::Serialize;
use serde_json::{Value, json};

/// One call and its answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    /// Counts up from 1.
    pub sequence: u64,
    /// Milliseconds since the epoch, by the simulator's clock.
    pub time_ms: i64,
    /// HTTP method.
    pub method: String,
    /// `ims`, `flow`, `registry`, `catalog`, `data-prep`, `sandbox`, `identity`, or empty for an unknown route.
    pub service: String,
    /// Path below the service's base path.
    pub path: String,
    /// The path with its ids replaced, such as `/flows/{id}`.
    pub route: String,
    /// Decoded query parameters.
    pub query: Vec<(String, String)>,
    /// The `x-sandbox-name` header, or nothing.
    pub sandbox: String,
    /// Request headers, with credentials redacted.
    pub headers: Vec<(String, String)>,
    /// Request body, if it was JSON.
    pub body: Option<Value>,
    /// Status of the answer; 0 if the caller got none.
    pub status: u16,
    /// Body of the answer, if it was JSON; only the latest calls have it.
    pub answer: Option<Value>,
    /// Whether a fault struck.
    pub faulted: bool,
}

/// How many of the latest calls are kept with the bodies of their answers: listings are large.
const KEEP_ANSWERS: usize = 1000;

/// What is kept of all calls.
#[derive(Debug)]
pub(crate) struct CallLog {
    calls: VecDeque<Arc<Call>>,
    keep: usize,
    counts: BTreeMap<(String, String, String), u64>,
    next: u64,
    record: Option<BufWriter<File>>,
}

impl CallLog {
    pub(crate) fn new(keep: usize, record: Option<File>) -> Self {
        let record = record.map(BufWriter::new);
        Self {
            calls: VecDeque::new(),
            keep,
            counts: BTreeMap::new(),
            next: 1,
            record,
        }
    }

    /// Notes a call; `url` and `answer_headers` go to the record only.
    pub(crate) fn push(&mut self, mut call: Call, url: &str, answer_headers: &[(String, String)]) {
        call.sequence = self.next;
        self.next += 1;
        let key = (
            call.method.clone(),
            call.service.clone(),
            call.route.clone(),
        );
        *self.counts.entry(key).or_default() += 1;
        self.write(&call, url, answer_headers);
        if self.calls.len() == self.keep {
            self.calls.pop_front();
        }
        if self.keep > 0 {
            self.calls.push_back(Arc::new(call));
        }
        if let Some(index) = self.calls.len().checked_sub(KEEP_ANSWERS + 1) {
            Arc::make_mut(&mut self.calls[index]).answer = None;
        }
    }

    /// Whether anybody will ever look at bodies.
    pub(crate) fn wants_bodies(&self) -> bool {
        self.keep > 0 || self.record.is_some()
    }

    fn write(&mut self, call: &Call, url: &str, answer_headers: &[(String, String)]) {
        let Some(file) = &mut self.record else { return };
        let line = json!({
            "sequence": call.sequence, "timeMs": call.time_ms, "service": call.service, "faulted": call.faulted,
            "request": { "method": call.method, "url": url, "headers": call.headers, "body": call.body },
            "response": { "status": call.status, "headers": answer_headers, "body": call.answer },
        });
        if let Err(error) = writeln!(file, "{line}").and_then(|()| file.flush()) {
            tracing::warn!(%error, "cannot write the record of calls; recording ends");
            self.record = None;
        }
    }

    pub(crate) fn calls(&self) -> impl Iterator<Item = &Arc<Call>> {
        self.calls.iter()
    }

    /// How many calls had this method and route (or path below a service's base path).
    pub(crate) fn count(&self, method: &str, route: &str) -> u64 {
        let counted = self
            .counts
            .iter()
            .filter(|((m, _, r), _)| m == method && r == route);
        counted.map(|(_, count)| count).sum()
    }

    /// Counts by `METHOD service route`.
    pub(crate) fn counts(&self) -> BTreeMap<String, u64> {
        self.counts
            .iter()
            .map(|((m, s, r), count)| (format!("{m} {s} {r}"), *count))
            .collect()
    }

    pub(crate) fn clear(&mut self) {
        self.calls.clear();
        self.counts.clear();
    }
}

/// Path segments that are words of the APIs; every other segment is an id.
const WORDS: &[&str] = &[
    "connections",
    "connectionSpecs",
    "sourceConnections",
    "targetConnections",
    "flowSpecs",
    "flows",
    "runs",
    "action",
    "test",
    "explore",
    "configs",
    "search",
    "tenant",
    "global",
    "schemas",
    "classes",
    "fieldgroups",
    "mixins",
    "datatypes",
    "descriptors",
    "unions",
    "stats",
    "rpc",
    "export",
    "import",
    "sampledata",
    "behaviors",
    "dataSets",
    "datasets",
    "batches",
    "v2",
    "tags",
    "views",
    "files",
    "mappingSets",
    "mappings",
    "validate",
    "preview",
    "schemas",
    "conversion",
    "languages",
    "el",
    "sandboxes",
    "sandboxTypes",
    "identities",
    "ims",
    "token",
    "v3",
    "exchange",
    "jwt",
    "v1",
    "auditlog",
    "batches",
    "dataSetFiles",
    "labels",
    "functions",
];

/// The path with its ids replaced by `{id}`.
pub(crate) fn route_template(segments: &[String]) -> String {
    let mut route: String = segments
        .iter()
        .map(|s| {
            if WORDS.contains(&s.as_str()) {
                format!("/{s}")
            } else {
                "/{id}".to_owned()
            }
        })
        .collect();
    if route.is_empty() {
        route.push('/');
    }
    route
}
