//! The `Accept` header, which in the registry is mandatory and chooses the representation.

use serde_json::json;

use super::errors::refusal;
use crate::http::{Answer, Body, Request};
use crate::profile::Profile;
use crate::world::Context;

/// The title of every refusal of the header.
const INVALID: &str = "Accept header invalid";

/// How much a caller wants to see of a resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Shape {
    /// Only ids, title and version.
    Brief,
    /// As it was defined.
    #[default]
    Raw,
    /// References resolved into `properties`.
    Full,
}

/// What a caller wants to see of a resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct View {
    /// How much of it.
    pub(super) shape: Shape,
    /// Without titles and descriptions.
    pub(super) notext: bool,
    /// With a member for every path in place of nested fields.
    pub(super) flat: bool,
    /// With the descriptors of the schema.
    pub(super) descriptors: bool,
}

/// How a caller wants descriptors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct DescriptorView {
    /// Paged results in place of groups by `@type`.
    pub(super) paged: bool,
    /// Only `@id`s.
    pub(super) ids: bool,
    /// Only links.
    pub(super) links: bool,
}

struct Media<'a> {
    family: &'a str,
    variants: Vec<&'a str>,
    version: Option<&'a str>,
}

/// Reads `application/vnd.adobe.{family}[-variant…]+json[; version=N]`.
fn media(accept: &str) -> Option<Media<'_>> {
    let mut parts = accept.split(';').map(str::trim);
    let name = parts.next()?.strip_prefix("application/vnd.adobe.")?;
    let mut words = name.strip_suffix("+json")?.split('-');
    let family = words.next().filter(|f| matches!(*f, "xed" | "xdm"))?;
    let version = parts.find_map(|p| p.strip_prefix("version="));
    Some(Media {
        family,
        variants: words.collect(),
        version,
    })
}

/// Whether the registry knows the media type, whatever its version.
fn is_known(accept: &str) -> bool {
    media(accept).is_some()
}

fn accept(request: &Request) -> &str {
    request.header("accept").unwrap_or_default()
}

fn invalid(cx: &mut Context<'_>, code: &str, supplied: &str, good: &str) -> Answer {
    let detail = format!(
        "The supplied Accept header is not valid: {supplied} - A valid Accept value should look like {good}"
    );
    refusal(cx, code, INVALID, &detail)
}

/// The view a listing is asked for: known media, and no version.
pub(super) fn list(request: &Request, cx: &mut Context<'_>) -> Result<View, Answer> {
    let supplied = accept(request);
    let shape =
        media(supplied)
            .filter(|m| m.version.is_none())
            .and_then(|m| match m.variants[..] {
                [] => Some(Shape::Raw),
                ["id"] => Some(Shape::Brief),
                _ => None,
            });
    match shape {
        Some(shape) => Ok(View {
            shape,
            ..View::default()
        }),
        None => Err(invalid(
            cx,
            "XDM-1006-400",
            supplied,
            "application/vnd.adobe.'{xed|xdm'}+json",
        )),
    }
}

/// The view a lookup is asked for, and the major version: known media with a version.
pub(super) fn lookup(request: &Request, cx: &mut Context<'_>) -> Result<(View, String), Answer> {
    let supplied = accept(request);
    let parsed = media(supplied).and_then(|m| {
        let major = m.version?.split('.').next().filter(|v| is_number(v))?;
        let mut view = View::default();
        for variant in m.variants {
            match variant {
                "id" => view.shape = Shape::Brief,
                "full" => view.shape = Shape::Full,
                "notext" => view.notext = true,
                "desc" => view.descriptors = true,
                "flat" => view.flat = true,
                "deprecated" | "deprecatefield" => {}
                _ => return None,
            }
        }
        Some((view, major.to_owned()))
    });
    parsed.ok_or_else(|| {
        let good =
            "application/vnd.adobe.'{xed|xdm'}+json; version=1 (Version should be specified)";
        invalid(cx, "XDM-1007-400", supplied, good)
    })
}

/// The view a descriptor listing is asked for.
pub(super) fn descriptor_list(
    request: &Request,
    cx: &mut Context<'_>,
) -> Result<DescriptorView, Answer> {
    let supplied = accept(request);
    let parsed = media(supplied)
        .filter(|m| m.family == "xdm" && m.version.is_none())
        .and_then(|m| {
            let (paged, rest) = match m.variants.as_slice() {
                ["v2", rest @ ..] => (true, rest.to_vec()),
                rest => (false, rest.to_vec()),
            };
            let (ids, links) = match rest[..] {
                [] => (false, false),
                ["id"] => (true, false),
                ["link"] => (false, true),
                _ => return None,
            };
            Some(DescriptorView { paged, ids, links })
        });
    parsed.ok_or_else(|| {
        invalid(
            cx,
            "XDM-1008-400",
            supplied,
            "application/vnd.adobe.xdm-id+json",
        )
    })
}

/// Checks the header of a descriptor lookup. The guide says that none is needed, the specification asks for `xdm`.
pub(super) fn descriptor_lookup(request: &Request, cx: &mut Context<'_>) -> Result<(), Answer> {
    let supplied = accept(request);
    let none_needed = cx.profile == Profile::Lenient && matches!(supplied, "" | "*/*");
    if none_needed || media(supplied).is_some_and(|m| m.family == "xdm") {
        return Ok(());
    }
    Err(invalid(
        cx,
        "XDM-1009-400",
        supplied,
        "application/vnd.adobe.xdm+json",
    ))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// The same refusal as it was in 2020: without a code, and with 406 for a media type that is missing or unknown.
pub(super) fn old_style(answer: Answer, supplied: &str) -> Answer {
    let Body::Json(body) = &answer.body else {
        return answer;
    };
    // Only the registry's own refusals have this report; the gateway's have always been as they are.
    if body["report"]["registryRequestId"].is_null() {
        return answer;
    }
    let unacceptable = body["title"] == INVALID && !is_known(supplied);
    let status = if unacceptable { 406 } else { answer.status };
    let title = match status {
        404 => "NotFoundError",
        406 => "NotAcceptableError",
        _ => "BadRequestError",
    };
    let detail = match (unacceptable, supplied) {
        (false, _) => body["detail"].clone(),
        (true, "") => json!("Accept header parameter is required"),
        (true, media) => json!(format!("Unknown Accept media supplied: {media}")),
    };
    let body = json!({ "type": "/placeholder/type/uri", "status": status, "title": title, "detail": detail });
    Answer::json(status, body)
}
