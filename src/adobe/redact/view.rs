//! A text as it reads once an encoding is undone, with the place of each byte in the original.

use std::ops::Range;

/// How often encodings are undone one after the other, such as JSON in JSON, or HTML in a URL.
const DEPTH: usize = 2;
/// Fewer characters of base64 hold no piece of a value.
const SHORTEST_BASE64: usize = 6;

pub(super) struct View {
    pub(super) bytes: Vec<u8>,
    /// Where each byte comes from.
    places: Vec<Range<usize>>,
}

/// Consecutive characters of base64 in a view.
pub(super) struct Run {
    pub(super) range: Range<usize>,
    /// What they may encode: the text may begin at any character.
    pub(super) decoded: Vec<View>,
}

type Decode = fn(&[u8]) -> Option<(usize, Vec<u8>)>;

/// How each encoding spells the next bytes: how many characters that takes, and what they stand for.
const ENCODINGS: [Decode; 4] = [percent, form, html, json];

impl View {
    pub(super) fn of(text: &str) -> Self {
        Self {
            bytes: text.as_bytes().to_vec(),
            places: (0..text.len()).map(|at| at..at + 1).collect(),
        }
    }

    /// The text as it is, and with each encoding undone.
    pub(super) fn decoded(self) -> Vec<Self> {
        let mut all = vec![self];
        let mut from = 0;
        for _ in 0..DEPTH {
            let to = all.len();
            for at in from..to {
                let decoded = ENCODINGS.iter().filter_map(|it| all[at].undone(*it));
                let decoded: Vec<_> = decoded.collect();
                all.extend(decoded);
            }
            from = to;
        }
        all
    }

    /// Where the original has these bytes.
    pub(super) fn source(&self, range: Range<usize>) -> Range<usize> {
        let places = &self.places[range];
        match (places.first(), places.last()) {
            (Some(first), Some(last)) => first.start..last.end,
            _ => 0..0,
        }
    }

    /// Where these bytes stand.
    pub(super) fn positions(&self, wanted: &[u8]) -> impl Iterator<Item = Range<usize>> {
        let windows = self.bytes.windows(wanted.len().max(1)).enumerate();
        let found = windows.filter(move |(_, it)| *it == wanted);
        found.map(|(at, it)| at..at + it.len())
    }

    /// The text with one encoding undone, unless there is none of it.
    fn undone(&self, decode: Decode) -> Option<Self> {
        let (mut bytes, mut places) = (Vec::new(), Vec::new());
        let mut at = 0;
        while at < self.bytes.len() {
            let (taken, decoded) =
                decode(&self.bytes[at..]).unwrap_or_else(|| (1, vec![self.bytes[at]]));
            let place = self.source(at..at + taken);
            places.extend(decoded.iter().map(|_| place.clone()));
            bytes.extend(decoded);
            at += taken;
        }
        (bytes != self.bytes).then_some(Self { bytes, places })
    }

    /// Everything that may be base64, in its usual alphabet or that for URLs.
    pub(super) fn base64(&self) -> Vec<Run> {
        let mut runs = Vec::new();
        let mut at = 0;
        while at < self.bytes.len() {
            let rest = &self.bytes[at..];
            let length = rest.iter().take_while(|it| sextet(**it).is_some()).count();
            let padding = rest[length..].iter().take_while(|it| **it == b'=').count();
            if length >= SHORTEST_BASE64 {
                let of = &rest[..length];
                runs.push(Run {
                    range: at..at + length + padding,
                    decoded: [0, 2, 4, 6]
                        .into_iter()
                        .flat_map(|it| bits(of, it))
                        .collect(),
                });
            }
            at += (length + padding).max(1);
        }
        runs
    }
}

/// The bytes in base64 after so many bits, as they are and without percent-encoding.
fn bits(text: &[u8], skipped: u32) -> Vec<View> {
    let (mut value, mut count) = (0_u32, 0_u32);
    let mut bytes = Vec::with_capacity(text.len());
    let mut skipped = skipped;
    for six in text.iter().filter_map(|it| sextet(*it)) {
        value = ((value << 6) | u32::from(six)) & 0xffff;
        count += 6;
        let skip = skipped.min(count);
        (count, skipped) = (count - skip, skipped - skip);
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((value >> count) & 0xff).unwrap_or_default());
        }
    }
    let places = vec![0..0; bytes.len()];
    let plain = View { bytes, places };
    let decoded = plain.undone(form);
    std::iter::once(plain).chain(decoded).collect()
}

fn sextet(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

fn percent(text: &[u8]) -> Option<(usize, Vec<u8>)> {
    let digits = text.strip_prefix(b"%")?.first_chunk::<2>()?;
    let byte = u8::try_from(number(digits, 16)?).ok()?;
    Some((3, vec![byte]))
}

/// As in forms and queries, where a space is a plus sign.
fn form(text: &[u8]) -> Option<(usize, Vec<u8>)> {
    match text.first() {
        Some(b'+') => Some((1, vec![b' '])),
        _ => percent(text),
    }
}

fn html(text: &[u8]) -> Option<(usize, Vec<u8>)> {
    let text = text.strip_prefix(b"&")?;
    let end = text.iter().take(10).position(|it| *it == b';')?;
    let decoded = match &text[..end] {
        b"amp" => '&',
        b"lt" => '<',
        b"gt" => '>',
        b"quot" => '"',
        b"apos" => '\'',
        [b'#', b'x' | b'X', digits @ ..] => char::from_u32(number(digits, 16)?)?,
        [b'#', digits @ ..] => char::from_u32(number(digits, 10)?)?,
        _ => return None,
    };
    Some((end + 2, decoded.to_string().into_bytes()))
}

fn json(text: &[u8]) -> Option<(usize, Vec<u8>)> {
    let decoded = match text.strip_prefix(b"\\")?.first()? {
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'u' => return unicode(text),
        other @ (b'"' | b'\\' | b'/' | b'\'') => *other,
        _ => return None,
    };
    Some((2, vec![decoded]))
}

/// `\u00e9`, or two of that kind for one character.
fn unicode(text: &[u8]) -> Option<(usize, Vec<u8>)> {
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u16::try_from(number(digits, 16)?).ok()
    };
    let units = [unit(0)?, unit(6).unwrap_or_default()];
    let decoded = char::decode_utf16(units).next()?.ok()?;
    Some((6 * decoded.len_utf16(), decoded.to_string().into_bytes()))
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()
}
