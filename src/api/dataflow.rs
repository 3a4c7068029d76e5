//! The pipeline from source to dataset.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    AepResource, Column, CommonStatus, Contract, Kind, LocalRef, Management, Reference,
    ReplacePolicy, SpecSelector,
    condition_types::LAST_RUN_SUCCEEDED,
    pattern::{ADOBE_ID, ADOBE_ID_MAX, DESCRIPTION_MAX, INSTANT, INTEGER_MAX, NAME_MAX},
    reference::distinct,
};

/// What is read, where it goes, how it is mapped, and when.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "aep-operator.io",
    version = "v1alpha1",
    kind = "Dataflow",
    shortname = "aepdf",
    namespaced,
    status = "DataflowStatus",
    derive = "PartialEq",
    doc = "A dataflow of Adobe's Flow Service: reads a source connection, maps its columns, and \
           writes a target connection, on a schedule. Ready says that Adobe has the dataflow as \
           declared, not how its last run went: LastRunSucceeded says that."
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = (
        "has(self.sourceConnectionRef) != has(self.sourceConnectionId)",
        "exactly one of `sourceConnectionRef` and `sourceConnectionId` must be set",
    ),
    validation = (
        "has(self.targetConnectionRef) != has(self.targetConnectionId)",
        "exactly one of `targetConnectionRef` and `targetConnectionId` must be set",
    ),
    validation = (
        "!has(self.mappingSetRef) || !has(self.mappingSetId)",
        "at most one of `mappingSetRef` and `mappingSetId` must be set",
    ),
    validation = (
        "!has(self.mappingSetVersion) || has(self.mappingSetId)",
        "`mappingSetVersion` must only be set together with `mappingSetId`",
    ),
    validation = (
        "!has(self.deltaColumn) || !has(self.schedule) || self.schedule.frequency != 'Once'",
        "`deltaColumn` must not be set when `schedule.frequency` is 'Once'",
    )
)]
pub struct DataflowSpec {
    /// How the object at Adobe is managed.
    #[serde(flatten)]
    pub management: Management,
    /// Name shown at Adobe, e.g. `Dataflow between payments and Platform`. Changed in place.
    #[schemars(length(min = 1, max = NAME_MAX))]
    pub name: String,
    /// Description shown at Adobe, followed there by the owner mark. Changed in place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = DESCRIPTION_MAX))]
    pub description: Option<String>,
    /// The kind of pipeline: one of Adobe's flow specifications, e.g. `{name: CRMToAEP}` for table
    /// sources or `{name: CloudStorageToAEP}` for files. Adobe cannot change it in place: see
    /// `replacePolicy`.
    pub flow_spec: SpecSelector,
    /// The `SourceConnection` that is read. Adobe cannot change it in place: see `replacePolicy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_connection_ref: Option<LocalRef>,
    /// Id of a source connection that is not managed here, instead of `sourceConnectionRef`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = ADOBE_ID_MAX), regex(pattern = ADOBE_ID))]
    pub source_connection_id: Option<String>,
    /// The `TargetConnection` that is written. Adobe cannot change it in place: see
    /// `replacePolicy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_connection_ref: Option<LocalRef>,
    /// Id of a target connection that is not managed here, instead of `targetConnectionRef`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = ADOBE_ID_MAX), regex(pattern = ADOBE_ID))]
    pub target_connection_id: Option<String>,
    /// The `MappingSet` that turns columns into fields. The dataflow uses its newest version. Omit
    /// this and `mappingSetId` for pipelines that map nothing. Changed in place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping_set_ref: Option<LocalRef>,
    /// Id of a mapping set that is not managed here, instead of `mappingSetRef`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = ADOBE_ID_MAX), regex(pattern = ADOBE_ID))]
    pub mapping_set_id: Option<String>,
    /// Version of the mapping set that `mappingSetId` names. If unset: 0 when the dataflow gets the
    /// mapping set; afterwards whatever Adobe has. Changed in place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = INTEGER_MAX))]
    pub mapping_set_version: Option<i64>,
    /// The column that tells which rows are new since the last run. Required for table sources with
    /// a repeating schedule. Adobe cannot change it in place: see `replacePolicy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delta_column: Option<DeltaColumn>,
    /// When data is read. Omitted for streams, which have no schedule. If unset for a dataflow that
    /// has one at Adobe: Adobe keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// Whether the dataflow runs. If unset: Adobe enables it when it is created, and afterwards it
    /// stays as it is at Adobe, whoever enables or disables it there. Changed in place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<FlowState>,
    /// Version of Adobe's request bodies to send. `Current`: what Adobe documents today.
    /// `Legacy2020`: what Adobe's payments tutorial of 2020 sends, with numbers as strings.
    /// Default: `Current`.
    #[serde(default)]
    pub contract: Contract,
    /// What to do about a change that Adobe cannot make in place. `Never`: refuse it, with a
    /// `Stalled` condition. `Recreate`: create another dataflow, then disable and delete this one;
    /// its run history is lost. Default: `Never`.
    #[serde(default)]
    pub replace_policy: ReplacePolicy,
}

/// The column that tells which rows are new.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeltaColumn {
    /// Name of a date or time column, e.g. `updatedAt`.
    #[schemars(length(min = 1, max = NAME_MAX))]
    pub name: String,
    /// Format of its values, e.g. `YYYY-MM-DD`. Passed on unchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub date_format: Option<String>,
    /// Time zone of its values, e.g. `UTC`. Passed on unchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub timezone: Option<String>,
}

