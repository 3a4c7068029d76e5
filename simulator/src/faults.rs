//! Faults that can be ordered: which calls they hit, how often, and what goes wrong.

use std::time::{Duration, SystemTime};

use rand::{Rng, SeedableRng, rngs::StdRng};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::http::{Answer, Body};

/// How often a fault strikes among the calls it matches.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Times {
    /// The next so many calls, then never again.
    Next(u32),
    /// Every call until the faults are cleared.
    Every,
    /// Each call with this probability, from 0 to 1.
    Chance(f64),
}

/// An answer that a fault gives in place of the service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Extra headers.
    pub headers: Vec<(String, String)>,
    /// A JSON body.
    pub json: Option<Value>,
    /// An HTML body, if there is no JSON body.
    pub html: Option<String>,
}

impl Reply {
    /// A reply without a body.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    /// A reply with a JSON body.
    #[must_use]
    pub fn json(status: u16, body: Value) -> Self {
        Self {
            status,
            json: Some(body),
            ..Self::default()
        }
    }

    /// A reply with an HTML body, as proxies on the way give.
    #[must_use]
    pub fn html(status: u16) -> Self {
        let html = format!("<html><body><h1>{status}</h1></body></html>");
        Self {
            status,
            html: Some(html),
            ..Self::default()
        }
    }

    /// The gateway's 429, with `Retry-After` in seconds if a time is given.
    #[must_use]
    pub fn throttled(retry_after: Option<Duration>) -> Self {
        let body = json!({ "error_code": "429050", "message": "Too many requests" });
        let headers = retry_after.map(|t| ("retry-after".to_owned(), t.as_secs().to_string()));
        Self {
            headers: headers.into_iter().collect(),
            ..Self::json(429, body)
        }
    }

    /// The gateway's 429 with `Retry-After` as a date.
    #[must_use]
    pub fn throttled_until(time: SystemTime) -> Self {
        let headers = vec![("retry-after".to_owned(), httpdate::fmt_http_date(time))];
        Self {
            headers,
            ..Self::throttled(None)
        }
    }

    pub(crate) fn answer(&self) -> Answer {
        let body = match (&self.json, &self.html) {
            (Some(value), _) => Body::Json(value.clone()),
            (None, Some(text)) => Body::Text {
                content_type: "text/html",
                text: text.clone(),
            },
            (None, None) => Body::Empty,
        };
        Answer {
            status: self.status,
            headers: self.headers.clone(),
            body,
        }
    }
}

/// What goes wrong. "Before" means that the service never saw the call, "after" that it did all the work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Effect {
    /// This reply; the service never sees the call.
    Answer(Reply),
    /// This reply although the service did the work.
    AnswerAfter(Reply),
    /// The gateway says that the token has expired.
    ExpiredToken,
    /// The call takes so many milliseconds longer.
    Delay(u64),
    /// The connection is reset before the work.
    DropBefore,
    /// The connection is reset after the work.
    DropAfter,
    /// The connection is reset, and the work is done so many milliseconds later: a gateway gave up on a service that is
    /// still at it.
    Late(u64),
    /// No answer ever comes and the work is not done.
    HangBefore,
    /// No answer ever comes although the work is done.
    HangAfter,
    /// The work is done and the JSON answer ends in the middle.
    Truncate,
    /// Of the description that is written, so many characters are kept.
    Cut(usize),
}

/// One fault: a matcher, how often, and an effect. Matcher fields left out match every call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// HTTP method.
    #[serde(default)]
    pub method: Option<String>,
    /// `ims`, `flow`, `registry`, `catalog`, `data-prep` or `sandbox`.
    #[serde(default)]
    pub service: Option<String>,
    /// A part of the path below the service's base path, or the whole route, such as `/flows/{id}`.
    #[serde(default)]
    pub path: Option<String>,
    /// Sandbox name as the caller sent it.
    #[serde(default)]
    pub sandbox: Option<String>,
    /// A text that the request's body contains.
    #[serde(default)]
    pub body: Option<String>,
    /// How often; the next call only by default.
    #[serde(default = "once")]
    pub times: Times,
    /// What goes wrong.
    pub effect: Effect,
}

fn once() -> Times {
    Times::Next(1)
}

impl Fault {
    /// A fault that hits the next call, whatever it is.
    #[must_use]
    pub fn new(effect: Effect) -> Self {
        Self {
            method: None,
            service: None,
            path: None,
            sandbox: None,
            body: None,
            times: once(),
            effect,
        }
    }

    /// A fault that answers in place of the service.
    #[must_use]
    pub fn answer(reply: Reply) -> Self {
        Self::new(Effect::Answer(reply))
    }

    /// Only calls with this method.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_uppercase());
        self
    }

    /// Only calls to this service.
    #[must_use]
    pub fn service(mut self, service: &str) -> Self {
        self.service = Some(service.to_owned());
        self
    }

    /// Only calls whose path contains this text, or whose route is exactly this.
    #[must_use]
    pub fn path(mut self, path: &str) -> Self {
        self.path = Some(path.to_owned());
        self
    }

    /// Only calls for this sandbox.
    #[must_use]
    pub fn sandbox(mut self, sandbox: &str) -> Self {
        self.sandbox = Some(sandbox.to_owned());
        self
    }

    /// Only calls whose body contains this text.
    #[must_use]
    pub fn body(mut self, text: &str) -> Self {
        self.body = Some(text.to_owned());
        self
    }

    /// How often.
    #[must_use]
    pub fn times(mut self, times: Times) -> Self {
        self.times = times;
        self
    }

    fn matches(&self, target: &Target<'_>) -> bool {
        let is = |wanted: &Option<String>, actual: &str| {
            wanted
                .as_ref()
                .is_none_or(|w| w.eq_ignore_ascii_case(actual))
        };
        is(&self.method, target.method)
            && is(&self.service, target.service)
            && is(&self.sandbox, target.sandbox)
            && self
                .path
                .as_ref()
                .is_none_or(|p| target.route == p || target.path.contains(p.as_str()))
            && self
                .body
                .as_ref()
                .is_none_or(|text| target.body.contains(text.as_str()))
    }
}

/// What a matcher looks at.
#[derive(Debug)]
pub(crate) struct Target<'a> {
    pub(crate) method: &'a str,
    pub(crate) service: &'a str,
    pub(crate) route: &'a str,
    pub(crate) path: &'a str,
    pub(crate) sandbox: &'a str,
    pub(crate) body: &'a str,
}

/// The faults ordered and not used up.
#[derive(Debug)]
pub(crate) struct Faults {
    list: Vec<Fault>,
    dice: StdRng,
}

impl Faults {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self {
            list: Vec::new(),
            dice: StdRng::seed_from_u64(seed),
        }
    }

    pub(crate) fn list(&self) -> &[Fault] {
        &self.list
    }

    pub(crate) fn inject(&mut self, fault: Fault) {
        self.list.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.list.clear();
    }

    /// What goes wrong with this call: the oldest fault that matches and strikes.
    pub(crate) fn strike(&mut self, target: &Target<'_>) -> Option<Effect> {
        let dice = &mut self.dice;
        let index = self.list.iter().position(|fault| {
            fault.matches(target) && !matches!(fault.times, Times::Chance(chance) if !dice.random_bool(chance.clamp(0.0, 1.0)))
        })?;
        let fault = &mut self.list[index];
        let effect = fault.effect.clone();
        if let Times::Next(left) = &mut fault.times {
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.list.remove(index);
            }
        }
        Some(effect)
    }
}
