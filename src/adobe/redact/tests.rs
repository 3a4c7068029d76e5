use proptest::prelude::*;
use secrecy::SecretString;
use serde_json::Value;

use super::{MARGIN, ROTATED, Redactor};

const ALL: usize = 10_000;

fn knowing(values: &[&str]) -> Redactor {
    let redactor = Redactor::default();
    for (key, value) in values.iter().enumerate() {
        redactor.learn("s", &key.to_string(), &SecretString::from(*value));
    }
    redactor
}

fn base64(bytes: &[u8], url: bool) -> String {
    let alphabet: &[u8; 64] = if url {
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    } else {
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    };
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let mut group = [0; 4];
        group[1..=chunk.len()].copy_from_slice(chunk);
        let group = u32::from_be_bytes(group);
        for at in 0..=chunk.len() {
            let sextet = (group >> (18 - 6 * at)) & 63;
            text.push(char::from(alphabet[sextet as usize]));
        }
        if !url {
            text.push_str(&"=".repeat(3 - chunk.len()));
        }
    }
    text
}

fn percent(text: &str) -> String {
    let escaped: Vec<_> = text.bytes().map(|it| format!("%{it:02x}")).collect();
    escaped.concat()
}

fn html(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;");
    escaped.replace('"', "&quot;").replace('\'', "&#39;")
}

fn numeric(text: &str) -> String {
    let escaped = text.chars().map(|it| format!("&#x{:X};", it as u32));
    escaped.collect::<Vec<_>>().concat()
}

