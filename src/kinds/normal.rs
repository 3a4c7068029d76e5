//! What the kinds of Flow Service have in common: comparing what was asked for with what Adobe holds, whatever its
//! spelling, and the parts that every object has.

use serde_json::{Map, Value};

use crate::adobe::{Created, FlowEntity, PatchOp, Spec, SpecRef};
use crate::api::{OpenObject, SpecSelector};
use crate::engine::{Error, Mark, Plan, Result, Session};

/// Largest open object of a spec, in bytes of JSON: etcd keeps a whole object within 1.5 MB.
const OPEN_MAX: usize = 256 * 1024;

/// The version of all known connection and flow specs.
const SPEC_VERSION: &str = "1.0";

/// Whether Adobe holds what is wanted. Keys that nobody asked for are Adobe's own, and no difference.
pub(super) fn covers(wanted: &Value, held: &Value) -> bool {
    match (wanted, held) {
        (Value::Object(wanted), Value::Object(held)) => covers_all(wanted, held),
        (Value::Array(wanted), Value::Array(held)) => {
            wanted.len() == held.len() && wanted.iter().zip(held).all(|(w, h)| covers(w, h))
        }
        (Value::String(wanted), Value::String(held)) => {
            wanted == held || media_type(wanted).is_some_and(|w| media_type(held) == Some(w))
        }
        _ => wanted == held || scalar(wanted).is_some_and(|w| scalar(held) == Some(w)),
    }
}

/// [`covers`] for the content of objects; a wanted `null` is met by absence.
pub(super) fn covers_all(wanted: &Map<String, Value>, held: &Map<String, Value>) -> bool {
    wanted.iter().all(|(key, wanted)| {
        let held = held.get(key).unwrap_or(&Value::Null);
        covers(wanted, held)
    })
}

/// [`covers`] where Adobe may hold nothing.
pub(super) fn covers_some(wanted: Option<&Value>, held: Option<&Value>) -> bool {
    wanted.is_none_or(|wanted| covers(wanted, held.unwrap_or(&Value::Null)))
}

/// Whether Adobe uses the wanted spec. Reads do not always name the version.
pub(super) fn same_spec(wanted: &SpecRef, held: Option<&SpecRef>) -> bool {
    held.is_some_and(|held| {
        let versions = wanted.version.as_deref().zip(held.version.as_deref());
        wanted.id == held.id && versions.is_none_or(|(w, h)| version(w) == version(h))
    })
}

/// A whole number, spelled as a number or as text.
pub(super) fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A text somewhere in what Adobe holds.
pub(super) fn text<'v>(value: Option<&'v Value>, pointer: &str) -> Option<&'v str> {
    value?.pointer(pointer)?.as_str()
}

/// A boolean, spelled as a boolean or as text.
pub(super) fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) => text.trim().to_ascii_lowercase().parse().ok(),
        _ => None,
    }
}

/// One spelling for numbers and booleans that are written as text on one side.
fn scalar(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_ascii_lowercase(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        _ => return None,
    };
    Some(version(&text).to_owned())
}

/// One spelling for media types with a version, of which Adobe has several.
fn media_type(text: &str) -> Option<String> {
    if !text.starts_with("application/") {
        return None;
    }
    let bare: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    Some(version(&bare).to_owned())
}

fn version(text: &str) -> &str {
    text.strip_suffix(".0").unwrap_or(text)
}

/// The object as it is sent, unless it is larger than anything a connector needs.
pub(super) fn open(field: &str, object: &OpenObject) -> Result<OpenObject> {
    let size = serde_json::to_vec(object).map_or(0, |text| text.len());
    if size > OPEN_MAX {
        return Err(Error::Invalid(format!(
            "`{field}` has {size} bytes as JSON, more than the {OPEN_MAX} allowed: shorten it"
        )));
    }
    Ok(object.clone())
}

/// An id that the user gave, unless it could lead a call elsewhere.
pub(super) fn id(field: &str, id: &str) -> Result<String> {
    if id.contains('/') || id.contains("..") {
        return Err(Error::Invalid(format!(
            "`{field}` is `{id}`, which is no id of Adobe's: give the bare id, without path"
        )));
    }
    Ok(id.to_owned())
}

/// The spec to send, from its id, or from its name by way of `spec`, which tells the id.
pub(super) async fn select<F>(
    selector: &SpecSelector,
    by_name: impl FnOnce(String) -> F + Send,
) -> Result<SpecRef>
where
    F: Future<Output = Result<String>> + Send,
{
    let id = match (&selector.id, &selector.name) {
        (Some(it), _) => id("id", it)?,
        (None, Some(name)) => by_name(name.clone()).await?,
        (None, None) => {
            return Err(Error::Invalid(
                "a specification has neither `name` nor `id`: set one of them".into(),
            ));
        }
    };
    Ok(spec_ref(id, selector.version.clone()))
}

/// A spec by its id.
pub(super) fn spec_ref(id: String, version: Option<String>) -> SpecRef {
    let version = Some(version.unwrap_or_else(|| SPEC_VERSION.into()));
    SpecRef { id, version }
}

