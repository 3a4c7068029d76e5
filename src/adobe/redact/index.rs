//! Which pieces of text belong to a secret value.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;

/// Values of fewer bytes are not recognised at all: every second word would be one.
const SHORTEST: usize = 4;
/// Any so many consecutive bytes of a value are recognised; a shorter value only as a whole.
const PIECE: usize = 8;
/// The same where text decodes from base64: eight characters hold at least so many whole bytes.
const BASE64_PIECE: usize = 5;
/// Of longer values, only the beginning and the end are recognised, half of this each.
const LONGEST: usize = 16 << 10;

/// Hashes of the pieces of all values, and how many values have each. They are keyed, so nothing can be read from them.
#[derive(Default)]
pub(super) struct Index {
    keys: RandomState,
    pieces: HashMap<u64, u32>,
    /// How many pieces of each length there are, in plain text and in what decodes from base64.
    lengths: [[u32; PIECE + 1]; 2],
}

#[derive(Clone, Copy)]
enum Space {
    Plain,
    Base64,
}

impl Index {
    pub(super) fn add(&mut self, value: &[u8]) {
        for (space, piece) in pieces(value) {
            *self.pieces.entry(self.hash(space, piece)).or_default() += 1;
            self.lengths[space as usize][piece.len()] += 1;
        }
    }

    pub(super) fn remove(&mut self, value: &[u8]) {
        for (space, piece) in pieces(value) {
            let hash = self.hash(space, piece);
            if let Some(count) = self.pieces.get_mut(&hash) {
                *count -= 1;
                if *count == 0 {
                    self.pieces.remove(&hash);
                }
                self.lengths[space as usize][piece.len()] -= 1;
            }
        }
    }

    /// Where pieces of values stand.
    pub(super) fn plain(&self, text: &[u8]) -> Vec<Range<usize>> {
        let found = self.lengths_of(Space::Plain).flat_map(|length| {
            let windows = text.windows(length).enumerate();
            let hits = windows.filter(|(_, piece)| self.has(Space::Plain, piece));
            hits.map(move |(at, _)| at..at + length)
        });
        found.collect()
    }

    /// Whether a piece of a value is in what was decoded from base64.
    pub(super) fn is_in_base64(&self, decoded: &[u8]) -> bool {
        let mut windows = self
            .lengths_of(Space::Base64)
            .flat_map(|length| decoded.windows(length));
        windows.any(|piece| self.has(Space::Base64, piece))
    }

    fn lengths_of(&self, space: Space) -> impl Iterator<Item = usize> {
        let counts = self.lengths[space as usize].into_iter().enumerate();
        counts.filter(|(_, count)| *count > 0).map(|(it, _)| it)
    }

    fn has(&self, space: Space, piece: &[u8]) -> bool {
        self.pieces.contains_key(&self.hash(space, piece))
    }

    fn hash(&self, space: Space, piece: &[u8]) -> u64 {
        self.keys.hash_one((space as u8, piece))
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty() && self.lengths == [[0; PIECE + 1]; 2]
    }
}

fn pieces(value: &[u8]) -> impl Iterator<Item = (Space, &[u8])> {
    let value = without_scheme(value);
    let parts = if value.len() > LONGEST {
        let (head, tail) = (LONGEST / 2, value.len() - LONGEST / 2);
        [&value[..head], &value[tail..]]
    } else {
        [value, &[]]
    };
    let parts = parts.into_iter().filter(|part| part.len() >= SHORTEST);
    parts.flat_map(|part| {
        let windows = |space, most: usize| {
            let all = part.windows(most.min(part.len()));
            all.map(move |piece| (space, piece))
        };
        windows(Space::Plain, PIECE).chain(windows(Space::Base64, BASE64_PIECE))
    })
}

/// The scheme of a URL is no secret, and in many texts.
fn without_scheme(value: &[u8]) -> &[u8] {
    let end = value.windows(3).position(|it| it == b"://");
    let rest = end.map_or(value, |at| &value[at + 3..]);
    if rest.len() >= PIECE { rest } else { value }
}