/// When data is read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = (
        "self.frequency == 'Once' || has(self.interval)",
        "`interval` must be set unless `frequency` is 'Once'",
    ),
    validation = (
        "self.frequency != 'Once' || (!has(self.interval) && !has(self.backfill))",
        "neither `interval` nor `backfill` must be set when `frequency` is 'Once'",
    ),
    validation = (
        "self.frequency != 'Minute' || !has(self.interval) || self.interval >= 15",
        "`interval` must be greater than or equal to 15 when `frequency` is 'Minute'",
    )
)]
pub struct Schedule {
    /// Time of the first run, e.g. `2027-01-01T00:00:00Z`. A time in the past means as soon as
    /// possible; `status.startTime` shows the time that was sent to Adobe. Once that time has
    /// passed, Adobe no longer changes it, and neither does the operator.
    #[schemars(regex(pattern = INSTANT))]
    pub start_time: Time,
    /// Unit of `interval`: `Minute`, `Hour`, `Day` or `Week`; or `Once` for a single run. Changed
    /// in place, but not from or to `Once`: see `replacePolicy`.
    pub frequency: Frequency,
    /// Number of units between two runs, e.g. 30 with `Minute` for every half hour. At least 15
    /// with `Minute`. Changed in place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000))]
    pub interval: Option<i32>,
    /// Whether the first run reads all existing data. If unset: Adobe's own default. Cannot change
    /// once the schedule has begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backfill: Option<bool>,
}

/// Unit of the interval between two runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Frequency {
    /// A single run.
    Once,
    /// Minutes, at least 15.
    Minute,
    /// Hours.
    Hour,
    /// Days.
    Day,
    /// Weeks.
    Week,
}

/// Whether runs take place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum FlowState {
    /// Runs take place as scheduled.
    Enabled,
    /// No runs.
    Disabled,
}

/// Status of a dataflow, as reported by the operator.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DataflowStatus {
    /// Fields common to all kinds.
    #[serde(flatten)]
    pub common: CommonStatus,
    /// State of the dataflow as Adobe names it and as it was last read: `enabled`, `disabled`,
    /// `draft`, …; states between two others are not shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub state: Option<String>,
    /// Id of the flow specification in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = ADOBE_ID_MAX))]
    pub flow_spec_id: Option<String>,
    /// Id of the mapping set in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = ADOBE_ID_MAX))]
    pub mapping_set_id: Option<String>,
    /// Version of the mapping set in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = INTEGER_MAX))]
    pub mapping_set_version: Option<i64>,
    /// Start of the schedule that was sent to Adobe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_time: Option<Time>,
    /// The last run that has ended. Absent before the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_run: Option<LastRun>,
    /// The run that is in progress. Absent while there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_run: Option<CurrentRun>,
    /// When a run last succeeded, at least partially.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_success_time: Option<Time>,
}

/// A run that has ended. Counts that Adobe does not report are absent, as is common for failed
/// runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LastRun {
    /// Id of the run at Adobe.
    #[schemars(length(min = 1, max = RUN_ID_MAX))]
    pub id: String,
    /// How it ended, as Adobe names it: `success`, `partialSuccess` or `failed`.
    #[schemars(length(min = 1, max = RUN_STATE_MAX))]
    pub state: String,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_time: Option<Time>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completion_time: Option<Time>,
    /// How long it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = INTEGER_MAX))]
    pub duration_seconds: Option<i64>,
    /// Records read from the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = INTEGER_MAX))]
    pub records_read: Option<i64>,
    /// Records written to the dataset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = INTEGER_MAX))]
    pub records_written: Option<i64>,
    /// Records rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = INTEGER_MAX))]
    pub records_failed: Option<i64>,
    /// The first error, as reported by Adobe. A run may succeed despite an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = RUN_ERROR_MAX))]
    pub error: Option<String>,
}

/// A run that is in progress.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CurrentRun {
    /// Id of the run at Adobe.
    #[schemars(length(min = 1, max = RUN_ID_MAX))]
    pub id: String,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_time: Option<Time>,
}

/// Longest id of a run, in characters.
pub const RUN_ID_MAX: usize = ADOBE_ID_MAX;
/// Longest state of a run, in characters.
pub const RUN_STATE_MAX: usize = 64;
/// Longest error of a run, in characters.
pub const RUN_ERROR_MAX: usize = 1024;
/// Largest number that a status holds.
pub const FIGURE_MAX: i64 = INTEGER_MAX;

impl AepResource for Dataflow {
    const KIND: Kind = Kind::Dataflow;
    const CONDITIONS: &'static [&'static str] = &[LAST_RUN_SUCCEEDED];
    const USES: &'static [Kind] = &[
        Kind::SourceConnection,
        Kind::TargetConnection,
        Kind::MappingSet,
    ];
    const COLUMNS: &'static [Column] = &[
        Column::new("State", ".status.state"),
        Column::new("Last Run", ".status.lastRun.state"),
        Column::ADOBE_ID,
    ];

    fn replace_policy(&self) -> ReplacePolicy {
        self.spec.replace_policy
    }

    fn management(&self) -> Management {
        self.spec.management.clone()
    }

    fn references(&self) -> Vec<Reference> {
        let spec = &self.spec;
        let named = [
            (Kind::SourceConnection, &spec.source_connection_ref),
            (Kind::TargetConnection, &spec.target_connection_ref),
            (Kind::MappingSet, &spec.mapping_set_ref),
        ];
        distinct(
            [spec.management.sandbox()].into_iter().chain(
                named
                    .into_iter()
                    .filter_map(|(kind, name)| Some(name.as_ref()?.to(kind))),
            ),
        )
    }
}
