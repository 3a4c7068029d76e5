//! `BaseConnection`: credentials of a source system.

mod credentials;

use self::credentials::{Credentials, declared, would_be_lost};
use super::compare;
use super::flow_service::{self, FlowObjects, Head, Label, flow_object, head};
use crate::adobe::{Auth, Connection, NewConnection, PatchOp, SpecRef};
use crate::api::{BaseConnection, BaseConnectionStatus};
use crate::engine::{
    Difference, Lookup, ManagedKind, Mark, Objects, Plan, Planned, Result, Session,
};

/// The way to authenticate of connections that hand out an address to send data to.
const STREAMING: &str = "Streaming Connection";
/// Where all parameters are replaced together.
const PARAMS: &str = "/auth/params";

/// What Adobe should hold.
#[derive(Clone, Debug)]
pub struct Desired {
    label: Label,
    spec: SpecRef,
    auth: Option<Credentials>,
}

/// What Adobe holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    head: Head,
    spec: Option<SpecRef>,
    /// Without secrets where we wrote it; with Adobe's masks where it was read.
    auth: Option<Auth>,
    inlet_url: Option<String>,
    /// Fingerprint of the secrets, where we wrote them ourselves; empty if we wrote none.
    fingerprint: Option<String>,
}

flow_object!(Desired, Held, (), |_| Vec::new());

impl From<Connection> for Held {
    fn from(read: Connection) -> Self {
        let params = read.auth.as_ref().map(|auth| &auth.params);
        let inlet_url = params
            .and_then(|params| params.get("inletUrl")?.as_str())
            .map(ToOwned::to_owned);
        Self {
            spec: read.connection_spec,
            auth: read.auth,
            inlet_url,
            fingerprint: None,
            head: head!(read),
        }
    }
}

/// What Adobe holds after a create.
fn image(desired: &Desired, head: Head, inlet_url: Option<String>) -> Held {
    let auth = desired.auth.as_ref().map(|auth| Auth {
        spec_name: auth.spec_name.clone(),
        params: auth.params.clone(),
    });
    Held {
        head,
        spec: Some(desired.spec.clone()),
        auth,
        inlet_url,
        fingerprint: desired.auth.as_ref().map(|auth| auth.fingerprint.clone()),
    }
}

/// What the names in a spec stand for.
#[derive(Debug)]
pub struct Refs {
    spec: SpecRef,
    auth: Option<Credentials>,
}

impl Desired {
    /// Whether others secrets are to be sent than were sent last.
    fn new_secrets(&self, held: &Held) -> bool {
        self.auth.as_ref().is_some_and(|wanted| {
            let given = held.fingerprint.as_ref().unwrap_or(&wanted.given);
            *given != wanted.fingerprint
        })
    }
}

impl Planned for BaseConnection {
    type Desired = Desired;
    type Held = Held;
    type Change = Vec<PatchOp>;

    fn plan(desired: &Desired, held: &Held) -> Result<Plan<Vec<PatchOp>>> {
        let mut fixed = Vec::new();
        let mut ops = desired.label.ops(&held.head);
        let mut lost = None;
        if !flow_service::same_spec(&desired.spec, held.spec.as_ref()) {
            fixed.push("`spec.connectionSpec`");
        }
        match (&desired.auth, &held.auth) {
            (Some(wanted), Some(auth)) if wanted.spec_name == auth.spec_name => {
                if desired.new_secrets(held) || wanted.differing(auth).next().is_some() {
                    // Adobe replaces the parameters as a whole: secrets have to be among them.
                    ops.push(PatchOp::replace(PARAMS, wanted.over(auth, &[])));
                    lost = wanted.lost(auth);
                }
            }
            (Some(_), _) => fixed.push("`spec.auth.specName`"),
            (None, _) => {}
        }
        match lost {
            Some(name) if fixed.is_empty() => Err(would_be_lost(name)),
            _ => Ok(compare::change_or_replace(&fixed, ops)),
        }
    }

