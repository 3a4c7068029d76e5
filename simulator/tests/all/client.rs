//! A small client and a small world for the tests.

use std::time::Duration;

use aep_simulator::{Options, Simulator, profile::Profile};
use reqwest::{Method, RequestBuilder, header::HeaderMap};
use serde_json::{Value, json};

pub const ORGANISATION: &str = "0123456789ABCDEF@AdobeOrg";
pub const PAYPAL: &str = "221c7626-58f6-4eec-8ee2-042b0226f03b";
pub const DATA_LAKE: &str = "c604ff05-7f1a-43c0-8e18-33bf874cb11c";
pub const TABLE_FLOW: &str = "14518937-270c-4525-bdec-c2ba7cce3860";
pub const DATA_SET: &str = "5c8c3c555033b814b69f947f";
pub const MAPPING: &str = "b54a8dc38e8d4e31a2dc096e413ae8e5";
pub const OTHER_MAPPING: &str = "c54a8dc38e8d4e31a2dc096e413ae8e5";
pub const PROFILE_CLASS: &str = "https://ns.adobe.com/xdm/context/profile";
pub const SCHEMA: &str = "https://ns.adobe.com/acme/schemas/0123";

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Reply {
    /// The status and the last part of the problem's type, such as `FLOW-1403-400`.
    pub fn code(&self) -> (u16, &str) {
        (
            self.status,
            self.body["type"]
                .as_str()
                .and_then(|kind| kind.rsplit('/').next())
                .unwrap_or_default(),
        )
    }

    /// The code of the provider behind Flow Service, such as `1362`.
    pub fn provider(&self) -> &str {
        let text = self.body["report"]["detailed-message"]
            .as_str()
            .unwrap_or_default();
        text.split("CONNECTOR-")
            .nth(1)
            .and_then(|rest| rest.split('-').next())
            .unwrap_or_default()
    }

    pub fn id(&self) -> String {
        self.body["id"]
            .as_str()
            .unwrap_or_else(|| panic!("an id in {self:?}"))
            .to_owned()
    }

    pub fn item(&self) -> &Value {
        &self.body["items"][0]
    }
}

/// A simulator and somebody signed in to it.
pub struct Rig {
    pub simulator: Simulator,
    pub http: reqwest::Client,
    pub token: String,
}

/// Options with one data set and two mapping sets in the sandbox `dev`.
pub fn options() -> Options {
    let mut options = Options {
        transition: Duration::ZERO,
        ..Options::default()
    };
    let dev = &mut options.organisations[0].sandboxes["dev"];
    dev.data_sets.insert(
        DATA_SET,
        json!({ "name": "payments", "version": "1.0.0", "schemaRef": { "id": SCHEMA } }),
        0,
    );
    for (id, schema) in [
        (MAPPING, SCHEMA),
        (OTHER_MAPPING, "https://ns.adobe.com/acme/schemas/other"),
    ] {
        let set =
            json!({ "id": id, "version": 0, "outputSchema": { "schemaRef": { "id": schema } } });
        dev.mapping_sets.insert(id, json!({ "versions": [set] }), 0);
    }
    options
}

impl Rig {
    pub async fn lenient() -> Self {
        Self::with(options()).await
    }

    pub async fn strict() -> Self {
        Self::with(Options {
            profile: Profile::Strict,
            ..options()
        })
        .await
    }

    /// With operations that finish an hour later only.
    pub async fn slow() -> Self {
        Self::with(Options {
            transition: Duration::from_secs(3600),
            ..options()
        })
        .await
    }

    pub async fn with(options: Options) -> Self {
        let simulator = Simulator::start(options).await.unwrap();
        let http = reqwest::Client::new();
        let mut rig = Self {
            simulator,
            http,
            token: String::new(),
        };
        let reply = rig.sign_in("demo-secret").await;
        reply.body["access_token"]
            .as_str()
            .unwrap()
            .clone_into(&mut rig.token);
        rig
    }

