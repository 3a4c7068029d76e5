//! `MappingSet`: a mapping set of Data Prep, whose owner is part of its name. Each write makes a new version.

mod body;
mod rows;

use serde_json::Value;

use self::body::{body, changed, image};
use self::rows::{Row, complete, differences, no_attribute, ordered, rows};
use crate::adobe::{self, Listing, MappingFault, MappingRow, Rest, SourceKind};
use crate::api::{Contract, MappingSet, MappingSetStatus, MappingValidation, PlatformSchema};
use crate::engine::{
    Difference, Error, Lookup, ManagedKind, Mark, Objects, Plan, Planned, Result, Session,
};

/// How many faults a message contains.
const MOST_FAULTS: usize = 5;

/// A mapping set as the spec wants it.
#[derive(Clone, Debug, PartialEq)]
pub struct Desired {
    mark: Mark,
    /// The name of a new mapping set; ends with the mark.
    name: String,
    schema_id: String,
    /// The field that names the schema.
    schema_field: &'static str,
    rows: Vec<Row>,
    contract: Contract,
    validation: MappingValidation,
}

/// A mapping set as Data Prep holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    id: String,
    mark: Option<Mark>,
    created: Option<i64>,
    version: i64,
    name: String,
    schema_id: Option<String>,
    content_type: Option<String>,
    /// Ordered by destination.
    rows: Vec<MappingRow>,
    /// What else clients may have written.
    rest: Rest,
}

/// The only change there is: the whole mapping set is written again.
#[derive(Clone, Debug, PartialEq)]
pub struct Put;

impl crate::engine::Held for Held {
    type Memory = ();

    fn id(&self) -> &str {
        &self.id
    }

    fn mark(&self) -> Option<&Mark> {
        self.mark.as_ref()
    }

    fn created(&self) -> Option<i64> {
        self.created
    }

    fn uses(&self) -> Vec<&str> {
        self.schema_id.as_deref().into_iter().collect()
    }
}

impl From<adobe::MappingSet> for Held {
    fn from(found: adobe::MappingSet) -> Self {
        Self {
            id: found.id,
            mark: found.name.as_deref().and_then(Mark::read),
            created: found.created,
            version: found.version,
            name: found.name.unwrap_or_default(),
            schema_id: found.schema_id,
            content_type: found.content_type,
            rows: ordered(found.mappings),
            rest: found.rest,
        }
    }
}

impl Planned for MappingSet {
    type Desired = Desired;
    type Held = Held;
    type Change = Put;

    fn plan(desired: &Desired, held: &Held) -> Result<Plan<Put>> {
        let rows = complete(&desired.rows, &held.rows);
        let calculated = rows
            .iter()
            .find(|it| it.source_type != SourceKind::Attribute);
        let calculated = calculated.map(|it| it.destination.clone());
        let same = held.mark.as_ref() == Some(&desired.mark)
            && held.schema_id.as_ref() == Some(&desired.schema_id)
            && ordered(rows) == held.rows;
        match calculated {
            _ if same => Ok(Plan::Keep),
            Some(destination) if desired.contract == Contract::Legacy2020 => {
                Err(no_attribute(&destination))
            }
            _ => Ok(Plan::Change(Put)),
        }
    }

    fn differences(desired: &Desired, held: &Held, _: &Put) -> Vec<Difference> {
        let mut all = Vec::new();
        let (old, new) = (held.schema_id.as_deref(), desired.schema_id.as_str());
        if old != Some(new) {
            all.push(Difference::new(desired.schema_field, old, new));
        }
        let rows = complete(&desired.rows, &held.rows);
        all.extend(differences(&rows, &held.rows));
        all.extend(Difference::mark(held.mark.as_ref(), &desired.mark));
        all
    }
}

impl Objects for MappingSet {
    type Kind = Self;

    async fn list(session: &Session) -> Result<Listing<Held>> {
        let found = session.adobe().data_prep().list(None).await?;
        Ok(found.map(Into::into))
    }

    async fn find(session: &Session, desired: &Desired) -> Result<Vec<Held>> {
        let adobe = session.adobe();
        let found = adobe.data_prep().list(Some(&desired.name)).await?;
        Ok(found.into_iter().map(Into::into).collect())
    }

    async fn read(session: &Session, id: &str) -> Result<Option<Held>> {
        Ok(session.adobe().data_prep().get(id).await?.map(Into::into))
    }

    async fn delete(session: &Session, held: &Held) -> Result<()> {
        Ok(session.adobe().data_prep().delete(&held.id).await?)
    }
}

impl ManagedKind for MappingSet {
    type Objects = Self;
    /// The `$id` of the schema.
    type Refs = String;
    type Observing = ();

    async fn dereference(&self, lookup: &Lookup<'_>, _: &Session) -> Result<String> {
        let spec = &self.spec;
        lookup.schema_id::<PlatformSchema>(spec.schema_ref.as_ref(), spec.schema_id.as_ref())
    }

