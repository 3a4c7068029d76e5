//! `Dataset`: a dataset of Catalog, whose owner is named by a tag.

mod held;
mod plan;
mod records;

use std::collections::BTreeMap;

use self::held::{Held, Switch};
use crate::adobe::{Listing, NewDataSet, PatchOp, SchemaRef, TargetConnection};
use crate::api::{AdoptionPolicy, Dataset, DatasetStatus, PlatformSchema};
use crate::engine::{
    Difference, Error, Lookup, ManagedKind, Mark, Objects, Plan, Planned, Result, Session,
};

/// The tag that bears the mark.
const OWNER: &str = "aep_operator_owner";
const PROFILE: &str = "unifiedProfile";
const IDENTITY: &str = "unifiedIdentity";
/// The media type that Adobe documents for new datasets.
const CONTENT_TYPE: &str = "application/vnd.adobe.xed-full+json;version=1";

/// A dataset as the spec wants it.
#[derive(Clone, Debug, PartialEq)]
pub struct Desired {
    mark: Mark,
    name: String,
    description: Option<String>,
    schema_id: String,
    /// Only compared where the user set it: Adobe's own spellings vary.
    content_type: Option<String>,
    /// The field that names the schema.
    schema_field: &'static str,
    profile: Option<bool>,
    error_diagnostics: Option<bool>,
    /// Whether a dataset of that name without an owner may be adopted.
    adopt: bool,
}

/// What is to be changed of a field, if anything: nothing that the user did not write.
impl Desired {
    fn new_description(&self, held: &Held) -> Option<&str> {
        let wanted = self.description.as_deref();
        wanted.filter(|wanted| *wanted != held.description)
    }

    fn new_diagnostics(&self, held: &Held) -> Option<bool> {
        let wanted = self.error_diagnostics;
        wanted.filter(|wanted| *wanted != held.error_diagnostics.unwrap_or_default())
    }

    /// Both tags go together, but Identity may be on without Profile.
    fn new_profile(&self, held: &Held) -> Option<bool> {
        let both = held.profile.on && held.identity.on;
        let fits = |wanted: bool| if wanted { both } else { !held.profile.on };
        self.profile.filter(|wanted| !fits(*wanted))
    }
}

impl Planned for Dataset {
    type Desired = Desired;
    type Held = Held;
    type Change = Vec<PatchOp>;

    fn plan(desired: &Desired, held: &Held) -> Result<Plan<Vec<PatchOp>>> {
        Ok(plan::plan(desired, held))
    }

    fn differences(desired: &Desired, held: &Held, _: &Vec<PatchOp>) -> Vec<Difference> {
        plan::differences(desired, held)
    }

    fn is_namesake(desired: &Desired, held: &Held) -> bool {
        desired.name == held.name
    }
}

impl Objects for Dataset {
    type Kind = Self;

    async fn list(session: &Session) -> Result<Listing<Held>> {
        let found = session.adobe().catalog().list(None, None).await?;
        Ok(found.map(Into::into))
    }

    async fn find(session: &Session, desired: &Desired) -> Result<Vec<Held>> {
        let tag = desired.mark.tag();
        let adobe = session.adobe();
        let mut found = adobe.catalog().list(Some((OWNER, &tag)), None).await?;
        if found.items.is_empty() && desired.adopt {
            found = adobe.catalog().list(None, Some(&desired.name)).await?;
        }
        Ok(found.into_iter().map(Into::into).collect())
    }

    async fn read(session: &Session, id: &str) -> Result<Option<Held>> {
        Ok(session.adobe().catalog().get(id).await?.map(Into::into))
    }

    async fn delete(session: &Session, held: &Held) -> Result<()> {
        Ok(session.adobe().catalog().delete(&held.id).await?)
    }
}

impl ManagedKind for Dataset {
    type Objects = Self;
    /// The `$id` of the schema.
    type Refs = String;
    type Observing = ();

    async fn dereference(&self, lookup: &Lookup<'_>, _: &Session) -> Result<String> {
        let spec = &self.spec;
        lookup.schema_id::<PlatformSchema>(spec.schema_ref.as_ref(), spec.schema_id.as_ref())
    }

