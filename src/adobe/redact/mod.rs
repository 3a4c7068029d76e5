//! Redacts secrets in text that comes from outside: Adobe's words may repeat what was sent, in any spelling.
//!
//! One redactor per Sandbox knows every secret value that was resolved there. It keeps keyed hashes of their pieces, so one
//! look-up per position finds all of them, however many there are. Encoded text is decoded, not every value encoded.

mod index;
mod patterns;
#[cfg(test)]
mod tests;
mod view;

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use secrecy::{ExposeSecret, SecretString};

use self::index::Index;
use self::view::View;

/// What stands in place of a secret.
const MASK: &str = "***";
/// So many values that are no longer in use are still recognised.
const ROTATED: usize = 64;
/// Text beyond what is shown that is searched as well, in characters: a value that is cut off there is still recognised.
const MARGIN: usize = 128;
/// Shorter values of a call's own body are not looked for: redacting them would ruin any text.
const SHORTEST_OF_CALL: usize = 5;

/// Secret and key.
type Source = (String, String);

/// Every secret value that was resolved for one Sandbox.
#[derive(Default)]
pub struct Redactor(Mutex<State>);

#[derive(Default)]
struct State {
    current: HashMap<Source, SecretString>,
    rotated: VecDeque<SecretString>,
    index: Index,
}

impl Redactor {
    /// From now on the value of this key of a Secret is recognised; so is the one that it replaces, for a while.
    pub fn learn(&self, secret: &str, key: &str, value: &SecretString) {
        let mut state = self.state();
        let source = (secret.to_owned(), key.to_owned());
        let before = state.current.get(&source);
        if before.is_some_and(|it| it.expose_secret() == value.expose_secret()) {
            return;
        }
        state.index.add(value.expose_secret().as_bytes());
        let before = state.current.insert(source, value.clone());
        state.rotate(before);
    }

    /// The Secret is gone. Its values are still recognised, for a while.
    pub fn retire(&self, secret: &str) {
        let mut state = self.state();
        let gone: Vec<_> = state
            .current
            .extract_if(|(of, _), _| of == secret)
            .map(|(_, value)| value)
            .collect();
        state.rotate(gone);
    }

    /// At most the first `shown` characters of a text, without secrets.
    pub(super) fn redact(&self, text: &str, shown: usize) -> String {
        self.redact_also(text, shown, &[])
    }

    /// The same, also without the values in the body of a call, some of which may be secret.
    pub(super) fn redact_also(&self, text: &str, shown: usize, of_call: &[&str]) -> String {
        let searched = head(text, shown.saturating_add(MARGIN));
        let limit = head(text, shown).len();
        let mut spans = self.spans(searched, of_call);
        spans.sort_by_key(|it| it.start);
        let mut clean = String::new();
        let mut at = 0;
        for span in spans {
            let (start, end) = (
                floor(searched, span.start).max(at),
                ceil(searched, span.end),
            );
            if start >= limit {
                break;
            }
            if end <= at {
                continue;
            }
            // Pieces of one value are masked together.
            if start > at || at == 0 {
                clean.push_str(&text[at..start]);
                clean.push_str(MASK);
            }
            at = end;
        }
        if at < limit {
            clean.push_str(&text[at..limit]);
        }
        if limit < text.len() {
            clean.push('…');
        }
        clean
    }

    fn spans(&self, text: &str, of_call: &[&str]) -> Vec<Range<usize>> {
        let mut spans = Vec::new();
        let views = View::of(text).decoded();
        let state = self.state();
        for view in &views {
            let whole = of_call.iter().filter(|it| it.len() >= SHORTEST_OF_CALL);
            let whole = whole.flat_map(|it| view.positions(it.as_bytes()));
            spans.extend(whole.map(|it| view.source(it)));
            let patterns = patterns::find(&view.bytes).into_iter();
            spans.extend(patterns.map(|it| view.source(it)));
            let pieces = state.index.plain(&view.bytes).into_iter();
            spans.extend(pieces.map(|it| view.source(it)));
            for run in view.base64() {
                let hides = |it: &View| {
                    let of_call = || {
                        let mut long = of_call.iter().filter(|it| it.len() >= SHORTEST_OF_CALL);
                        long.any(|value| it.positions(value.as_bytes()).next().is_some())
                    };
                    state.index.is_in_base64(&it.bytes) || of_call()
                };
                if run.decoded.iter().any(hides) {
                    spans.push(view.source(run.range));
                }
            }
        }
        spans
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while holding it, and every state in between is a valid one.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn rotate(&mut self, values: impl IntoIterator<Item = SecretString>) {
        self.rotated.extend(values);
        while self.rotated.len() > ROTATED {
            if let Some(value) = self.rotated.pop_front() {
                self.index.remove(value.expose_secret().as_bytes());
            }
        }
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").finish_non_exhaustive()
    }
}

/// The first so many characters.
fn head(text: &str, most: usize) -> &str {
    match text.char_indices().nth(most) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

fn floor(text: &str, at: usize) -> usize {
    let boundary = |at: &usize| text.is_char_boundary(*at);
    (0..=at).rev().find(boundary).unwrap_or_default()
}

fn ceil(text: &str, at: usize) -> usize {
    let boundary = |at: &usize| text.is_char_boundary(*at);
    (at..text.len()).find(boundary).unwrap_or(text.len())
}