    fn desired(&self, schema_id: &String, mark: Mark, tenant: &str) -> Result<Desired> {
        let spec = &self.spec;
        let (namespace, name) = mark.object();
        Ok(Desired {
            name: mark.sign(Some(&format!("{namespace}/{name}"))),
            schema_id: schema_id.clone(),
            schema_field: match spec.schema_ref {
                Some(_) => "spec.schemaRef",
                None => "spec.schemaId",
            },
            rows: rows(&spec.mappings, tenant, spec.contract)?,
            contract: spec.contract,
            validation: spec.validation,
            mark,
        })
    }

    async fn create(session: &Session, desired: &Desired) -> Result<Held> {
        let body = body(desired, None);
        validate(session, desired, &body).await?;
        let made = session.adobe().data_prep().create(&body).await?;
        Ok(image(desired, made.id, made.version))
    }

    async fn update(session: &Session, desired: &Desired, held: &Held, _: Put) -> Result<Held> {
        let body = body(desired, Some(held));
        validate(session, desired, &body).await?;
        let adobe = session.adobe();
        let made = adobe.data_prep().replace(&held.id, &body).await?;
        Ok(changed(desired, held, made.version))
    }

    fn record(desired: &Desired, held: &Held, status: &mut MappingSetStatus) {
        status.version = Some(held.version);
        status.schema_id = Some(desired.schema_id.clone());
    }
}

/// Has Adobe validate the rows first: a write accepts wrong ones without an error.
async fn validate(session: &Session, desired: &Desired, body: &Value) -> Result<()> {
    if desired.validation == MappingValidation::Skip {
        return Ok(());
    }
    let faults = session.adobe().data_prep().validate(body).await?;
    if faults.is_empty() {
        return Ok(());
    }
    Err(Error::Faulty(message(&faults)))
}

