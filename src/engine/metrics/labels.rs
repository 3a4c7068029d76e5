//! The labels of the metrics, all of low cardinality.

use prometheus_client::encoding::EncodeLabelSet;

use crate::api::Kind;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Reconciles {
    pub(super) controller: String,
    pub(super) result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Controller {
    pub(super) controller: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Queue {
    pub(super) name: String,
    pub(super) controller: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Resource {
    pub(super) kind: &'static str,
    pub(super) namespace: String,
    pub(super) name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Object {
    pub(super) namespace: String,
    pub(super) name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Answers {
    pub(super) service: &'static str,
    pub(super) method: &'static str,
    pub(super) code: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Calls {
    pub(super) service: &'static str,
    pub(super) method: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Asked {
    pub(super) service: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Watched {
    pub(super) kind: String,
}

pub(super) fn controller(kind: Kind) -> Controller {
    let controller = kind.name().to_lowercase();
    Controller { controller }
}

pub(super) fn queue(kind: Kind) -> Queue {
    let controller = kind.name().to_lowercase();
    let name = controller.clone();
    Queue { name, controller }
}

pub(super) fn resource(kind: Kind, namespace: &str, name: &str) -> Resource {
    Resource {
        kind: kind.name(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}

pub(super) fn object(namespace: &str, name: &str) -> Object {
    Object {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}
