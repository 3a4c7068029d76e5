//! The catalogue of connectors: their ids, how one signs in, and what they read. More can be told.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::profile::Profile;

/// The source that takes events over HTTP.
pub(crate) const HTTP_STREAMING: &str = "bc7b00d6-623a-4dfc-9fdb-f1240aeadaeb";
/// The source of changes in Snowflake's tables.
pub(crate) const SNOWFLAKE_STREAMING: &str = "51ae16c2-bdad-42fd-9fce-8d5dfddaf140";
/// The data lake, where every source flow writes.
pub(crate) const DATA_LAKE: &str = "c604ff05-7f1a-43c0-8e18-33bf874cb11c";

/// How a connector is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reads {
    /// Tables with columns.
    Table,
    /// Files and folders.
    Files,
    /// A REST endpoint.
    Rest,
    /// Events as they come.
    Stream,
    /// Events that the source sends to an address of its own.
    Webhook,
    /// Not at all: the data lake is written to.
    Lake,
}

impl Reads {
    /// Whether events come by themselves, without a schedule.
    pub(crate) fn is_streaming(self) -> bool {
        matches!(self, Self::Stream | Self::Webhook)
    }
}

/// One connector, as the table beside this file has it and as further ones are told.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Connector {
    /// The id of its connection spec.
    pub id: String,
    /// Its internal name.
    pub name: String,
    /// Whether that name is a guess, so that nobody may rely on it.
    #[serde(skip)]
    pub guessed: bool,
    /// Its name in the UI.
    #[serde(default)]
    pub label: String,
    /// How it is read.
    pub reads: Reads,
    /// Its category in the UI.
    #[serde(default)]
    pub category: String,
    /// The parameters of source connections, `?` behind those that may be left out.
    #[serde(default)]
    pub params: Vec<String>,
    /// The ways to sign in with their parameters, `?` behind those that may be left out; none if there is no base
    /// connection.
    #[serde(default)]
    pub auth: IndexMap<String, Vec<String>>,
}

/// The internal names that are documented; for the other connectors only ids are.
const DOCUMENTED_NAMES: [&str; 5] = [
    "adls-gen2",
    "datalake",
    "dynamics-online",
    "google-big-query",
    "landing-zone",
];

/// The connectors that are known from the start, with every way to sign in that Adobe documents for them.
pub(crate) fn known() -> Vec<Connector> {
    let mut known: Vec<Connector> = serde_json::from_str(include_str!("connectors.json"))
        .expect("the table is part of the program and tested");
    for connector in &mut known {
        connector.guessed = !DOCUMENTED_NAMES.contains(&connector.name.as_str());
    }
    known
}

impl Connector {
    /// The internal name; to the letter of the documentation, one that only a list tells.
    pub(crate) fn name(&self, profile: Profile) -> &str {
        if self.guessed && profile == Profile::Strict {
            &self.id
        } else {
            &self.name
        }
    }
}

/// Adds a connector, in place of one of the same id if there is one.
pub(crate) fn tell(connectors: &mut Vec<Connector>, connector: Connector) {
    connectors.retain(|known| known.id != connector.id);
    connectors.push(connector);
}
