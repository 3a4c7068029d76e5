//! Regular expressions and limits that several kinds share.
//!
//! Ids become path segments of URLs and names become headers or query values, so both are narrow by
//! default.

/// Name of a Kubernetes object.
pub(super) const OBJECT_NAME: &str = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$";
/// Key in the data of a Secret.
pub(super) const SECRET_KEY: &str = r"^[-._a-zA-Z0-9]+$";
/// Id that Adobe gave to a connection, dataset, mapping set or flow: a UUID or hexadecimal digits.
pub(super) const ADOBE_ID: &str = r"^[A-Za-z0-9_-]+$";
/// `$id` of a schema, which is always the tenant's own: a URL without empty or `..` segments.
pub(super) const SCHEMA_ID: &str = r"^https://ns\.adobe\.com(/[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*)+$";
/// `$id` of a class or field group. Some of Adobe's own are on other hosts, or have an empty segment. It is never requested.
pub(super) const COMPONENT_ID: &str =
    r"^https://[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+(/[A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*)+$";
/// Media type under which Adobe serves a schema, `version` included.
pub(super) const SCHEMA_CONTENT_TYPE: &str =
    r"^application/vnd\.adobe\.[a-z-]+\+json; ?version=[0-9]+(\.[0-9]+)?$";
/// Version of a specification, `1.0` for nearly all of them.
pub(super) const SPEC_VERSION: &str = r"^[0-9]+(\.[0-9]+)*$";

/// Instant in the form of RFC 3339, within what every library can read: `format: date-time` allows time zones of 99 hours.
pub(super) const INSTANT: &str = r"^[12][0-9]{3}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$";

/// Longest name of a Kubernetes object.
pub(super) const OBJECT_NAME_MAX: usize = 253;
/// Longest id other than a schema `$id`.
pub(super) const ADOBE_ID_MAX: usize = 128;
/// Longest schema `$id`.
pub(super) const SCHEMA_ID_MAX: usize = 512;
/// Longest display name of an object at Adobe.
pub(super) const NAME_MAX: usize = 255;
/// Longest description; the operator appends its owner mark to it.
pub(super) const DESCRIPTION_MAX: usize = 1024;
/// Largest integer that every JSON reader keeps exact.
pub(super) const INTEGER_MAX: i64 = (1 << 53) - 1;
