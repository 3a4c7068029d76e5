//! What looks like a secret although nobody knows it: `password=…`, `Basic …`, `Bearer …`.

use std::ops::Range;

/// The ends of names whose values are secret, in lower case and without `_` and `-`.
const NAMES: [&[u8]; 11] = [
    b"password",
    b"passwd",
    b"pwd",
    b"passphrase",
    b"secret",
    b"token",
    b"apikey",
    b"accesskey",
    b"accountkey",
    b"privatekey",
    b"signature",
];
const SCHEMES: [&[u8]; 2] = [b"basic ", b"bearer "];
/// Shorter words after a scheme are no credentials.
const SHORTEST: usize = 8;

/// Where values stand that must be taken for secrets.
pub(super) fn find(text: &[u8]) -> Vec<Range<usize>> {
    let assigned = (0..text.len()).filter_map(|at| assigned(text, at));
    let schemes = (0..text.len()).filter_map(|at| credentials(text, at));
    assigned.chain(schemes).collect()
}

/// The value behind the `=` or `:` at this place, if the name before it is that of a secret. A colon is also punctuation, so
/// behind one and a space only a quoted value counts.
fn assigned(text: &[u8], at: usize) -> Option<Range<usize>> {
    let is_colon = text[at] == b':';
    if !is_colon && text[at] != b'=' {
        return None;
    }
    let name = text[..at].trim_ascii_end();
    let name = name
        .strip_suffix(b"\"")
        .or(name.strip_suffix(b"'"))
        .unwrap_or(name);
    let letters = name.iter().rev().filter(|it| !matches!(it, b'_' | b'-'));
    let letters: Vec<u8> = letters.take(16).map(u8::to_ascii_lowercase).collect();
    let is_secret =
        |name: &&[u8]| letters.starts_with(&name.iter().rev().copied().collect::<Vec<_>>());
    NAMES.iter().find(|it| is_secret(it))?;
    let rest = &text[at + 1..];
    let value = rest.trim_ascii_start();
    let start = text.len() - value.len();
    let range = match value.first()? {
        quote @ (b'"' | b'\'') => {
            let length = value[1..].iter().take_while(|it| *it != quote).count();
            start + 1..start + 1 + length
        }
        _ if is_colon && value.len() < rest.len() => return None,
        _ => start..start + value.iter().take_while(|it| !ends(**it)).count(),
    };
    (!range.is_empty()).then_some(range)
}

fn ends(byte: u8) -> bool {
    byte.is_ascii_whitespace() || b";&,\"'`<>()[]{}\\".contains(&byte)
}

/// The credentials behind the name of an HTTP authentication scheme that begins at this place.
fn credentials(text: &[u8], at: usize) -> Option<Range<usize>> {
    if at > 0 && text[at - 1].is_ascii_alphanumeric() {
        return None;
    }
    let is_here = |it: &&&[u8]| {
        let here = text.get(at..at + it.len());
        here.is_some_and(|here| here.eq_ignore_ascii_case(it))
    };
    let start = at + SCHEMES.iter().find(is_here)?.len();
    let is_part = |it: &&u8| it.is_ascii_alphanumeric() || b"+/-_.~=".contains(it);
    let word = text[start..].iter().take_while(is_part).count();
    let word = &text[start..start + word];
    // `Basic Authentication` is a name.
    let is_word = word
        .iter()
        .skip(1)
        .all(|it| it.is_ascii_lowercase() || *it == b'.');
    (word.len() >= SHORTEST && !is_word).then(|| start..start + word.len())
}
