use proptest::prelude::*;
use serde_json::Value;

use super::{DATA_LAKE, DATASET, Desired, Written, data};
use crate::api::{TargetConnection, TargetConnectionSpec, TargetConnectionStatus};
use crate::engine::{Mark, Result};
use crate::kinds::normal::{Label, spec_ref};
use crate::kinds::properties::values::{description, members, object, one_of, perhaps, text, with};
use crate::kinds::properties::{self, Subject, World};

const CONTENT_TYPES: [&str; 2] = [
    "application/vnd.adobe.xed-full+json;version=1",
    "application/vnd.adobe.xed-full+json; version=1.0",
];

impl Subject for TargetConnection {
    fn specs(world: &World) -> BoxedStrategy<Value> {
        let data = members(vec![
            perhaps("format", one_of(["parquet_xdm", "json"])),
            perhaps("schemaVersion", one_of(CONTENT_TYPES)),
        ]);
        members(vec![
            with("name", text()),
            perhaps("description", description()),
            with("datasetId", one_of(world.datasets.clone())),
            perhaps("baseConnectionId", one_of(world.bases.clone())),
            perhaps("data", data),
            perhaps("params", object()),
            perhaps("contract", one_of(["Current", "Legacy2020"])),
        ])
    }

    fn desired(
        spec: &TargetConnectionSpec,
        mark: Mark,
        world: &World,
        _: &TargetConnectionStatus,
    ) -> Result<Desired> {
        let id = spec.dataset_id.clone().unwrap_or_default();
        let schema = world.schema.clone();
        let mut params = spec.params.clone();
        params.insert(DATASET.into(), id.as_str().into());
        Ok(Desired {
            label: Label::new(mark, &spec.name, spec.description.as_deref()),
            base_connection_id: spec.base_connection_id.clone(),
            spec: spec_ref(DATA_LAKE.into(), None),
            data: data(spec, &schema),
            params: params.into(),
            dataset: Written { id, schema },
        })
    }
}

#[test]
fn nothing_written_is_drift() {
    properties::nothing_written_is_drift::<TargetConnection>();
}

#[test]
fn every_change_arrives_or_is_refused() {
    properties::every_change_arrives_or_is_refused::<TargetConnection>();
}