    fn differences(desired: &Desired, held: &Held, _: &Vec<PatchOp>) -> Vec<Difference> {
        let mut all = desired.label.differences(&held.head);
        if let (Some(wanted), Some(auth)) = (&desired.auth, &held.auth) {
            let params = wanted.differing(auth);
            all.extend(params.map(|name| Difference::hidden(&format!("spec.auth.params.{name}"))));
            let secrets = desired.new_secrets(held);
            all.extend(secrets.then(|| Difference::hidden("spec.auth.secretParams")));
        }
        all
    }

    fn is_namesake(desired: &Desired, held: &Held) -> bool {
        desired.label.name == held.head.name
    }
}

impl ManagedKind for BaseConnection {
    type Objects = FlowObjects<Connection, Self>;
    type Refs = Refs;
    type Observing = ();

    async fn dereference(&self, lookup: &Lookup<'_>, session: &Session) -> Result<Refs> {
        let spec = &self.spec;
        let auth = match &spec.auth {
            Some(auth) => Some(Credentials::resolve(self, auth, lookup, session).await?),
            None => None,
        };
        let spec = flow_service::connection_spec(session, &spec.connection_spec).await?;
        Ok(Refs { spec, auth })
    }

    fn desired(&self, refs: &Refs, mark: Mark, _: &str) -> Result<Desired> {
        let spec = &self.spec;
        Ok(Desired {
            label: Label::new(mark, &spec.name, spec.description.as_deref()),
            spec: refs.spec.clone(),
            auth: refs.auth.clone(),
        })
    }

    async fn create(session: &Session, desired: &Desired) -> Result<Held> {
        let body = NewConnection {
            name: desired.label.name.clone(),
            description: Some(desired.label.description.clone()),
            auth: desired.auth.as_ref().map(|auth| Auth {
                spec_name: auth.spec_name.clone(),
                params: auth.exposed(),
            }),
            connection_spec: flow_service::versioned(&desired.spec),
        };
        let adobe = session.adobe();
        let created = adobe.flow_service().create::<Connection>(&body).await?;
        let made = image(desired, desired.label.created(created), None);
        let auth = desired.auth.as_ref();
        if auth.is_some_and(|auth| auth.spec_name == STREAMING) {
            // Adobe assigns the address. The object exists, so the next resync makes up for a failed read.
            if let Ok(Some(read)) = Self::Objects::read(session, &made.head.id).await {
                // What was just sent need not be sent again because a read masks it.
                return Ok(Held {
                    fingerprint: made.fingerprint,
                    ..read
                });
            }
        }
        Ok(made)
    }

    async fn update(
        session: &Session,
        desired: &Desired,
        held: &Held,
        mut change: Vec<PatchOp>,
    ) -> Result<Held> {
        let mut after = held.clone();
        let params = change.iter_mut().find(|op| op.path == PARAMS);
        if let (Some(op), Some(wanted), Some(auth)) = (params, &desired.auth, &mut after.auth) {
            let asks = wanted.given.is_empty() || wanted.others(auth).next().is_some();
            let declared = if asks {
                declared(session, &desired.spec, &wanted.spec_name).await?
            } else {
                Vec::new()
            };
            if let Some(name) = wanted.surely_lost(&declared) {
                return Err(would_be_lost(name));
            }
            op.value = Some(wanted.over(auth, &declared).into());
            auth.params.extend(wanted.params.clone());
            after.fingerprint = Some(wanted.fingerprint.clone());
        }
        let patched = flow_service::patch::<Connection>(session, &held.head, &change).await?;
        after.head = desired.label.changed(&held.head, patched.etag);
        Ok(after)
    }