/// The connection spec that a selector names, looked up once per sandbox.
pub(super) async fn connection_spec(session: &Session, selector: &SpecSelector) -> Result<SpecRef> {
    select(selector, |name| async move {
        let ask = || async {
            let adobe = session.adobe();
            let found = adobe.flow_service().connection_spec_by_name(&name).await?;
            known(found, "connection", &name)
        };
        session.once(&format!("connectionSpec:{name}"), ask).await
    })
    .await
}

/// The flow spec that a selector names, looked up once per sandbox.
pub(super) async fn flow_spec(session: &Session, selector: &SpecSelector) -> Result<SpecRef> {
    select(selector, |name| async move {
        let ask = || async {
            let adobe = session.adobe();
            let found = adobe.flow_service().flow_spec_by_name(&name).await?;
            known(found, "flow", &name)
        };
        session.once(&format!("flowSpec:{name}"), ask).await
    })
    .await
}

fn known(found: Option<Spec>, what: &str, name: &str) -> Result<String> {
    let found = found.map(|spec| spec.id);
    found.ok_or_else(|| {
        Error::Invalid(format!(
            "unknown {what} spec `{name}`: Adobe lists none of exactly this name. Correct the name, or give the \
             spec's `id`"
        ))
    })
}

/// Whether a text means nothing but itself in a filter, as far as is known. Blanks around it would be lost.
pub(super) fn is_plain(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.');
    text.trim() == text && text.chars().all(plain)
}

/// Objects of that name, in the spelling that filters are known to understand; else everything.
pub(super) async fn named<E: FlowEntity>(session: &Session, name: &str) -> Result<Vec<E>> {
    let filters = if is_plain(name) {
        vec![format!("name==\"{name}\"")]
    } else {
        Vec::new()
    };
    let adobe = session.adobe();
    Ok(adobe.flow_service().list(&filters).await?)
}

/// Everything of one type.
pub(super) async fn all<E: FlowEntity>(session: &Session) -> Result<Vec<E>> {
    let adobe = session.adobe();
    Ok(adobe.flow_service().list(&[]).await?)
}

/// One object, fresh.
pub(super) async fn one<E: FlowEntity>(session: &Session, id: &str) -> Result<Option<E>> {
    let adobe = session.adobe();
    Ok(adobe.flow_service().get(id).await?)
}

/// Deletes one object.
pub(super) async fn delete<E: FlowEntity>(session: &Session, id: &str) -> Result<()> {
    let adobe = session.adobe();
    Ok(adobe.flow_service().delete::<E>(id).await?)
}

/// Changes one object.
pub(super) async fn patch<E: FlowEntity>(
    session: &Session,
    head: &Head,
    ops: &[PatchOp],
) -> Result<Created> {
    let adobe = session.adobe();
    // Every read names a version; should one not, any version will do rather than none ever.
    let etag = head.etag.as_deref().unwrap_or("*");
    Ok(adobe.flow_service().patch::<E>(&head.id, etag, ops).await?)
}

/// Name, description and owner as they should be.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// The name.
    pub name: String,
    /// The description, mark included.
    pub description: String,
    /// The mark.
    pub mark: Mark,
}

impl Label {
    pub(super) fn new(mark: Mark, name: &str, description: Option<&str>) -> Self {
        Self {
            name: name.to_owned(),
            description: mark.sign(description),
            mark,
        }
    }

    /// What has to change about name and description.
    pub(super) fn ops(&self, head: &Head) -> Vec<PatchOp> {
        let mut ops = Vec::new();
        if self.name != head.name {
            ops.push(PatchOp::replace("/name", self.name.as_str()));
        }
        if self.description != head.description {
            // An object without description has nothing to be replaced.
            let text = self.description.as_str();
            ops.push(if head.description.is_empty() {
                PatchOp::add("/description", text)
            } else {
                PatchOp::replace("/description", text)
            });
        }
        ops
    }

    /// The head of an object just created.
    pub(super) fn created(&self, created: Created) -> Head {
        Head {
            id: created.id,
            etag: created.etag,
            name: self.name.clone(),
            description: self.description.clone(),
            state: Some("enabled".into()),
            created: None,
            mark: Some(self.mark.clone()),
        }
    }

    /// The head of an object just changed.
    pub(super) fn changed(&self, head: &Head, etag: Option<String>) -> Head {
        Head {
            etag,
            name: self.name.clone(),
            description: self.description.clone(),
            mark: Some(self.mark.clone()),
            ..head.clone()
        }
    }
}

/// What every object of Flow Service has, as Adobe holds it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Head {
    /// The id.
    pub id: String,
    /// The version.
    pub etag: Option<String>,
    /// The name.
    pub name: String,
    /// The description, mark included; empty where there is none.
    pub description: String,
    /// The state in Adobe's words.
    pub state: Option<String>,
    /// Milliseconds since 1970.
    pub created: Option<i64>,
    /// The mark in the description.
    pub mark: Option<Mark>,
}

