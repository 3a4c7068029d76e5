//! Kubernetes events: collected during a reconcile, published after its status was written.

use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};

/// Kubernetes refuses a note of more than 1024 bytes.
const LONGEST_NOTE: usize = 1000;

/// Who writes events. Recorders count events of one reason about one object and keep the note of the first: that is right for
/// trouble that comes back, but what was done differs from time to time.
pub(super) struct Recorders {
    client: Client,
    reporter: Reporter,
    counting: Recorder,
}

impl Recorders {
    pub(super) fn new(client: Client, reporter: Reporter) -> Self {
        Self {
            counting: Recorder::new(client.clone(), reporter.clone()),
            client,
            reporter,
        }
    }

    fn of(&self, type_: EventType) -> Recorder {
        match type_ {
            EventType::Normal => Recorder::new(self.client.clone(), self.reporter.clone()),
            EventType::Warning => self.counting.clone(),
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

    /// Publishes them. An event that cannot be written is not worth a failed reconcile.
    pub(super) async fn publish(&mut self, recorders: &Recorders, about: &ObjectReference) {
        for Collected {
            type_,
            reason,
            note,
            object,
        } in self.0.drain(..)
        {
            let event = Event {
                type_,
                reason,
                note: Some(cut(&note)),
                action: "Reconcile".into(),
                secondary: object.map(|name| ObjectReference {
                    name: Some(name),
                    ..ObjectReference::default()
                }),
            };
            let recorder = recorders.of(type_);
            if let Err(error) = recorder.publish(&event, about).await {
                tracing::debug!(%error, "event not written");
            }
        }
    }
}

fn cut(note: &str) -> String {
    let chars = note.char_indices();
    let fitting = chars.take_while(|(at, c)| at + c.len_utf8() <= LONGEST_NOTE);
    fitting.map(|(_, c)| c).collect()
}
