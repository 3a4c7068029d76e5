//! One page of a listing: filtered, ordered, cut.

use std::cmp::Ordering;

use serde_json::{Value, json};

use super::filter::{self, Filter};
use super::text;
use crate::http::Request;

const BASE: &str = "https://platform.adobe.io/data/foundation/schemaregistry";

/// The registry never puts more than this many resources on one page.
const LARGEST_PAGE: usize = 300;

struct Order<'a> {
    key: &'a str,
    descending: bool,
}

/// Renders one page. `id_key` names the member that makes a cursor in the default order.
pub(super) fn page(
    request: &Request,
    items: Vec<&Value>,
    id_key: &str,
    show: impl Fn(&Value) -> Value,
) -> Value {
    let filters: Vec<_> = request.queries("property").map(Filter::parse).collect();
    let mut items: Vec<_> = items
        .into_iter()
        .filter(|item| filters.iter().all(|f| f.matches(item)))
        .collect();
    let orders = orders(request);
    sort(&mut items, &orders);
    let rest = after_start(request, items, &orders, id_key);
    let limit = limit(request);
    let next = (rest.len() > limit).then(|| cursor(request, rest[limit - 1], &orders, id_key));
    let results: Vec<_> = rest.into_iter().take(limit).map(show).collect();
    let link = next
        .as_ref()
        .map(|n| json!({ "href": format!("{BASE}/{}?start={n}", request.path.join("/")) }));
    let mut links = json!({ "next": link });
    if request.path.last().is_some_and(|it| it == "schemas") {
        links["global_schemas"] = json!({ "href": format!("{BASE}/global/schemas") });
    }
    json!({
        "_page": {
            "orderby": request.query("orderby").unwrap_or("updated"),
            "next": next,
            "count": results.len(),
        },
        "results": results,
        "_links": links,
    })
}

fn sort(items: &mut [&Value], orders: &[Order<'_>]) {
    items.sort_by(|a, b| {
        let by_key = |o: &Order<'_>| {
            let ascending = filter::order(filter::field(a, o.key), filter::field(b, o.key));
            if o.descending {
                ascending.reverse()
            } else {
                ascending
            }
        };
        let decisive = orders.iter().map(by_key).find(|o| o.is_ne());
        decisive.unwrap_or(Ordering::Equal)
    });
}

fn orders(request: &Request) -> Vec<Order<'_>> {
    request
        .query("orderby")
        .unwrap_or("updated")
        .split(',')
        .map(|word| match word.trim().strip_prefix('-') {
            Some(key) => Order {
                key,
                descending: true,
            },
            None => Order {
                key: word.trim().trim_start_matches('+'),
                descending: false,
            },
        })
        .collect()
}

/// `limit` is a hint from 0 to 500; no page exceeds the registry's own cap.
fn limit(request: &Request) -> usize {
    match request.query("limit").and_then(|l| l.parse::<usize>().ok()) {
        None | Some(0) => LARGEST_PAGE,
        Some(limit) => limit.min(LARGEST_PAGE),
    }
}

/// What comes strictly after `start`: a value of the first `orderby` field, or without `orderby` a cursor. An
/// offset such as `0` is no cursor and finds nothing, which is what the live service was seen to do.
fn after_start<'a>(
    request: &Request,
    items: Vec<&'a Value>,
    orders: &[Order<'_>],
    id_key: &str,
) -> Vec<&'a Value> {
    let Some(start) = request.query("start") else {
        return items;
    };
    let ordered = request.query("orderby").and(orders.first());
    let Some(Order { key, descending }) = ordered else {
        let at = items.iter().position(|item| text(item, id_key) == start);
        return at.map_or_else(Vec::new, |at| items[at + 1..].to_vec());
    };
    let is_after = |item: &&Value| {
        let order = filter::field(item, key).map(|value| filter::order_against(value, start));
        order.is_some_and(|o| if *descending { o.is_lt() } else { o.is_gt() })
    };
    items.into_iter().filter(is_after).collect()
}

fn cursor(request: &Request, last: &Value, orders: &[Order<'_>], id_key: &str) -> String {
    match request.query("orderby").and(orders.first()) {
        Some(order) => filter::field(last, order.key)
            .map(filter::plain)
            .unwrap_or_default(),
        None => text(last, id_key).to_owned(),
    }
}