    fn desired(&self, schema_id: &String, mark: Mark, _: &str) -> Result<Desired> {
        let spec = &self.spec;
        Ok(Desired {
            mark,
            name: spec.name.clone(),
            description: spec.description.clone(),
            schema_id: schema_id.clone(),
            content_type: spec.schema_content_type.clone(),
            schema_field: match spec.schema_ref {
                Some(_) => "`spec.schemaRef`",
                None => "`spec.schemaId`",
            },
            profile: spec.profile_enabled,
            error_diagnostics: spec.error_diagnostics,
            adopt: spec.management.adoption_policy == AdoptionPolicy::IfUnowned,
        })
    }

    async fn create(session: &Session, desired: &Desired) -> Result<Held> {
        let id = session.adobe().catalog().create(&body(desired)).await?;
        Ok(image(desired, id))
    }

    async fn update(
        session: &Session,
        desired: &Desired,
        held: &Held,
        change: Vec<PatchOp>,
    ) -> Result<Held> {
        let adobe = session.adobe();
        adobe.catalog().patch(&held.id, &change).await?;
        Ok(changed(desired, held))
    }

    /// A dataset is deleted with its records, so a replaced one stays until nothing writes to it. Adobe does not check
    /// this.
    async fn retire(session: &Session, held: &Held) -> Result<()> {
        let adobe = session.adobe();
        let targets = adobe.flow_service().list::<TargetConnection>(&[]).await?;
        let writes = |it: &&TargetConnection| {
            let params = it.params.as_ref();
            params.is_some_and(|it| it["dataSetId"] == held.id.as_str())
        };
        let mut unreadable = targets.unreadable.into_iter();
        if let Some(odd) = unreadable.find(|it| it.mentions(&held.id)) {
            return Err(odd.error.into());
        }
        match targets.items.iter().find(writes) {
            Some(target) => Err(Error::InUse(format!("target connection {}", target.id))),
            None => Self::delete(session, held).await,
        }
    }

    async fn may_delete(&self, session: &Session, held: &Held) -> Result<()> {
        records::check(session, self.spec.deletion_protection, &held.id).await
    }

    fn record(_: &Desired, held: &Held, status: &mut DatasetStatus) {
        status.schema_id = Some(held.schema_id.clone());
    }
}

fn body(desired: &Desired) -> NewDataSet {
    let mut tags = BTreeMap::from([(OWNER.to_owned(), vec![desired.mark.tag()])]);
    if desired.profile == Some(true) {
        for key in [PROFILE, IDENTITY] {
            tags.insert(key.to_owned(), Switch::default().turned(true).values());
        }
    }
    let description = desired.description.clone();
    NewDataSet {
        name: desired.name.clone(),
        description: description.filter(|text| !text.is_empty()),
        schema_ref: SchemaRef {
            id: desired.schema_id.clone(),
            content_type: content_type(desired),
        },
        tags,
        enable_error_diagnostics: desired.error_diagnostics,
    }
}

fn content_type(desired: &Desired) -> String {
    let chosen = desired.content_type.clone();
    chosen.unwrap_or_else(|| CONTENT_TYPE.to_owned())
}

/// What Catalog holds after a create.
fn image(desired: &Desired, id: String) -> Held {
    Held {
        id,
        mark: Some(desired.mark.clone()),
        created: None,
        name: desired.name.clone(),
        description: desired.description.clone().unwrap_or_default(),
        schema_id: desired.schema_id.clone(),
        content_type: content_type(desired),
        profile: Switch::default().turned(desired.profile == Some(true)),
        identity: Switch::default().turned(desired.profile == Some(true)),
        error_diagnostics: desired.error_diagnostics,
        tagged: true,
    }
}

