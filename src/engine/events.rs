//! Kubernetes events: collected during a reconcile, queued after its status was written, published one after the other. No reconcile
//! waits for that.

use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use tokio::sync::Mutex;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::metrics::Metrics;

/// Kubernetes refuses a note of more than 1024 bytes.
const LONGEST_NOTE: usize = 1000;

/// How many events may wait to be published. What comes on top is dropped and counted, as every client of Kubernetes does.
const MOST_QUEUED: usize = 10_000;

/// Who writes events. Recorders count events of one reason about one object and keep the note of the first: that is right for
/// trouble that comes back, but what was done differs from time to time.
pub(super) struct Recorders {
    client: Client,
    reporter: Reporter,
    counting: Recorder,
    metrics: Metrics,
    queue: Sender<(Event, ObjectReference)>,
    queued: Mutex<Receiver<(Event, ObjectReference)>>,
}

impl Recorders {
    pub(super) fn new(client: Client, reporter: Reporter, metrics: Metrics) -> Self {
        let (queue, queued) = channel(MOST_QUEUED);
        Self {
            counting: Recorder::new(client.clone(), reporter.clone()),
            client,
            reporter,
            metrics,
            queue,
            queued: Mutex::new(queued),
        }
    }

    /// Publishes what is queued, and what will be. Never ends.
    pub(super) async fn run(&self) {
        let mut queued = self.queued.lock().await;
        while let Some((event, about)) = queued.recv().await {
            self.publish(&event, &about).await;
        }
    }

    /// Publishes what is queued.
    pub(super) async fn flush(&self) {
        let mut queued = self.queued.lock().await;
        while let Ok((event, about)) = queued.try_recv() {
            self.publish(&event, &about).await;
        }
    }

    /// An event that cannot be written is not worth more than a line in the log.
    async fn publish(&self, event: &Event, about: &ObjectReference) {
        let recorder = match event.type_ {
            EventType::Normal => &Recorder::new(self.client.clone(), self.reporter.clone()),
            EventType::Warning => &self.counting,
        };
        if let Err(error) = recorder.publish(event, about).await {
            tracing::debug!(%error, "event not written");
        }
    }

    fn queue(&self, event: Event, about: &ObjectReference) {
        if self.queue.try_send((event, about.clone())).is_err() {
            self.metrics.event_dropped();
        }
    }
}

/// The events of one reconcile.
#[derive(Debug, Default)]
pub struct Events(Vec<Collected>);

#[derive(Debug)]
struct Collected {
    type_: EventType,
    reason: String,
    note: String,
    /// The object at Adobe that it tells of: what happens to another one is counted by itself.
    object: Option<String>,
}

impl Events {
    /// Something worth telling, such as a create.
    pub fn normal(&mut self, reason: &str, note: String) {
        self.push(EventType::Normal, reason, note, None);
    }

    /// Something that people should know of.
    pub fn warning(&mut self, reason: &str, note: String) {
        self.push(EventType::Warning, reason, note, None);
    }

    /// The same about one of several objects at Adobe.
    pub fn warning_about(&mut self, id: &str, reason: &str, note: String) {
        self.push(EventType::Warning, reason, note, Some(id.to_owned()));
    }

    fn push(&mut self, type_: EventType, reason: &str, note: String, object: Option<String>) {
        let reason = reason.to_owned();
        self.0.push(Collected {
            type_,
            reason,
            note,
            object,
        });
    }

    /// Has them published.
    pub(super) fn publish(&mut self, recorders: &Recorders, about: &ObjectReference) {
        for collected in self.0.drain(..) {
            let secondary = collected.object.map(|name| ObjectReference {
                name: Some(name),
                ..ObjectReference::default()
            });
            let event = Event {
                type_: collected.type_,
                reason: collected.reason,
                note: Some(cut(&collected.note)),
                action: "Reconcile".into(),
                secondary,
            };
            recorders.queue(event, about);
        }
    }
}

fn cut(note: &str) -> String {
    let chars = note.char_indices();
    let fitting = chars.take_while(|(at, c)| at + c.len_utf8() <= LONGEST_NOTE);
    fitting.map(|(_, c)| c).collect()
}
