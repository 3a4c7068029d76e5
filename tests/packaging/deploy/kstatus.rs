//! How far an object is, as Helm, Flux and kpt see it: the library kstatus, for kinds that it does not know.

use aep_test_kit::condition;
use serde_json::Value;

/// What kstatus says of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    Terminating,
    Working,
    Failed,
    Current,
}

/// The first rule that fits.
pub fn progress(object: &Value) -> Progress {
    let (status, metadata) = (&object["status"], &object["metadata"]);
    let is = |type_: &str, value: &str| condition(object, type_)["status"] == value;
    let observed = &status["observedGeneration"];
    if !metadata["deletionTimestamp"].is_null() {
        Progress::Terminating
    } else if !observed.is_null() && *observed != metadata["generation"]
        || is("Reconciling", "True")
    {
        Progress::Working
    } else if is("Stalled", "True") {
        Progress::Failed
    } else if is("Ready", "False") || is("Ready", "Unknown") {
        Progress::Working
    } else {
        Progress::Current
    }
}
