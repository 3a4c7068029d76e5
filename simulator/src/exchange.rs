//! One call from the first byte to the last: reading it, letting things go wrong, answering, noting it down.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::{
    body::Body as HttpBody,
    extract::{ConnectInfo, Request as HttpRequest, State as Shared},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use serde_json::Value;
use tokio::{sync::watch, time::sleep};

use crate::faults::Effect;
use crate::http::{Answer, Body};
use crate::incoming::Incoming;
use crate::state::State;
use crate::wire::Cutter;
use crate::{admin, gateway};

/// What all connections share.
#[derive(Debug)]
pub(crate) struct House {
    state: Mutex<State>,
    /// Turns `true` when the simulator stops.
    pub(crate) stopping: watch::Sender<bool>,
    pub(crate) url: String,
}

impl House {
    pub(crate) fn new(state: State, url: String) -> Self {
        Self {
            state: Mutex::new(state),
            stopping: watch::Sender::new(false),
            url,
        }
    }

    /// The state, for a moment. A panic elsewhere leaves it usable.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a call, answers it, and notes it down.
pub(crate) async fn handle(
    Shared(house): Shared<Arc<House>>,
    ConnectInfo(cutter): ConnectInfo<Cutter>,
    http: HttpRequest,
) -> Response {
    let request_id = house.state().ids.uuid();
    let Some(mut incoming) = Incoming::read(http, request_id).await else {
        return response(Answer::empty(400));
    };
    if incoming
        .request
        .path
        .first()
        .is_some_and(|first| first == "_sim")
    {
        return response(admin::answer(&incoming.request, &mut house.state()));
    }
    let (effect, latency) = prepare(&incoming, &house);
    sleep(latency / 2).await;
    if let Some(Effect::Delay(millis)) = &effect {
        sleep(Duration::from_millis(*millis)).await;
    }
    if let (Some(Effect::Cut(longest)), Some(body)) = (&effect, &mut incoming.request.body) {
        cut(body, *longest);
    }
    if let Some(Effect::Late(millis)) = effect {
        tokio::spawn(late(incoming, millis, house));
        cutter.cut();
        return response(Answer::empty(500));
    }
    let Some(answer) = work(&incoming, effect.as_ref(), &house) else {
        return no_answer(effect.as_ref(), &cutter, &house).await;
    };
    sleep(latency / 2).await;
    if effect == Some(Effect::Truncate) {
        response(truncated(answer))
    } else {
        response(answer)
    }
}

/// What goes wrong with this call, and how long it takes.
fn prepare(incoming: &Incoming, house: &House) -> (Option<Effect>, Duration) {
    let mut state = house.state();
    (
        state.faults.strike(&incoming.target()),
        state.settings.latency,
    )
}

/// Does the work, as far as the fault lets it, and notes the call down. `None` means that no answer goes out.
fn work(incoming: &Incoming, effect: Option<&Effect>, house: &House) -> Option<Answer> {
    let state = &mut *house.state();
    let answer = match effect {
        Some(Effect::Answer(reply)) => Some(reply.answer()),
        Some(Effect::ExpiredToken) => Some(gateway::expired_token()),
        Some(Effect::DropBefore | Effect::HangBefore) => None,
        Some(Effect::DropAfter | Effect::HangAfter | Effect::Late(_)) => {
            gateway::answer(incoming, state);
            None
        }
        Some(Effect::AnswerAfter(reply)) => {
            gateway::answer(incoming, state);
            Some(reply.answer())
        }
        Some(Effect::Delay(_) | Effect::Truncate | Effect::Cut(_)) | None => {
            Some(gateway::answer(incoming, state))
        }
    };
    let request_id = incoming.request.header("x-request-id").unwrap_or_default();
    let answer = answer.map(|answer| answer.with_header("x-request-id", request_id));
    let bodies = state.calls.wants_bodies();
    let call = incoming.call(answer.as_ref(), effect.is_some(), state.now_ms(), bodies);
    let url = format!("{}{}", house.url, incoming.url());
    state.calls.push(
        call,
        &url,
        answer.as_ref().map_or(&[], |answer| &answer.headers),
    );
    answer
}

/// Shortens the description in the body of a create or of a patch.
fn cut(body: &mut Value, longest: usize) {
    let member = match body {
        Value::Array(instructions) => {
            let mut instructions = instructions.iter_mut();
            let about = instructions.find(|it| it["path"] == "/description");
            about.and_then(|it| it.get_mut("value"))
        }
        body => body.get_mut("description"),
    };
    if let Some(Value::String(text)) = member {
        *text = text.chars().take(longest).collect();
    }
}

async fn late(incoming: Incoming, millis: u64, house: Arc<House>) {
    sleep(Duration::from_millis(millis)).await;
    // Nobody waits for the answer any more.
    let _ = work(&incoming, Some(&Effect::Late(millis)), &house);
}

async fn no_answer(effect: Option<&Effect>, cutter: &Cutter, house: &House) -> Response {
    if matches!(effect, Some(Effect::HangBefore | Effect::HangAfter)) {
        // An error only means that the simulator is gone already.
        let _ = house
            .stopping
            .subscribe()
            .wait_for(|stopping| *stopping)
            .await;
    }
    cutter.cut();
    response(Answer::empty(500))
}

/// The first half of a JSON answer, as an answer that looks complete.
fn truncated(answer: Answer) -> Answer {
    let text = match &answer.body {
        Body::Json(value) => value.to_string(),
        Body::Text { text, .. } => text.clone(),
        Body::Empty => String::new(),
    };
    let half = text.chars().take(text.chars().count() / 2).collect();
    Answer {
        body: Body::Text {
            content_type: "application/json",
            text: half,
        },
        ..answer
    }
}

fn response(answer: Answer) -> Response {
    let (content_type, bytes) = match answer.body {
        Body::Empty => (None, Vec::new()),
        Body::Json(value) => (Some("application/json"), value.to_string().into_bytes()),
        Body::Text { content_type, text } => (Some(content_type), text.into_bytes()),
    };
    let mut response = Response::new(HttpBody::from(bytes));
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Some(content_type) = content_type {
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