    pub async fn sign_in(&self, secret: &str) -> Reply {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", "aep-operator-demo"),
            ("client_secret", secret),
            ("scope", "openid,AdobeID"),
        ];
        let url = format!("{}/ims/token/v3", self.simulator.url());
        send(self.http.post(url).form(&form)).await
    }

    pub fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(
            method,
            format!("{}/data/foundation/flowservice{path}", self.simulator.url()),
        )
    }

    /// A signed call to any service by its whole path below `/data`, for no sandbox yet.
    pub fn signed(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}/data{path}", self.simulator.url()))
            .bearer_auth(&self.token)
            .header("x-api-key", "aep-operator-demo")
            .header("x-gw-ims-org-id", ORGANISATION)
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.signed(method, &format!("/foundation/flowservice{path}"))
            .header("x-sandbox-name", "dev")
    }

    pub async fn get(&self, path: &str) -> Reply {
        send(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        send(self.request(Method::POST, path).json(body)).await
    }

    pub async fn act(&self, path: &str) -> Reply {
        send(self.request(Method::POST, path)).await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        send(self.request(Method::DELETE, path)).await
    }

    /// Reads the etag, then patches with it.
    pub async fn patch(&self, path: &str, body: &Value) -> Reply {
        let etag = self.get(path).await.item()["etag"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        self.patch_as(path, &etag, body).await
    }

    pub async fn patch_as(&self, path: &str, etag: &str, body: &Value) -> Reply {
        send(
            self.request(Method::PATCH, path)
                .header("if-match", etag)
                .json(body),
        )
        .await
    }

    pub async fn create(&self, path: &str, body: &Value) -> String {
        let reply = self.post(path, body).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        reply.id()
    }

    pub async fn connection(&self) -> String {
        self.create("/connections", &connection()).await
    }

    /// A source and a target connection, and the base connection of the source.
    pub async fn ends(&self) -> Ends {
        let base = self.connection().await;
        let source = self.create("/sourceConnections", &source(&base)).await;
        let target = self.create("/targetConnections", &target()).await;
        Ends {
            base,
            source,
            target,
        }
    }

    pub async fn flow(&self) -> (Ends, String) {
        let ends = self.ends().await;
        let flow = self.create("/flows", &ends.flow()).await;
        (ends, flow)
    }

    /// Seconds since the epoch, by the simulator's clock.
    pub fn now(&self) -> i64 {
        self.simulator.now_ms() / 1000
    }
}

#[derive(Debug)]
pub struct Ends {
    pub base: String,
    pub source: String,
    pub target: String,
}

impl Ends {
    /// A flow from one to the other every half hour, from a day ahead.
    pub fn flow(&self) -> Value {
        json!({
            "name": "payments", "flowSpec": { "id": TABLE_FLOW, "version": "1.0" },
            "sourceConnectionIds": [self.source], "targetConnectionIds": [self.target],
            "transformations": [
                { "name": "Copy", "params": { "deltaColumn": { "name": "updatedAt" } } },
                { "name": "Mapping", "params": { "mappingId": MAPPING, "mappingVersion": 0 } } ],
            "scheduleParams": { "startTime": 4_102_444_800_i64, "frequency": "minute", "interval": 30, "backfill": true },
        })
    }

    /// The same, once.
    pub fn once(&self) -> Value {
        let mut flow = self.flow();
        flow["scheduleParams"] = json!({ "startTime": 4_102_444_800_i64, "frequency": "once" });
        flow["transformations"].as_array_mut().unwrap().remove(0);
        flow
    }
}

pub fn connection() -> Value {
    json!({
        "name": "paypal", "connectionSpec": { "id": PAYPAL, "version": "1.0" },
        "auth": { "specName": "Client-Id-Secret Based Authentication",
            "params": { "host": "api.sandbox.paypal.com", "clientId": "me", "clientSecret": "hush" } },
    })
}

pub fn source(base: &str) -> Value {
    json!({
        "name": "source", "baseConnectionId": base, "connectionSpec": { "id": PAYPAL, "version": "1.0" },
        "data": { "format": "tabular" }, "params": { "tableName": "PayPal.Payments" },
    })
}

pub fn target() -> Value {
    json!({
        "name": "target", "connectionSpec": { "id": DATA_LAKE, "version": "1.0" },
        "data": { "schema": { "id": SCHEMA, "version": "application/vnd.adobe.xed-full+json;version=1" } },
        "params": { "dataSetId": DATA_SET },
    })
}

pub async fn send(request: RequestBuilder) -> Reply {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.unwrap();
    Reply {
        status,
        headers,
        body: serde_json::from_str(&text).unwrap_or(Value::String(text)),
    }
}
