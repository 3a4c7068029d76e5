//! `aep-operator check`: whether the cluster has the CRDs and rights that the operator needs, one line each.

use anyhow::bail;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::Client;
use kube::api::{Api, PostParams};

use crate::api::{GROUP, crds};
use crate::readiness::missing;

/// A right that the operator needs.
struct Right {
    group: &'static str,
    /// With the subresource behind a slash.
    resource: String,
    verb: &'static str,
    namespace: String,
    name: Option<String>,
}

/// Prints one line per requirement; fails if one is not met.
pub async fn check(
    client: Client,
    namespaces: &[String],
    lease: Option<(String, String)>,
) -> anyhow::Result<()> {
    let version = client.apiserver_version().await?;
    println!(
        "ok    the API server answers, version {}",
        version.git_version
    );
    let missing = missing(&client).await?;
    for kind in &missing {
        println!("FAIL  the CRD of {kind} is not installed");
    }
    if missing.is_empty() {
        println!("ok    all CRDs are installed");
    }
    let mut lacks = missing.len();
    for right in rights(namespaces, lease) {
        let allowed = is_allowed(&client, &right).await?;
        let place = if right.namespace.is_empty() {
            "all namespaces"
        } else {
            &right.namespace
        };
        let word = if allowed { "ok   " } else { "FAIL " };
        println!("{word} may {} {} in {place}", right.verb, right.resource);
        lacks += usize::from(!allowed);
    }
    if lacks > 0 {
        bail!("{lacks} of what the operator needs is missing: see the lines that begin with FAIL");
    }
    Ok(())
}

fn rights(namespaces: &[String], lease: Option<(String, String)>) -> Vec<Right> {
    let everywhere = [String::new()];
    let namespaces = if namespaces.is_empty() {
        &everywhere
    } else {
        namespaces
    };
    let mut rights = Vec::new();
    for namespace in namespaces {
        let mut need = |group, resource: &str, verbs: &[&'static str]| {
            rights.extend(verbs.iter().map(|verb| Right {
                group,
                resource: resource.to_owned(),
                verb,
                namespace: namespace.clone(),
                name: None,
            }));
        };
        for crd in crds() {
            let plural = &crd.spec.names.plural;
            need(GROUP, plural, &["get", "list", "watch", "patch"]);
            need(GROUP, &format!("{plural}/status"), &["patch"]);
        }
        need("", "secrets", &["get", "list", "watch"]);
        need("events.k8s.io", "events", &["create", "patch"]);
    }
    if let Some((namespace, name)) = lease {
        // `create` cannot be limited to a name; the other verbs can.
        let names = [
            ("create", None),
            ("get", Some(&name)),
            ("update", Some(&name)),
        ];
        rights.extend(names.map(|(verb, name)| Right {
            group: "coordination.k8s.io",
            resource: "leases".into(),
            verb,
            namespace: namespace.clone(),
            name: name.cloned(),
        }));
    }
    rights
}

async fn is_allowed(client: &Client, right: &Right) -> kube::Result<bool> {
    let (resource, subresource) = match right.resource.split_once('/') {
        Some((resource, subresource)) => (resource, Some(subresource.to_owned())),
        None => (right.resource.as_str(), None),
    };
    let attributes = ResourceAttributes {
        group: Some(right.group.to_owned()),
        resource: Some(resource.to_owned()),
        subresource,
        verb: Some(right.verb.to_owned()),
        namespace: Some(right.namespace.clone()),
        name: right.name.clone(),
        ..ResourceAttributes::default()
    };
    let review = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(attributes),
            ..SelfSubjectAccessReviewSpec::default()
        },
        ..SelfSubjectAccessReview::default()
    };
    let api: Api<SelfSubjectAccessReview> = Api::all(client.clone());
    let answer = api.create(&PostParams::default(), &review).await?;
    Ok(answer.status.is_some_and(|it| it.allowed))
}
