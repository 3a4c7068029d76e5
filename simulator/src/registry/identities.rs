//! The identity namespaces that every organisation has.

/// Codes in their canonical case, with the ids that Adobe gave the best known of them.
const STANDARD: [(&str, u32); 14] = [
    ("CORE", 0),
    ("ECID", 4),
    ("Email", 6),
    ("Phone", 7),
    ("AAID", 10),
    ("Email_LC_SHA256", 11),
    ("Phone_SHA256", 12),
    ("WAID", 8),
    ("TNTID", 9),
    ("GAID", 20_914),
    ("IDFA", 20_915),
    ("FPID", 20_916),
    ("CRMID", 20_917),
    ("AdCloud", 411),
];

/// The canonical code of a namespace, given by code in any case or by id; `None` if it does not exist.
pub(super) fn canonical(given: &str) -> Option<&'static str> {
    STANDARD
        .iter()
        .find(|(code, id)| code.eq_ignore_ascii_case(given) || id.to_string() == given)
        .map(|(code, _)| *code)
}