/// The [`Head`] of something that was read: the entities share these fields, but no trait for them.
macro_rules! head {
    ($read:expr) => {{
        let description = $read.description.unwrap_or_default();
        $crate::kinds::normal::Head {
            id: $read.id,
            etag: $read.etag,
            name: $read.name.unwrap_or_default(),
            mark: $crate::engine::Mark::read(&description),
            description,
            state: $read.state,
            created: $read.created_at,
        }
    }};
}
pub(super) use head;

/// What the engine wants to know of anything with a [`Head`]; `uses` gives the ids of other objects in it.
macro_rules! observed {
    ($held:ty, $uses:expr) => {
        impl $crate::engine::Observed for $held {
            fn id(&self) -> &str {
                &self.head.id
            }

            fn mark(&self) -> Option<&$crate::engine::Mark> {
                self.head.mark.as_ref()
            }

            fn created(&self) -> Option<i64> {
                self.head.created
            }

            fn uses(&self) -> Vec<&str> {
                let uses: fn(&$held) -> Vec<&str> = $uses;
                uses(self)
            }
        }
    };
}
pub(super) use observed;

/// Either nothing to do, a change, or what stands in the way of one.
pub(super) fn decide(fixed: &[&str], ops: Vec<PatchOp>) -> Plan<Vec<PatchOp>> {
    if !fixed.is_empty() {
        Plan::Replace(fixed.join(", "))
    } else if ops.is_empty() {
        Plan::Keep
    } else {
        Plan::Change(ops)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::Kind;

    pub(in crate::kinds) fn label(kind: Kind) -> Label {
        Label::new(
            Mark::new("team/default", kind, "team", "payments"),
            "Payments",
            Some("Inbound data"),
        )
    }

    pub(in crate::kinds) fn created() -> Created {
        Created {
            id: "an-id".into(),
            etag: Some("\"1\"".into()),
        }
    }

    #[test]
    fn figures_and_booleans_may_be_spelled_as_text() {
        assert!(covers(&json!("30"), &json!(30)));
        assert!(covers(&json!(30), &json!("30")));
        assert!(covers(&json!(30), &json!(30.0)));
        assert!(covers(&json!(true), &json!("True")));
        assert!(!covers(&json!("007"), &json!("7")));
        assert!(!covers(&json!(30), &json!(31)));
    }

    #[test]
    fn a_fraction_comes_back_as_it_was_sent() {
        let sent: Value = serde_json::from_str("-3.0047195257879718e-238").unwrap();
        let read: Value = serde_json::from_str(&sent.to_string()).unwrap();
        assert!(covers(&sent, &read));
    }

    #[test]
    fn a_text_with_a_meaning_in_filters_or_with_blanks_around_it_is_not_plain() {
        assert!(is_plain("Payments 2.0"));
        for odd in ["a,b", "a==b", "\"a\"", " a", "a\n", "Größe"] {
            assert!(!is_plain(odd), "{odd}");
        }
    }

    #[test]
    fn what_adobe_adds_is_no_difference_but_what_it_lacks_is() {
        assert!(covers(
            &json!({"a": {"b": 1}}),
            &json!({"x": 1, "a": {"c": 2, "b": "1"}})
        ));
        assert!(!covers(&json!({"a": 1, "b": 2}), &json!({"a": 1})));
        assert!(covers(&json!({"a": null}), &json!({})));
        assert!(!covers(&json!(["a"]), &json!(["a", "b"])));
    }

    #[test]
    fn media_types_are_compared_without_spaces_and_trailing_zero() {
        let spaced = json!("application/vnd.adobe.xed-full+json; version=1.0");
        let bare = json!("application/vnd.adobe.xed-full+json;version=1");
        assert!(covers(&spaced, &bare));
        assert!(!covers(
            &spaced,
            &json!("application/vnd.adobe.xed-full+json;version=2")
        ));
    }

    #[test]
    fn a_spec_without_version_is_the_same_spec() {
        let wanted = spec_ref("a".into(), None);
        let held = |version: Option<&str>| SpecRef {
            id: "a".into(),
            version: version.map(Into::into),
        };
        assert!(same_spec(&wanted, Some(&held(None))));
        assert!(same_spec(&wanted, Some(&held(Some("1")))));
        assert!(!same_spec(&wanted, Some(&held(Some("2.0")))));
        assert!(!same_spec(&wanted, None));
    }

    #[test]
    fn an_open_object_beyond_the_limit_is_refused_by_name() {
        let mut object = OpenObject::new();
        object.insert("a".into(), "x".repeat(OPEN_MAX).into());
        let error = open("spec.params", &object).unwrap_err().to_string();
        assert!(error.contains("spec.params"), "{error}");
        assert!(error.contains("262144"), "{error}");
    }

    #[test]
    fn an_id_with_a_path_is_refused() {
        assert!(id("spec.datasetId", "../flows/x").is_err());
        assert!(id("spec.datasetId", "5e8918669cbbee18ad9771f3").is_ok());
    }
}
