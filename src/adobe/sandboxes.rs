//! Sandbox Management: which sandboxes there are.

use serde::Deserialize;

use super::call::{Call, Method};
use super::listing::{Item, Listing, Unreadable};
use super::page::{self, Page};
use super::{Adobe, Result, Service};

/// Sandboxes per page.
const PAGE: usize = 50;

/// The calls of Sandbox Management.
#[derive(Clone, Copy)]
pub struct Sandboxes<'a> {
    adobe: &'a Adobe,
}

impl Adobe {
    /// The organisation's sandboxes.
    #[must_use]
    pub fn sandboxes(&self) -> Sandboxes<'_> {
        Sandboxes { adobe: self }
    }
}

/// A sandbox.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct SandboxInfo {
    /// The name by which calls address it; never changes.
    pub name: String,
    /// The name for people.
    #[serde(default)]
    pub title: Option<String>,
    /// Usable only while `active`; also `creating`, `deleting`, `resetting`, `deleted`, `failed`, …
    #[serde(default)]
    pub state: Option<String>,
    /// `production` or `development`.
    #[serde(default, rename = "type")]
    pub type_: Option<String>,
    /// Where it is hosted, such as `VA7`.
    #[serde(default)]
    pub region: Option<String>,
}

impl Sandboxes<'_> {
    /// Lists the sandboxes that the credentials can see, whatever sandbox the handle is for.
    pub async fn list(&self) -> Result<Listing<SandboxInfo>> {
        let call = Call::new(Service::Sandboxes, Method::Get, "/")
            .query("limit", PAGE.to_string())
            .query("offset", "0");
        page::all::<List>(self.adobe, call).await
    }
}

#[derive(Deserialize)]
struct List {
    sandboxes: Vec<Item<SandboxInfo>>,
}

impl Page for List {
    type Item = SandboxInfo;
    const CURSOR: &'static str = "offset";

    fn next(&self, before: usize) -> Option<String> {
        (self.sandboxes.len() >= PAGE).then(|| (before + self.sandboxes.len()).to_string())
    }

    fn items(self, service: Service) -> Vec<std::result::Result<SandboxInfo, Unreadable>> {
        let items = self.sandboxes.into_iter();
        items.map(|it| it.split(service, None, |it| it)).collect()
    }

    fn id(item: &SandboxInfo) -> &str {
        &item.name
    }
}
