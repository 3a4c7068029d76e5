//! What the platform does to data sets without being asked.

use serde_json::json;

use super::{tags, write};
use crate::world::{Context, Sandbox};

/// Touches every data set as the platform's own jobs do: tags, `version`, `updated` and `updatedUser` move.
pub fn housekeeping(sandbox: &mut Sandbox, cx: &mut Context<'_>) {
    let ids: Vec<_> = sandbox
        .data_sets
        .iter()
        .map(|(id, _)| id.to_owned())
        .collect();
    for id in ids {
        let Some(data_set) = sandbox.data_sets.get_mut(&id) else {
            continue;
        };
        tags::add_platform_tags(data_set);
        let stamp = json!([cx.now_ms.to_string()]);
        data_set["tags"]["aep/siphon/cleanup/meta/timestamp"] = stamp.clone();
        data_set["tags"]["aep/siphon/cleanup/trash/timestamp"] = stamp;
        data_set["tags"]["acp_granular_validation_flags"] = json!(["requiredFieldCheck:enabled"]);
        write::touch(data_set, "acp_foundation_dataTracker@AdobeID", cx.now_ms);
    }
}
