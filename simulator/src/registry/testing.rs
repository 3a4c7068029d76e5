//! A sandbox on a bench: calls to the services by method, path and body, without any server.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::http::{Answer, Body, Request};
use crate::profile::Profile;
use crate::world::{Context, Ids, Sandbox};
use crate::{catalog, data_prep, identity_service, registry};

pub(crate) const RAW: &str = "application/vnd.adobe.xed+json; version=1";
pub(crate) const FULL: &str = "application/vnd.adobe.xed-full+json; version=1";
pub(crate) const LIST: &str = "application/vnd.adobe.xed+json";
pub(crate) const PROFILE: &str = "https://ns.adobe.com/xdm/context/profile";
const XDM: &str = "application/vnd.adobe.xdm+json";

type Service = fn(&Request, &mut Sandbox, &mut Context<'_>) -> Answer;

pub(crate) struct Bench {
    pub(crate) sandbox: Sandbox,
    pub(crate) now_ms: i64,
    pub(crate) list_lag_ms: i64,
    pub(crate) profile: Profile,
    pub(crate) headers: Vec<(String, String)>,
    ids: Ids,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self {
            sandbox: Sandbox::active("dev", "development", false),
            now_ms: 1_730_809_979_000,
            list_lag_ms: 0,
            profile: Profile::Lenient,
            headers: Vec::new(),
            ids: Ids::seeded(7),
        }
    }

    pub(crate) fn with<T>(&mut self, work: impl FnOnce(&mut Sandbox, &mut Context<'_>) -> T) -> T {
        self.now_ms += 1;
        let mut cx = Context {
            now_ms: self.now_ms,
            list_lag_ms: self.list_lag_ms,
            transition_ms: 0,
            profile: self.profile,
            ims_org: "0123456789ABCDEF@AdobeOrg".to_owned(),
            tenant: "acme".to_owned(),
            client_id: "client".to_owned(),
            connectors: &[],
            first_states: &BTreeMap::new(),
            ids: &mut self.ids,
        };
        work(&mut self.sandbox, &mut cx)
    }

    /// `path` may have a query; `%2F` in it stands for a slash inside a segment.
    fn call(&mut self, service: Service, call: &str, accept: &str, body: Option<Value>) -> Answer {
        let (method, target) = call.split_once(' ').unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers = self.headers.clone();
        if !accept.is_empty() {
            headers.push(("accept".to_owned(), accept.to_owned()));
        }
        let request = Request {
            method: method.to_owned(),
            path: path
                .split('/')
                .filter(|s| !s.is_empty())
                .map(|s| s.replace("%2F", "/"))
                .collect(),
            query: query
                .split('&')
                .filter_map(|pair| pair.split_once('='))
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            headers,
            body,
        };
        self.with(|sandbox, cx| service(&request, sandbox, cx))
    }

    pub(crate) fn read(&mut self, path: &str, accept: &str) -> Answer {
        self.call(registry::answer, &format!("GET {path}"), accept, None)
    }

    pub(crate) fn registry(&mut self, call: &str, body: Value) -> Answer {
        self.call(registry::answer, call, "application/json", Some(body))
    }

    pub(crate) fn catalog(&mut self, call: &str, body: Value) -> Answer {
        self.call(catalog::answer, call, "", Some(body))
    }

    pub(crate) fn prep(&mut self, call: &str, body: Value) -> Answer {
        self.call(data_prep::answer, call, "", Some(body))
    }

    pub(crate) fn identities(&mut self, call: &str, body: Value) -> Answer {
        self.call(identity_service::answer, call, "", Some(body))
    }

    pub(crate) fn descriptors(&mut self) -> Value {
        json(&self.read("/tenant/descriptors", XDM))
    }

    /// A Profile schema with contact details; its `$id`.
    pub(crate) fn schema(&mut self, title: &str) -> String {
        self.composed(
            title,
            PROFILE,
            &["profile-personal-details", "profile-person-details"],
        )
    }

    pub(crate) fn composed(&mut self, title: &str, class: &str, groups: &[&str]) -> String {
        let group = |name: &&str| match name.strip_prefix("https:") {
            Some(_) => json!({ "$ref": name }),
            None => json!({ "$ref": format!("https://ns.adobe.com/xdm/context/{name}") }),
        };
        let mut parts = vec![json!({ "$ref": class })];
        parts.extend(groups.iter().map(group));
        self.make("schemas", &json!({ "title": title, "allOf": parts }))
    }

    /// Creates a registry resource; its `$id`.
    pub(crate) fn make(&mut self, kind: &str, body: &Value) -> String {
        let answer = self.registry(&format!("POST /tenant/{kind}"), body.clone());
        assert_eq!(answer.status, 201, "{answer:?}");
        json(&answer)["$id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn group(&mut self, title: &str, fields: &Value) -> String {
        self.make("fieldgroups", &group_of(title, fields))
    }

    pub(crate) fn identity(&mut self, schema: &str, path: &str, primary: bool) -> Answer {
        self.registry(
            "POST /tenant/descriptors",
            json!({
                "@type": "xdm:descriptorIdentity", "xdm:sourceSchema": schema, "xdm:sourceVersion": 1,
                "xdm:sourceProperty": path, "xdm:namespace": "email", "xdm:property": "xdm:code",
                "xdm:isPrimary": primary,
            }),
        )
    }

    pub(crate) fn enable_union(&mut self, schema: &str) -> Answer {
        self.registry(
            &format!("PATCH /tenant/schemas/{}", escaped(schema)),
            json!([{ "op": "add", "path": "/meta:immutableTags", "value": ["union"] }]),
        )
    }

    /// Creates a data set of a schema; its id.
    pub(crate) fn data_set(&mut self, name: &str, schema: &str, tags: &Value) -> String {
        let body = json!({ "name": name, "schemaRef": { "id": schema }, "tags": tags });
        let answer = self.catalog("POST /dataSets", body);
        assert_eq!(answer.status, 201, "{answer:?}");
        let reference = json(&answer)[0].as_str().unwrap().to_owned();
        reference.strip_prefix("@/dataSets/").unwrap().to_owned()
    }
}

/// A field group of the tenant for profiles.
pub(crate) fn group_of(title: &str, fields: &Value) -> Value {
    json!({
        "title": title, "meta:intendedToExtend": [PROFILE],
        "definitions": { "customFields": { "properties": { "_acme": {
            "type": "object", "properties": fields,
        }}}},
        "allOf": [{ "$ref": "#/definitions/customFields" }],
    })
}

pub(crate) fn escaped(id: &str) -> String {
    id.replace('/', "%2F")
}

pub(crate) fn json(answer: &Answer) -> Value {
    match &answer.body {
        Body::Json(body) => body.clone(),
        _ => Value::Null,
    }
}

/// The code at the end of an error's type, with its status checked.
pub(crate) fn code(answer: &Answer) -> String {
    let body = json(answer);
    assert_eq!(body["status"], answer.status, "{answer:?}");
    assert!(body["report"]["registryRequestId"].is_string());
    let kind = body["type"].as_str().unwrap().to_owned();
    kind.rsplit('/').next().unwrap().to_owned()
}
