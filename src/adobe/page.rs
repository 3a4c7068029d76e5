//! Lists that come in pages. The services page in three ways (a token in a link, a cursor, an offset), which differ here
//! only in the name of a query parameter and in where the next value is found.

use std::collections::HashSet;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::call::Call;
use super::listing::{Listing, Unreadable};
use super::{Adobe, Result, Service};

/// One page of a list.
pub(super) trait Page: DeserializeOwned {
    /// What the list contains.
    type Item;

    /// The query parameter that names a page.
    const CURSOR: &'static str;

    /// The value that names the page after this one, which was read after `before` items of earlier pages.
    fn next(&self, before: usize) -> Option<String>;

    /// The items on this page, and those that cannot be read.
    fn items(self, service: Service) -> Vec<std::result::Result<Self::Item, Unreadable>>;

    /// What identifies an item across pages.
    fn id(item: &Self::Item) -> &str;
}

/// Reads all pages. The first is asked for without a cursor. An item that shows up on two pages is kept once, and a cursor
/// that shows up twice ends the list, since some services repeat their last one for ever.
pub(super) async fn all<P: Page>(adobe: &Adobe, first: Call) -> Result<Listing<P::Item>> {
    let service = first.service;
    let mut call = first;
    let mut cursors = HashSet::new();
    let mut ids = HashSet::new();
    let mut found = Listing::default();
    let mut read = 0;
    loop {
        let page: P = adobe.ask(&call).await?;
        let next = page.next(read);
        for item in page.items(service) {
            read += 1;
            match item {
                Ok(item) if ids.insert(P::id(&item).to_owned()) => found.items.push(item),
                Err(item) if !found.unreadable.contains(&item) => found.unreadable.push(item),
                _ => {}
            }
        }
        match next.filter(|cursor| cursors.insert(cursor.clone())) {
            Some(cursor) => call = call.requery(P::CURSOR, cursor),
            None => return Ok(found),
        }
    }
}

/// The links of a page.
#[derive(Default, Deserialize)]
pub(super) struct Links {
    #[serde(default)]
    next: Value,
}

impl Links {
    /// The decoded value of `parameter` in the link to the next page.
    pub(super) fn parameter(&self, parameter: &str) -> Option<String> {
        let link = self.next.get("href").unwrap_or(&self.next).as_str()?;
        let (_, query) = link.split_once('?')?;
        // The link is relative, and a query cannot be parsed without a host.
        let url = reqwest::Url::parse(&format!("http://next/?{query}")).ok()?;
        let value = url
            .query_pairs()
            .find(|(name, _)| name == parameter)?
            .1
            .into_owned();
        (!value.is_empty()).then_some(value)
    }
}