    fn record(desired: &Desired, held: &Held, status: &mut BaseConnectionStatus) {
        // Resources that refer to it follow what Adobe holds, not a change that it may have refused.
        let spec = held.spec.as_ref().unwrap_or(&desired.spec);
        status.connection_spec_id = Some(spec.id.clone());
        let state = held.head.state.as_deref();
        // The usual state is no news of a connection that was created here, and not worth a write.
        if status.state.is_some() || state != Some("enabled") {
            status.state = state.map(ToOwned::to_owned);
        }
        status.inlet_url.clone_from(&held.inlet_url);
        if let Some(written) = &held.fingerprint {
            let written = Some(written.clone()).filter(|it| !it.is_empty());
            status.credentials_fingerprint = written;
        }
    }
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::credentials::Param;
    use super::*;
    use crate::api;
    use crate::kinds::flow_service::tests::{created, label};

    fn desired() -> Desired {
        let params = json!({"host": "api.paypal.com", "port": 443});
        Desired {
            label: label(api::Kind::BaseConnection),
            spec: flow_service::spec_ref("paypal-id".into(), None),
            auth: Some(Credentials {
                spec_name: "Basic".into(),
                params: params.as_object().cloned().unwrap(),
                secrets: vec![("clientSecret".into(), "s3cret".to_owned().into())],
                fingerprint: "1".into(),
                given: String::new(),
            }),
        }
    }

    fn held() -> Held {
        let desired = desired();
        image(&desired, desired.label.created(created()), None)
    }

    fn plan(held: &Held) -> Plan<Vec<PatchOp>> {
        BaseConnection::plan(&desired(), held).unwrap()
    }

    #[test]
    fn what_was_just_created_is_kept() {
        assert_eq!(plan(&held()), Plan::Keep);
    }

    #[test]
    fn masks_other_spellings_and_additions_of_adobe_are_no_difference() {
        let mut held = held();
        let params = &mut held.auth.as_mut().unwrap().params;
        params.insert("port".into(), "443".into());
        params.insert("clientSecret".into(), "*****".into());
        params.insert("host".into(), "********".into());
        params.insert("authorizedDate".into(), 1.into());
        assert_eq!(plan(&held), Plan::Keep);
    }

    #[test]
    fn a_new_name_and_description_are_patched() {
        let mut held = held();
        held.head.name = "old".into();
        held.head.description = String::new();
        let expected = vec![
            PatchOp::replace("/name", "Payments"),
            PatchOp::add("/description", desired().label.description),
        ];
        assert_eq!(plan(&held), Plan::Change(expected));
    }

    #[test]
    fn what_is_absent_or_merely_contains_an_asterisk_is_no_mask() {
        let mut held = held();
        let params = &mut held.auth.as_mut().unwrap().params;
        params.insert("host".into(), "*.paypal.com".into());
        assert!(matches!(plan(&held), Plan::Change(_)));
        let params = &mut held.auth.as_mut().unwrap().params;
        params.remove("host");
        assert!(matches!(plan(&held), Plan::Change(_)));
    }

    #[test]
    fn another_parameter_sends_all_of_them_and_debug_shows_no_secret() {
        let mut held = held();
        let params = &mut held.auth.as_mut().unwrap().params;
        params.insert("host".into(), "old".into());
        let all = json!({"host": "api.paypal.com", "port": 443, "clientSecret": "s3cret"});
        let plan = plan(&held);
        assert!(!format!("{plan:?} {:?}", desired()).contains("s3cret"));
        assert_eq!(
            plan,
            Plan::Change(vec![PatchOp::replace("/auth/params", all)])
        );
    }

    #[test]
    fn secrets_are_sent_again_when_others_were_given_last_whatever_the_mask() {
        let mut held = held();
        held.fingerprint = None;
        let mut desired = desired();
        let plan = |desired: &Desired| BaseConnection::plan(desired, &held).unwrap();
        assert!(matches!(plan(&desired), Plan::Change(_)));
        desired.auth.as_mut().unwrap().given = "1".into();
        assert_eq!(plan(&desired), Plan::Keep);
        desired.auth.as_mut().unwrap().given = "2".into();
        assert!(matches!(plan(&desired), Plan::Change(_)));
    }