fn message(faults: &[MappingFault]) -> String {
    let texts = faults.iter().take(MOST_FAULTS);
    let texts = texts.map(|fault| format!("`{}`: {}", fault.destination, fault.message));
    let rest = match faults.len().saturating_sub(MOST_FAULTS) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    format!(
        "Adobe finds fault with `spec.mappings`: {}{rest}. Correct them, or set `validation: Skip`",
        texts.collect::<Vec<_>>().join("; ")
    )
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::{Mapping, SourceType};
    use crate::engine::Held as _;

    fn mapping(source: &str, destination: &str, source_type: SourceType) -> Mapping {
        Mapping {
            source: source.into(),
            destination: destination.into(),
            source_type: Some(source_type),
        }
    }

    fn desired() -> Desired {
        let mappings = [
            mapping("Product_Id", "_id", SourceType::Attribute),
            mapping("lower(a)", "_tenant.product.name", SourceType::Expression),
        ];
        let mark = Mark::new("o", crate::api::Kind::MappingSet, "ns", "n");
        Desired {
            name: mark.sign(Some("ns/n")),
            mark,
            schema_id: "https://ns.adobe.com/acme/schemas/ab".into(),
            schema_field: "spec.schemaRef",
            rows: rows(&mappings, "acme", Contract::Current).unwrap(),
            contract: Contract::Current,
            validation: MappingValidation::Strict,
        }
    }

    fn planned(desired: &Desired, held: &Held) -> Plan<Put> {
        MappingSet::plan(desired, held).unwrap()
    }

    #[test]
    fn a_calculation_that_adobe_has_does_not_become_a_column_under_the_old_contract() {
        let mut desired = desired();
        let held = image(&desired, "m".into(), 3);
        for row in &mut desired.rows {
            row.source_type = None;
        }
        desired.contract = Contract::Legacy2020;
        assert_eq!(planned(&desired, &held), Plan::Keep);
        desired.rows[0].destination.push('x');
        assert!(MappingSet::plan(&desired, &held).is_err());
    }

    #[test]
    fn what_was_written_is_kept() {
        let desired = desired();
        let held = image(&desired, "m".into(), 3);
        assert_eq!(planned(&desired, &held), Plan::Keep);
    }

    #[test]
    fn other_spellings_and_another_order_are_no_difference() {
        let found: adobe::MappingSet = serde_json::from_value(json!({
            "id": "m", "version": 1, "name": desired().name,
            "outputSchema": { "schemaRef": { "id": desired().schema_id } },
            "mappings": [
                { "sourceType": "text/x.aep-xl", "source": "lower(a)", "destination": "_acme.product.name" },
                { "sourceType": "text/x.schema-path", "sourceAttribute": "Product_Id", "destinationXdmPath": "_id" },
            ],
        }))
        .unwrap();
        let held = Held::from(found);
        assert_eq!(held.mark(), Some(&desired().mark));
        assert_eq!(planned(&desired(), &held), Plan::Keep);
    }

    #[test]
    fn another_source_row_or_schema_is_written_anew() {
        let held = image(&desired(), "m".into(), 0);
        let mut other = desired();
        other.rows[0].source.push('x');
        assert_eq!(planned(&other, &held), Plan::Change(Put));
        let mut other = desired();
        other.rows.pop();
        assert_eq!(planned(&other, &held), Plan::Change(Put));
        let mut other = desired();
        other.schema_id.push('c');
        assert_eq!(planned(&other, &held), Plan::Change(Put));
    }

    #[test]
    fn a_destination_is_filled_once_whatever_it_is_called() {
        let twice = [
            mapping("a", "_tenant.x", SourceType::Attribute),
            mapping("b", "_acme.x", SourceType::Attribute),
        ];
        let error = rows(&twice, "acme", Contract::Current).unwrap_err();
        assert!(error.to_string().contains("`_acme.x` twice"));
    }

    #[test]
    fn the_tutorial_of_2020_knows_attributes_only() {
        let row = [mapping("lower(a)", "b", SourceType::Expression)];
        assert!(rows(&row, "acme", Contract::Legacy2020).is_err());
        let mut legacy = desired();
        legacy.contract = Contract::Legacy2020;
        let body = body(&legacy, None);
        assert_eq!(body["xdmSchema"], legacy.schema_id);
        let first = legacy.rows[0].source.as_str();
        assert_eq!(body["mappings"][0]["sourceAttribute"], first);
    }

    #[test]
    fn the_current_contract_names_the_type_of_every_source_in_the_order_of_the_spec() {
        let mappings = [
            mapping("a", "y", SourceType::Attribute),
            mapping("lower(b)", "x", SourceType::Expression),
            mapping("c", "z", SourceType::Static),
        ];
        let mut desired = desired();
        desired.rows = rows(&mappings, "acme", Contract::Current).unwrap();
        let expected = json!([
            { "sourceType": "ATTRIBUTE", "source": "a", "destination": "y" },
            { "sourceType": "EXPRESSION", "source": "lower(b)", "destination": "x" },
            { "sourceType": "STATIC", "source": "c", "destination": "z" },
        ]);
        assert_eq!(body(&desired, None)["mappings"], expected);
    }

    #[test]
    fn no_more_than_five_faults_are_reported() {
        let fault = MappingFault {
            destination: "a.b".into(),
            source: "c".into(),
            message: "no such field".into(),
        };
        let text = message(&vec![fault; 7]);
        assert!(text.contains("`a.b`: no such field") && text.contains("and 2 more"));
    }

    /// A mapping set that a person made, whose rows say more than a spec can.
    fn by_hand() -> Held {
        let found: adobe::MappingSet = serde_json::from_value(json!({
            "id": "m", "version": 1, "name": "UI mapping", "createdDate": 1, "status": "DRAFT",
            "allowNullValues": true, "strictMapping": false, "tags": [{ "name": "team", "values": ["a"] }],
            "inputSchema": { "id": "i", "version": 0 },
            "outputSchema": { "id": "o", "schemaRef": {
                "id": desired().schema_id, "contentType": "application/vnd.adobe.xed+json;version=1",
            } },
            "mappings": [
                { "id": "1", "sourceType": "text/x.schema-path", "source": "old", "destination": "_id",
                  "name": "id", "description": "said by a person", "identity": true, "matchScore": 0.5 },
                { "id": "2", "sourceType": "text/x.aep-xl", "source": "lower(a)", "functionVersion": 1,
                  "destination": "_acme.product.name", "identity": false, "identityGroup": null },
            ],
        }))
        .unwrap();
        found.into()
    }

    #[test]
    fn a_change_carries_over_what_is_not_in_the_spec() {
        let (desired, held) = (desired(), by_hand());
        let expected = json!({
            "name": desired.mark.sign(Some("UI mapping")),
            "allowNullValues": true, "tags": [{ "name": "team", "values": ["a"] }],
            "outputSchema": { "schemaRef": {
                "id": desired.schema_id, "contentType": "application/vnd.adobe.xed+json;version=1",
            } },
            "mappings": [
                { "sourceType": "ATTRIBUTE", "source": "Product_Id", "destination": "_id",
                  "name": "id", "description": "said by a person", "identity": true },
                { "sourceType": "EXPRESSION", "source": "lower(a)", "destination": "_acme.product.name" },
            ],
        });
        assert_eq!(body(&desired, Some(&held)), expected);
        let after = changed(&desired, &held, 2);
        assert_eq!(
            body(&desired, Some(&after)),
            expected,
            "the next time as well"
        );
        assert_eq!(planned(&desired, &after), Plan::Keep);
    }

    #[test]
    fn rows_that_say_more_than_the_spec_are_no_difference() {
        let mut held = by_hand();
        held.mark = Some(desired().mark);
        held.rows[1].source = "Product_Id".into();
        assert_eq!(planned(&desired(), &held), Plan::Keep);
    }

    #[test]
    fn what_is_changed_is_told_field_by_field() {
        let told = MappingSet::differences(&desired(), &by_hand(), &Put);
        let told: Vec<_> = told.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "`spec.mappings[_id]` `Attribute old` → `Attribute Product_Id`",
                "the owner mark",
            ]
        );
    }
}
