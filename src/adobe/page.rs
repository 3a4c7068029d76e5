//! Lists that come in pages. The services page in three ways (a token in a link, a cursor, an offset), which differ here
//! only in the name of a query parameter and in where the next value is found.

use std::collections::HashSet;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::call::Call;
use super::listing::{Listing, Unreadable};
use super::{Adobe, Class, Error, Result, Service};

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

/// The most pages that are read of one list.
const MOST_PAGES: usize = 10_000;

/// Reads all pages. The first is asked for without a cursor. An item that shows up on two pages is kept once, and a cursor
/// that shows up twice ends the list, since some services repeat their last one for ever.
pub(super) async fn all<P: Page>(adobe: &Adobe, first: Call) -> Result<Listing<P::Item>> {
    up_to::<P>(MOST_PAGES, adobe, first).await
}

/// The same with a bound of one's own. A list that exceeds it is none: what is left out would count as gone.
pub(super) async fn up_to<P: Page>(
    most: usize,
    adobe: &Adobe,
    first: Call,
) -> Result<Listing<P::Item>> {
    let (service, mut call) = (first.service, first);
    let mut cursors = HashSet::new();
    let mut ids = HashSet::new();
    let mut found = Listing::default();
    let mut read = 0;
    for _ in 0..most {
        let page: P = adobe.ask(&call).await?;
        let next = page.next(read);
        for item in page.items(service) {
            read += 1;
            match item {
                Ok(item) if ids.insert(P::id(&item).to_owned()) => found.items.push(item),
                Err(item) if !found.unreadable.contains(&item) => {
                    found.unreadable.push(item.redacted(adobe.redactor()));
                }
                _ => {}
            }
        }
        match next.filter(|cursor| cursors.insert(cursor.clone())) {
            Some(cursor) => call = call.requery(P::CURSOR, cursor),
            None => return Ok(found),
        }
    }
    let message = format!("the list has more than {most} pages");
    Err(Error::new(service, Class::Unreadable, message))
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::adobe::call::Method;
    use crate::adobe::tests::{Reply, Server};

    #[derive(Deserialize)]
    struct Numbers {
        items: Vec<String>,
        next: Option<String>,
    }

    impl Page for Numbers {
        type Item = String;
        const CURSOR: &'static str = "start";

        fn next(&self, _before: usize) -> Option<String> {
            self.next.clone()
        }

        fn items(self, _service: Service) -> Vec<std::result::Result<String, Unreadable>> {
            self.items.into_iter().map(Ok).collect()
        }

        fn id(item: &String) -> &str {
            item
        }
    }

    fn page(number: u32) -> Reply {
        let next = (number + 1).to_string();
        Reply::Json(200, json!({ "items": [number.to_string()], "next": next }))
    }

    async fn read(pages: impl IntoIterator<Item = Reply>) -> (usize, Result<Vec<String>>) {
        let server = Server::start(pages).await;
        let call = Call::new(Service::FlowService, Method::Get, "/numbers");
        let found = up_to::<Numbers>(3, &server.adobe(), call).await;
        (server.seen().len(), found.map(|it| it.items))
    }

    #[tokio::test]
    async fn a_list_without_end_is_given_up_and_is_no_list() {
        let (asked, found) = read((0..10).map(page)).await;
        let error = found.expect_err("never ends");
        assert!(error.to_string().contains("more than 3 pages"), "{error}");
        assert_eq!(asked, 3);
    }

    #[tokio::test]
    async fn a_list_of_as_many_pages_as_are_read_is_complete() {
        let last = Reply::Json(200, json!({ "items": ["last"] }));
        let (_, found) = read([page(0), page(1), last]).await;
        assert_eq!(found.expect("complete"), ["0", "1", "last"]);
    }
}
