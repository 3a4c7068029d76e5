//! The namespaces that Adobe gives to every organisation.

use serde_json::{Value, json};

use crate::profile::Profile;

/// When Adobe made them, in milliseconds since the epoch.
const CREATED_MS: i64 = 1_551_688_425_455;

/// Codes in their canonical case, with the ids that Adobe gave the best known of them, and what they identify.
const STANDARD: [(&str, u32, &str); 14] = [
    ("CORE", 0, "COOKIE"),
    ("ECID", 4, "COOKIE"),
    ("Email", 6, "EMAIL"),
    ("Phone", 7, "PHONE"),
    ("AAID", 10, "COOKIE"),
    ("Email_LC_SHA256", 11, "EMAIL"),
    ("Phone_SHA256", 12, "PHONE"),
    ("WAID", 8, "COOKIE"),
    ("TNTID", 9, "COOKIE"),
    ("GAID", 20_914, "DEVICE"),
    ("IDFA", 20_915, "DEVICE"),
    ("FPID", 20_916, "COOKIE"),
    ("CRMID", 20_917, "CROSS_DEVICE"),
    ("AdCloud", 411, "COOKIE"),
];

/// Those that Adobe's documentation names. The others have been seen, but perhaps not everywhere.
const DOCUMENTED: [&str; 9] = [
    "CORE", "ECID", "Email", "Phone", "AAID", "WAID", "TNTID", "GAID", "IDFA",
];

/// Every one of them, as the service shows it.
pub(super) fn all(profile: Profile) -> impl Iterator<Item = Value> {
    let known = STANDARD
        .iter()
        .filter(move |(code, ..)| profile == Profile::Lenient || DOCUMENTED.contains(code));
    known.map(|(code, id, id_type)| {
        json!({
            "id": id, "code": code, "name": code, "idType": id_type, "description": "", "status": "ACTIVE",
            "custom": false, "createTime": CREATED_MS, "updateTime": CREATED_MS,
        })
    })
}