    #[test]
    fn another_system_or_way_to_authenticate_needs_a_new_connection() {
        let mut held = held();
        held.spec = Some(flow_service::spec_ref("other".into(), None));
        held.auth.as_mut().unwrap().spec_name = "other".into();
        let fields = "`spec.connectionSpec`, `spec.auth.specName`";
        assert_eq!(plan(&held), Plan::Replace(fields.into()));
    }

    #[test]
    fn a_connection_of_the_same_name_may_be_adopted() {
        let mut held = held();
        assert!(BaseConnection::is_namesake(&desired(), &held));
        held.head.name = "other".into();
        assert!(!BaseConnection::is_namesake(&desired(), &held));
    }

    #[test]
    fn a_way_to_authenticate_that_nobody_named_is_ignored() {
        let mut desired = desired();
        desired.auth = None;
        assert_eq!(BaseConnection::plan(&desired, &held()).unwrap(), Plan::Keep);
    }

    #[test]
    fn parameters_that_nobody_named_stay_but_no_mask_is_written() {
        let mut held = held();
        let params = &mut held.auth.as_mut().unwrap().params;
        params.insert("host".into(), "old".into());
        params.insert("region".into(), "eu".into());
        params.insert("clientSecret".into(), "***".into());
        params.insert("token".into(), "ab*****".into());
        params.insert("certificate".into(), "shown in another way".into());
        let mut desired = desired();
        desired.auth.as_mut().unwrap().given = "1".into();
        let auth = held.auth.as_ref().unwrap();
        let declared = [("region", false), ("certificate", true)];
        let declared = declared.map(|(name, secret)| Param {
            name: name.into(),
            secret,
            required: true,
        });
        let written = desired.auth.as_ref().unwrap().over(auth, &declared);
        let expected = json!({
            "host": "api.paypal.com", "port": 443, "clientSecret": "s3cret", "region": "eu",
        });
        assert_eq!(Value::from(written), expected);
    }

    #[test]
    fn a_secret_that_must_be_there_is_lost_even_if_no_read_shows_it() {
        let declared = ["clientSecret", "host", "token"].map(|name| Param {
            name: name.into(),
            secret: name != "host",
            required: name != "clientSecret",
        });
        let mut auth = desired().auth.unwrap();
        auth.given = String::new();
        assert_eq!(auth.surely_lost(&declared), Some("token"));
        assert_eq!(auth.surely_lost(&declared[..2]), None);
        auth.given = "1".into();
        assert_eq!(auth.surely_lost(&declared), None);
    }

    #[test]
    fn a_secret_that_was_never_ours_is_not_lost_to_a_change_of_another_parameter() {
        let mut held = held();
        held.fingerprint = None;
        let params = &mut held.auth.as_mut().unwrap().params;
        params.insert("host".into(), "old".into());
        params.insert("clientSecret".into(), "********".into());
        let mut desired = desired();
        let auth = desired.auth.as_mut().unwrap();
        auth.secrets.clear();
        auth.fingerprint.clear();
        let error = BaseConnection::plan(&desired, &held)
            .unwrap_err()
            .to_string();
        assert!(error.contains("`clientSecret`"), "{error}");
        // As long as nothing has to be written, nothing has to be named.
        let params = &mut held.auth.as_mut().unwrap().params;
        params.insert("host".into(), "api.paypal.com".into());
        assert_eq!(BaseConnection::plan(&desired, &held).unwrap(), Plan::Keep);
    }

    #[test]
    fn of_parameters_only_the_names_are_told() {
        let mut held = held();
        held.fingerprint = None;
        let params = &mut held.auth.as_mut().unwrap().params;
        params.insert("host".into(), "old".into());
        let told = BaseConnection::differences(&desired(), &held, &Vec::new());
        let told: Vec<_> = told.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            ["`spec.auth.params.host`", "`spec.auth.secretParams`"]
        );
    }
}
