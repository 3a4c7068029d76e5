//! Credentials of a source system at Adobe, or the data lake.

use std::hash::Hash;

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    AepResource, Column, CommonStatus, Kind, Management, OpenObject, Reference, ReplacePolicy,
    SecretKeyRef, SpecSelector, Target,
    open::open_object,
    pattern::{ADOBE_ID_MAX, DESCRIPTION_MAX, NAME_MAX},
    reference::distinct,
};

/// Which system is connected, and with which credentials.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "aep-operator.io",
    version = "v1alpha1",
    kind = "BaseConnection",
    shortname = "aepbc",
    namespaced,
    status = "BaseConnectionStatus",
    derive = "PartialEq",
    doc = "A base connection of Adobe's Flow Service: the credentials with which Adobe reaches a \
           source system such as PayPal, or the connection to the data lake that older target \
           connections need."
)]
#[serde(rename_all = "camelCase")]
pub struct BaseConnectionSpec {
    /// How the object at Adobe is managed.
    #[serde(flatten)]
    pub management: Management,
    /// Name shown at Adobe, e.g. `PayPal`. Changed in place.
    #[schemars(length(min = 1, max = NAME_MAX))]
    pub name: String,
    /// Description shown at Adobe, followed there by the owner mark. If unset, what Adobe has stays.
    /// Changed in place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = DESCRIPTION_MAX))]
    pub description: Option<String>,
    /// The kind of system: one of Adobe's connection specifications, e.g.
    /// `{id: 221c7626-58f6-4eec-8ee2-042b0226f03b}` for PayPal. Adobe cannot change it in place:
    /// see `replacePolicy`.
    pub connection_spec: SpecSelector,
    /// How Adobe authenticates at the system. Omitted for systems without credentials, such as the
    /// data lake.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,
    /// What to do about a change that Adobe cannot make in place. `Never`: refuse it, with a
    /// `Stalled` condition. `Recreate`: create another connection, and delete this one once
    /// nothing uses it any more. Default: `Never`.
    #[serde(default)]
    pub replace_policy: ReplacePolicy,
}

/// How Adobe authenticates at the source system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Auth {
    /// Name of one of the specification's authentication methods, as spelled by Adobe, e.g.
    /// `Client-Id-Secret Based Authentication`. Adobe cannot change it in place: see
    /// `replacePolicy`.
    #[schemars(length(min = 1, max = NAME_MAX))]
    pub spec_name: String,
    /// Parameters that are not secret, e.g. `{host: api.paypal.com}`. Which ones exist depends on
    /// `specName`. Changed in place.
    #[serde(default, skip_serializing_if = "OpenObject::is_empty")]
    #[schemars(schema_with = "open_object")]
    pub params: OpenObject,
    /// Parameters that are secret, each taken from a Secret. They are sent when the Secret changes
    /// and never shown in status, events or logs. A parameter listed here takes precedence over the
    /// same name in `params`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub secret_params: Vec<SecretParam>,
}

/// One parameter whose value is secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretParam {
    /// Name of the parameter at Adobe, e.g. `clientSecret`.
    #[schemars(length(min = 1, max = NAME_MAX))]
    pub name: String,
    /// Where its value comes from.
    pub value_from: SecretParamSource,
}

/// Where the value of a parameter comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretParamSource {
    /// A key of a Secret in this namespace.
    pub secret_key_ref: SecretKeyRef,
}

/// Status of a base connection, as reported by the operator.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BaseConnectionStatus {
    /// Fields common to all kinds.
    #[serde(flatten)]
    pub common: CommonStatus,
    /// Id of the connection specification in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = ADOBE_ID_MAX))]
    pub connection_spec_id: Option<String>,
    /// State of the connection as Adobe names it and as it was last read, e.g. `disabled`; absent as long as it
    /// was never seen in another state than `enabled`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub state: Option<String>,
    /// Where to send data, for streaming connections.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub inlet_url: Option<String>,
    /// Fingerprint of the secret values that were last sent to Adobe, keyed with the Sandbox's own
    /// credentials: when it no longer matches, they are sent again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub credentials_fingerprint: Option<String>,
}

impl AepResource for BaseConnection {
    const KIND: Kind = Kind::BaseConnection;
    const COLUMNS: &'static [Column] = &[Column::new("State", ".status.state"), Column::ADOBE_ID];

    fn replace_policy(&self) -> ReplacePolicy {
        self.spec.replace_policy
    }

    fn management(&self) -> Management {
        self.spec.management.clone()
    }

    fn references(&self) -> Vec<Reference> {
        let secrets = self.spec.auth.iter().flat_map(|auth| &auth.secret_params);
        distinct(
            [self.spec.management.sandbox()]
                .into_iter()
                .chain(secrets.map(|param| {
                    Reference::new(Target::Secret, &param.value_from.secret_key_ref.name)
                })),
        )
    }

    fn published(status: &BaseConnectionStatus) -> impl Hash {
        (&status.common.id, &status.connection_spec_id)
    }
}
