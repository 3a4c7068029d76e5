//! What the kinds of Flow Service have in common: their requests, and name and description with the owner mark.

mod label;
mod specs;

use std::marker::PhantomData;

pub(super) use self::label::head;
pub use self::label::{Head, Headed, Label, Labelled};
pub(super) use self::specs::{connection_spec, flow_spec, same_spec, spec_ref, versioned};
use crate::adobe::{Created, FlowEntity, Listing, PatchOp};
use crate::engine::{Objects, Planned, Result, Session};
use crate::kinds::compare::is_plain;

/// How Flow Service keeps the objects of a kind `K`, which it calls `E`.
#[derive(Debug)]
pub struct FlowObjects<E, K>(PhantomData<(E, K)>);

impl<E, K> Objects for FlowObjects<E, K>
where
    E: FlowEntity,
    K: Planned<Held: From<E> + Headed, Desired: Labelled>,
{
    type Kind = K;

    async fn list(session: &Session) -> Result<Listing<K::Held>> {
        let adobe = session.adobe();
        let all = adobe.flow_service().list::<E>(&[]).await?;
        Ok(all.map(K::Held::from))
    }

    async fn find(session: &Session, desired: &K::Desired) -> Result<Vec<K::Held>> {
        let name = &desired.label().name;
        // A name that a filter might misread is not filtered for: then everything is listed.
        let filter = is_plain(name).then(|| format!("name==\"{name}\""));
        let adobe = session.adobe();
        let found = adobe.flow_service().list::<E>(filter.as_slice()).await?;
        Ok(found.into_iter().map(K::Held::from).collect())
    }

    async fn read(session: &Session, id: &str) -> Result<Option<K::Held>> {
        let adobe = session.adobe();
        let read = adobe.flow_service().get::<E>(id).await?;
        Ok(read.map(K::Held::from))
    }

    const TOGETHER: usize = 40;

    async fn read_some(session: &Session, ids: &[String]) -> Result<Vec<K::Held>> {
        let filter = format!("id=={}", ids.join(","));
        let adobe = session.adobe();
        let found = adobe.flow_service().list::<E>(&[filter]).await?;
        Ok(found.into_iter().map(K::Held::from).collect())
    }

    async fn delete(session: &Session, held: &K::Held) -> Result<()> {
        let adobe = session.adobe();
        Ok(adobe.flow_service().delete::<E>(&held.head().id).await?)
    }
}

/// Changes one object.
pub(super) async fn patch<E: FlowEntity>(
    session: &Session,
    head: &Head,
    ops: &[PatchOp],
) -> Result<Created> {
    let adobe = session.adobe();
    // Every read has an etag. Should one be missing, any version is accepted, or no change could ever be made.
    let etag = head.etag.as_deref().unwrap_or("*");
    Ok(adobe.flow_service().patch::<E>(&head.id, etag, ops).await?)
}

/// Implements what the engine needs of a kind of Flow Service: `Desired` has a `label`, `Held` a `head`; `memory` is kept
/// with its collection, and `uses` gives the ids of other objects that it uses.
macro_rules! flow_object {
    ($desired:ty, $held:ty, $memory:ty, $uses:expr) => {
        impl $crate::kinds::flow_service::Labelled for $desired {
            fn label(&self) -> &$crate::kinds::flow_service::Label {
                &self.label
            }
        }

        impl $crate::kinds::flow_service::Headed for $held {
            fn head(&self) -> &$crate::kinds::flow_service::Head {
                &self.head
            }
        }

        impl $crate::engine::Held for $held {
            type Memory = $memory;

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
pub(super) use flow_object;

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::adobe::SpecRef;
    use crate::api::Kind;
    use crate::engine::Mark;

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
    fn a_spec_without_version_is_the_same_spec() {
        let wanted = spec_ref("a".into(), None);
        let held = |version: Option<&str>| SpecRef {
            id: "a".into(),
            version: version.map(Into::into),
        };
        for version in [None, Some("1"), Some("2.0")] {
            assert!(same_spec(&wanted, Some(&held(version))));
        }
        assert!(!same_spec(&wanted, None));
        assert_eq!(versioned(&wanted).version.as_deref(), Some("1.0"));
        let wanted = spec_ref("a".into(), Some("1.0".into()));
        assert!(same_spec(&wanted, Some(&held(None))));
        assert!(same_spec(&wanted, Some(&held(Some("1")))));
        assert!(!same_spec(&wanted, Some(&held(Some("2.0")))));
        assert!(!same_spec(&wanted, None));
    }

    #[test]
    fn a_description_is_added_where_there_is_none_and_replaced_where_there_is_one() {
        let label = label(Kind::Dataflow);
        let mut head = label.created(created());
        head.description = String::new();
        let text = label.description.as_str();
        assert_eq!(label.ops(&head), [PatchOp::add("/description", text)]);
        head.description = "old".into();
        assert_eq!(label.ops(&head), [PatchOp::replace("/description", text)]);
    }

    #[test]
    fn a_description_that_nobody_wrote_keeps_what_adobe_has() {
        let mark = label(Kind::Dataflow).mark;
        let label = Label::new(mark.clone(), "Payments", None);
        let mut head = label.created(created());
        assert_eq!(label.ops(&head), []);
        head.description = mark.sign(Some("by hand"));
        assert_eq!(label.ops(&head), [], "the mark is there");
        head.description = "by hand".into();
        head.mark = None;
        let text = mark.sign(Some("by hand"));
        assert_eq!(
            label.ops(&head),
            [PatchOp::replace("/description", text.as_str())]
        );
        assert_eq!(label.changed(&head, None).description, text);
    }

    #[test]
    fn an_empty_description_takes_away_what_adobe_has() {
        let mark = label(Kind::Dataflow).mark;
        let label = Label::new(mark.clone(), "Payments", Some(""));
        let mut head = label.created(created());
        head.description = mark.sign(Some("by hand"));
        let text = mark.to_string();
        assert_eq!(label.ops(&head), [PatchOp::replace("/description", text)]);
    }

    #[test]
    fn what_differs_is_told_without_the_mark_in_the_text() {
        let label = label(Kind::Dataflow);
        let mut head = label.created(created());
        assert_eq!(label.differences(&head), []);
        head.name = "old".into();
        head.description = "made by hand".into();
        head.mark = None;
        let told: Vec<_> = label
            .differences(&head)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            told,
            [
                "`spec.name` `old` → `Payments`",
                "`spec.description` `made by hand` → `Inbound data`",
                "the owner mark",
            ]
        );
    }
}