/// What Catalog holds after a change.
fn changed(desired: &Desired, held: &Held) -> Held {
    let turned = |tag: &Switch| tag.turned(desired.new_profile(held).unwrap_or(tag.on));
    Held {
        mark: Some(desired.mark.clone()),
        name: desired.name.clone(),
        description: desired
            .description
            .as_ref()
            .unwrap_or(&held.description)
            .clone(),
        profile: turned(&held.profile),
        identity: turned(&held.identity),
        error_diagnostics: desired.error_diagnostics.or(held.error_diagnostics),
        tagged: true,
        ..held.clone()
    }
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::adobe::DataSet;

    fn desired() -> Desired {
        Desired {
            mark: Mark::new("o", crate::api::Kind::Dataset, "ns", "n"),
            name: "payments".into(),
            description: None,
            schema_id: "https://ns.adobe.com/acme/schemas/ab".into(),
            content_type: None,
            schema_field: "`spec.schemaRef`",
            profile: Some(true),
            error_diagnostics: Some(true),
            adopt: false,
        }
    }

    fn held() -> Held {
        image(&desired(), "5e".into())
    }

    /// The dataset with these tags as Catalog shows it.
    fn found(tags: &Value) -> Held {
        let found: DataSet = serde_json::from_value(json!({
            "id": "5e", "name": "payments", "enableErrorDiagnostics": true, "tags": tags,
            "schemaRef": {
                "id": "https://ns.adobe.com/acme/schemas/ab",
                "contentType": "application/vnd.adobe.xed+json; version=1",
            },
        }))
        .unwrap();
        found.into()
    }

    fn planned(desired: &Desired, held: &Held) -> Plan<Vec<PatchOp>> {
        Dataset::plan(desired, held).unwrap()
    }

    #[test]
    fn what_was_written_is_kept() {
        assert_eq!(planned(&desired(), &held()), Plan::Keep);
    }

    #[test]
    fn housekeeping_and_spelling_are_no_difference() {
        let found = found(&json!({
            "adobe/pqs/table": ["payments"],
            "aep_operator_owner": [desired().mark.tag()],
            "unifiedProfile": ["enabled: true", "enabledAt:2024-11-05 12:33:59"],
            "unifiedIdentity": ["enabled:true"],
        }));
        assert_eq!(planned(&desired(), &found), Plan::Keep);
    }

    #[test]
    fn name_and_description_are_changed_in_place() {
        let mut desired = desired();
        desired.name = "other".into();
        desired.description = Some("text".into());
        let ops = vec![
            PatchOp::add("/name", "other"),
            PatchOp::add("/description", "text"),
        ];
        assert_eq!(planned(&desired, &held()), Plan::Change(ops));
    }

    #[test]
    fn error_diagnostics_are_changed_only_if_the_user_chose() {
        let mut desired = desired();
        desired.error_diagnostics = Some(false);
        let ops = vec![PatchOp::add("/enableErrorDiagnostics", false)];
        assert_eq!(planned(&desired, &held()), Plan::Change(ops));
        desired.error_diagnostics = None;
        assert_eq!(planned(&desired, &held()), Plan::Keep);
    }

    #[test]
    fn the_profile_is_switched_off_tag_by_tag() {
        let mut desired = desired();
        desired.profile = Some(false);
        let ops = vec![
            PatchOp::add("/tags/unifiedProfile", json!(["enabled:false"])),
            PatchOp::add("/tags/unifiedIdentity", json!(["enabled:false"])),
        ];
        assert_eq!(planned(&desired, &held()), Plan::Change(ops));
    }

    #[test]
    fn only_the_tag_that_is_off_is_switched_on() {
        let mut held = held();
        held.identity = held.identity.turned(false);
        let ops = vec![PatchOp::add(
            "/tags/unifiedIdentity",
            json!(["enabled:true"]),
        )];
        assert_eq!(planned(&desired(), &held), Plan::Change(ops));
    }

    #[test]
    fn a_profile_that_is_off_is_kept_off() {
        let mut desired = desired();
        desired.profile = Some(false);
        let found = found(&json!({
            "aep_operator_owner": [desired.mark.tag()], "unifiedProfile": ["enabled:false"],
        }));
        assert_eq!(planned(&desired, &found), Plan::Keep);
    }

    #[test]
    fn a_lost_mark_is_written_again() {
        let mut held = held();
        held.mark = None;
        let tag = json!([desired().mark.tag()]);
        let mut ops = vec![PatchOp::add("/tags/aep_operator_owner", tag)];
        assert_eq!(planned(&desired(), &held), Plan::Change(ops.clone()));
        held.tagged = false;
        ops.insert(0, PatchOp::add("/tags", json!({})));
        assert_eq!(planned(&desired(), &held), Plan::Change(ops));
    }

    #[test]
    fn a_dataset_of_the_same_name_may_be_adopted() {
        let mut held = held();
        assert!(Dataset::is_namesake(&desired(), &held));
        held.name = "other".into();
        assert!(!Dataset::is_namesake(&desired(), &held));
    }

    #[test]
    fn another_schema_or_content_type_is_a_replacement() {
        let mut other = desired();
        other.schema_id.push('c');
        let expected = Plan::Replace("`spec.schemaRef`".into());
        assert_eq!(planned(&other, &held()), expected);
        let mut other = desired();
        other.content_type = Some("application/vnd.adobe.xed-full+json; version=1.0".into());
        assert_eq!(planned(&other, &held()), Plan::Keep);
        other.content_type = Some("application/vnd.adobe.xed+json;version=1".into());
        let expected = Plan::Replace("`spec.schemaContentType`".into());
        assert_eq!(planned(&other, &held()), expected);
    }

    #[test]
    fn what_nobody_wrote_is_neither_compared_nor_sent() {
        let mut desired = desired();
        desired.profile = None;
        desired.error_diagnostics = None;
        for mut tags in [
            json!({"unifiedProfile": ["enabled:true", "isUpsert:true"], "unifiedIdentity": ["enabled:true"]}),
            json!({"unifiedIdentity": ["enabled:true"]}),
            json!({"unifiedProfile": ["enabled:true"]}),
            json!({}),
        ] {
            tags[OWNER] = json!([desired.mark.tag()]);
            let mut found = found(&tags);
            found.description = "by hand".into();
            assert_eq!(planned(&desired, &found), Plan::Keep);
        }
        let body = serde_json::to_value(body(&desired)).unwrap();
        assert_eq!(
            body["tags"],
            json!({"aep_operator_owner": [desired.mark.tag()]})
        );
        assert!(body.get("description").is_none(), "{body}");
    }

    #[test]
    fn a_dataset_prepared_for_upsert_is_in_sync_with_the_profile_and_stays_so_when_it_is_switched()
    {
        let mut desired = desired();
        let on = found(&json!({
            "aep_operator_owner": [desired.mark.tag()],
            "unifiedProfile": ["enabled:true", "isUpsert:true", "enabledAt:2024-11-05 12:33:59"],
            "unifiedIdentity": ["enabled:true"],
        }));
        assert_eq!(planned(&desired, &on), Plan::Keep);
        desired.profile = Some(false);
        let off = vec![
            PatchOp::add(
                "/tags/unifiedProfile",
                json!(["enabled:false", "isUpsert:true"]),
            ),
            PatchOp::add("/tags/unifiedIdentity", json!(["enabled:false"])),
        ];
        assert_eq!(planned(&desired, &on), Plan::Change(off));
        let off = changed(&desired, &on);
        assert_eq!(planned(&desired, &off), Plan::Keep);
        desired.profile = Some(true);
        let on = vec![
            PatchOp::add(
                "/tags/unifiedProfile",
                json!(["enabled:true", "isUpsert:true"]),
            ),
            PatchOp::add("/tags/unifiedIdentity", json!(["enabled:true"])),
        ];
        assert_eq!(planned(&desired, &off), Plan::Change(on));
    }

    #[test]
    fn identity_without_profile_is_not_fought() {
        let mut desired = desired();
        desired.profile = Some(false);
        let found = found(&json!({
            "aep_operator_owner": [desired.mark.tag()], "unifiedIdentity": ["enabled:true"],
        }));
        assert_eq!(planned(&desired, &found), Plan::Keep);
    }

    #[test]
    fn what_is_changed_is_told() {
        let mut desired = desired();
        desired.name = "other".into();
        desired.profile = Some(false);
        desired.error_diagnostics = None;
        let told = |held: &Held| {
            let all = plan::differences(&desired, held);
            all.iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(", ")
        };
        assert_eq!(
            told(&held()),
            "`spec.name` `payments` → `other`, `spec.profileEnabled` `true` → `false`"
        );
    }
}
