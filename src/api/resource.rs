//! What all kinds have in common, as code sees it.

use std::fmt::Debug;
use std::hash::Hash;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceColumnDefinition;
use kube::core::object::{HasSpec, HasStatus};
use serde::{Serialize, de::DeserializeOwned};

use super::{CommonStatus, Kind, Management, Reference, ReplacePolicy};

/// What the engine may ask of every custom resource of this API.
pub trait AepResource:
    kube::Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + HasSpec<Spec: Default + Serialize>
    + HasStatus<
        Status: Clone
                    + Debug
                    + Default
                    + PartialEq
                    + Serialize
                    + DeserializeOwned
                    + Send
                    + Sync
                    + AsRef<CommonStatus>
                    + AsMut<CommonStatus>,
    > + Clone
    + Debug
    + DeserializeOwned
    + Serialize
    + Send
    + Sync
    + 'static
{
    /// Which kind it is.
    const KIND: Kind;

    /// The kinds whose objects at Adobe this kind's objects use: those must not be deleted first.
    const USES: &'static [Kind] = &[];

    /// The types of condition that it has besides those of every kind.
    const CONDITIONS: &'static [&'static str] = &[];

    /// What `kubectl get` shows of this kind besides what it shows of all.
    const COLUMNS: &'static [Column] = &[Column::ADOBE_ID];

    /// How the object at Adobe is to be managed.
    fn management(&self) -> Management;

    /// What to do about a change that Adobe cannot make in place.
    fn replace_policy(&self) -> ReplacePolicy {
        ReplacePolicy::Never
    }

    /// Every object that this one names, each once.
    fn references(&self) -> Vec<Reference>;

    /// The ids in the status of what the object is made of, besides its own.
    fn parts(_status: &Self::Status) -> Vec<String> {
        Vec::new()
    }

    /// The part of the status that other custom resources build upon: when it changes, they are reconciled.
    fn published(status: &Self::Status) -> impl Hash {
        status.as_ref().id.clone()
    }
}

/// A column of `kubectl get`.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    name: &'static str,
    type_: &'static str,
    json_path: &'static str,
    /// Whether only `-o wide` shows it.
    wide: bool,
}

impl Column {
    /// The id at Adobe.
    pub const ADOBE_ID: Self = Self::new("Adobe Id", ".status.id");

    /// A column of text.
    #[must_use]
    pub const fn new(name: &'static str, json_path: &'static str) -> Self {
        Self {
            name,
            type_: "string",
            json_path,
            wide: false,
        }
    }

    /// The same with a type of `OpenAPI`, such as `integer` or `date`.
    #[must_use]
    pub const fn of_type(self, type_: &'static str) -> Self {
        Self { type_, ..self }
    }

    /// The same, shown by `-o wide` only.
    #[must_use]
    pub const fn wide(self) -> Self {
        Self { wide: true, ..self }
    }
}

impl From<Column> for CustomResourceColumnDefinition {
    fn from(column: Column) -> Self {
        Self {
            name: column.name.into(),
            type_: column.type_.into(),
            json_path: column.json_path.into(),
            priority: column.wide.then_some(1),
            ..Self::default()
        }
    }
}