fn json(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

fn escaped(text: &str) -> String {
    let units = text.encode_utf16();
    let escaped: Vec<_> = units.map(|it| format!("\\u{it:04x}")).collect();
    escaped.concat()
}

/// The text in every spelling that an answer may have.
fn spellings(secret: &str, user: &str) -> Vec<String> {
    let pair = format!("{user}:{secret}");
    let form = secret.replace(' ', "+");
    vec![
        secret.to_owned(),
        pair.clone(),
        base64(secret.as_bytes(), false),
        base64(secret.as_bytes(), true),
        base64(pair.as_bytes(), false),
        base64(pair.as_bytes(), true),
        base64(format!("x{pair}").as_bytes(), false),
        base64(format!("xy{pair}:more").as_bytes(), false),
        base64(percent(&pair).as_bytes(), false),
        percent(secret),
        percent(&base64(pair.as_bytes(), false)),
        form,
        html(secret),
        numeric(secret),
        json(secret),
        json(&json(secret)),
        escaped(secret),
        html(&json(secret)),
    ]
}

/// Whether a text shows this many characters of another one in a row.
fn shows(text: &str, of: &str, many: usize) -> bool {
    let of: Vec<_> = of.chars().collect();
    let mut pieces = of.windows(many.min(of.len()));
    pieces.any(|it| text.contains(&it.iter().collect::<String>()))
}

proptest! {
    #[test]
    fn no_spelling_of_a_secret_is_shown(
        secret in "[!-~äß€😀 \n\"\\\\&%+]{8,48}",
        user in "[a-z0-9@.]{0,12}",
    ) {
        let redactor = knowing(&[&secret]);
        for spelling in spellings(&secret, &user) {
            let text = format!("(Adobe) <{spelling}> [refused]");
            let shown = redactor.redact(&text, ALL);
            prop_assert!(!shows(&shown, &secret, 8), "{}: {}", text, shown);
            // What is left of an encoding is shorter than one piece.
            let rest = shown.strip_prefix("(Adobe) <").and_then(|it| it.strip_suffix("> [refused]"));
            let rest = rest.unwrap_or(&shown).replace("***", "").replace(&user, "").replace("%3a", "");
            prop_assert!(rest.len() < 12, "{}: {}", text, shown);
        }
    }

    #[test]
    fn a_secret_that_is_cut_off_is_not_shown(
        secret in "[A-Za-z0-9!$/+=-]{16,64}",
        from in 0..8_usize,
        length in 8..16_usize,
    ) {
        let redactor = knowing(&[&secret]);
        let of = [secret.clone(), base64(secret.as_bytes(), false)];
        for whole in of.iter().filter(|it| it.len() >= from + length) {
            let part = whole.get(from..(from + length)).unwrap_or(whole);
            for part in [part, &whole[..length], &whole[whole.len() - length..]] {
                let part = part.trim_end_matches('=');
                if part.len() >= 8 {
                    let shown = redactor.redact(&format!("<{part}>"), ALL);
                    prop_assert_eq!(shown.replace("***", ""), "<>", "{}", part);
                }
            }
        }
    }

    #[test]
    fn whatever_is_cut_off_at_the_end_shows_no_piece(
        secret in "[A-Za-z0-9]{20,40}",
        before in 0..60_usize,
    ) {
        let redactor = knowing(&[&secret]);
        let text = format!("{}{secret} ..........", "-".repeat(before));
        let shown = redactor.redact(&text, 50);
        prop_assert!(!shows(&shown, &secret, 2), "{}", shown);
    }

    #[test]
    fn nothing_else_is_taken_for_a_secret(text in "[ -~ä€]{0,200}") {
        let text = text.replace(['=', ':'], "").to_lowercase();
        let text = text.replace("basic ", "").replace("bearer ", "");
        let redactor = knowing(&["S3CR3T-value-1", "an0ther-Secret!", "Q7#Z"]);
        prop_assert_eq!(redactor.redact(&text, ALL), text);
    }
}

#[test]
fn the_rest_of_the_text_stays_as_it_is() {
    let redactor = knowing(&["hunter2-canary", "abcd"]);
    let shown = |text: &str| redactor.redact(text, ALL);
    assert_eq!(
        shown("user joe:hunter2-canary refused"),
        "user joe:*** refused"
    );
    assert_eq!(shown("hunter2-canary"), "***");
    assert_eq!(shown("ends with hunter2-c"), "ends with ***");
    assert_eq!(shown("äöü hunter2-canary€"), "äöü ***€");
    assert_eq!(shown("code abcd, 12"), "code ***, 12");
    assert_eq!(shown("hunter3, abc"), "hunter3, abc");
}

#[test]
fn values_of_fewer_than_four_bytes_are_shown() {
    let redactor = knowing(&["443", "", "a"]);
    assert_eq!(redactor.redact("port 443 a", ALL), "port 443 a");
}

#[test]
fn the_scheme_of_a_url_is_no_secret() {
    let redactor = knowing(&["https://hooks.example/T0KEN"]);
    let shown = redactor.redact("https://adobe.io: https://hooks.example/T0KEN", ALL);
    assert_eq!(shown, "https://adobe.io: https://***");
}

#[test]
fn what_looks_like_a_secret_is_not_shown() {
    let redactor = Redactor::default();
    for (text, shown) in [
        ("password=hunter2;host=h", "password=***;host=h"),
        ("Password = \"hunter 2\" x", "Password = \"***\" x"),
        ("{\"client_secret\":\"x y\"}", "{\"client_secret\":\"***\"}"),
        (
            "{\\\"client_secret\\\":\\\"xy\\\"}",
            "{\\\"client_secret\\\":\\\"***\\\"}",
        ),
        ("AccountKey=abc==;x", "AccountKey=***;x"),
        ("my-api-key:abc", "my-api-key:***"),
        ("password%3Dhunter2", "password%3D***"),
        (
            "Authorization: Basic am9lOmh1bnRlcjI=",
            "Authorization: Basic ***",
        ),
        ("bearer eyJhbGciOi.J9", "bearer ***"),
        (
            "Basic Authentication is needed",
            "Basic Authentication is needed",
        ),
        ("Bearer authentication", "Bearer authentication"),
        (
            "invalid password: it is too short",
            "invalid password: it is too short",
        ),
        ("the token expired", "the token expired"),
    ] {
        assert_eq!(redactor.redact(text, ALL), shown);
    }
}

#[test]
fn a_value_in_the_body_of_a_call_is_not_shown_to_whom_it_refuses() {
    let redactor = Redactor::default();
    let shown = |text: &str| redactor.redact_also(text, ALL, &["plain text", "abc"]);
    assert_eq!(shown("bad \\u0070lain text"), "bad ***");
    assert_eq!(shown("bad cGxhaW4gdGV4dA== abc"), "bad *** abc");
}

#[test]
fn a_rotated_value_is_recognised_for_a_while_and_then_forgotten() {
    let redactor = Redactor::default();
    let value = |n: usize| SecretString::from(format!("value-number-{n:05}"));
    for n in 0..=ROTATED + 1 {
        redactor.learn("s", "k", &value(n));
        redactor.learn("s", "k", &value(n));
    }
    assert_eq!(redactor.state().rotated.len(), ROTATED);
    // All values have the same beginning, so only the end shows which are known.
    let end = |n: usize| redactor.redact(&format!("ber-{n:05}"), ALL);
    assert_eq!(end(1), "***");
    assert_eq!(end(0), "***0");
    redactor.retire("s");
    assert_eq!(end(ROTATED + 1), "***");
    for n in 0..=ROTATED {
        redactor.learn("other", "k", &SecretString::from(format!("{n}")));
    }
    redactor.retire("other");
    assert!(redactor.state().index.is_empty());
}

#[test]
fn a_huge_answer_with_many_secrets_is_searched_at_once() {
    let values: Vec<_> = (0..1000)
        .map(|n| format!("the-value-{n}-of-many"))
        .collect();
    let values: Vec<_> = values.iter().map(String::as_str).collect();
    let redactor = knowing(&values);
    let text = format!("{} {}", "the-value-7-of-many", "x".repeat(16 << 20));
    let shown = redactor.redact(&text, 500);
    assert!(shown.starts_with("*** xxx") && shown.len() <= 500 + MARGIN);
}
