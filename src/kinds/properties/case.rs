//! One custom resource and its object, driven as the engine does.

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use serde_json::{Value, json};

use super::Subject;
use super::secrets::Secrets;
use super::stage::{Stage, TRANSITION};
use crate::adobe::Class;
use crate::api::{GROUP, VERSION};
use crate::engine::{self, Error, Held as _, Lookup, Mark, Objects, Plan, Planned};

type Checked<T> = Result<T, TestCaseError>;

/// More than any change takes, waiting included.
const STEPS: usize = 64;

/// What is planned, or the error in words.
type Outcome<K> = Result<Plan<<K as Planned>::Change>, String>;

/// What becomes of an object under a spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Answer {
    /// It stays as it is.
    Kept,
    /// It is changed.
    Reset,
    /// It cannot be changed in place.
    Replace,
    /// It must not be changed.
    Refused,
}

/// A custom resource with its object at Adobe.
pub(super) struct Case<'s, K: Subject> {
    stage: &'s Stage,
    mark: Mark,
    status: K::Status,
    held: K::Held,
}

impl<'s, K: Subject> Case<'s, K> {
    /// Creates the object.
    pub async fn open(stage: &'s Stage, spec: &Value) -> Checked<Self> {
        let mark = stage.next_mark(K::KIND);
        let mut status = K::Status::default();
        let desired = desired::<K>(stage, spec, &mark, &status).await?;
        let desired = desired.map_err(failed("resolve"))?;
        let held = K::create(&stage.session, &desired)
            .await
            .map_err(failed("create"))?;
        K::record(&desired, &held, &mut status);
        Ok(Self {
            stage,
            mark,
            status,
            held,
        })
    }

    /// Has another custom resource take the object over.
    pub async fn disown(&mut self) -> Checked<()> {
        self.mark = self.stage.next_mark(K::KIND);
        self.status = K::Status::default();
        self.read().await
    }

    /// What the spec would do to the object.
    pub async fn answer(&mut self, spec: &Value) -> Checked<Answer> {
        for _ in 0..STEPS {
            return Ok(match self.plan(spec, &self.held).await? {
                Ok(Plan::Keep) => Answer::Kept,
                Ok(Plan::Change(_)) => Answer::Reset,
                Ok(Plan::Replace(_)) => Answer::Replace,
                Err(_) => Answer::Refused,
                Ok(Plan::Wait(_)) => {
                    self.read_later().await?;
                    continue;
                }
            });
        }
        Err(TestCaseError::fail("it waits for ever"))
    }

    /// Brings the object to what the spec says, which must be possible.
    pub async fn arrives(&mut self, spec: &Value) -> Checked<()> {
        let refusal = self.settle(spec).await?;
        prop_assert_eq!(refusal, None, "refused at once");
        Ok(())
    }

    /// Brings the object to what the spec says; returns the reason if that is refused.
    pub async fn settle(&mut self, spec: &Value) -> Checked<Option<String>> {
        let mut changes = Vec::new();
        for _ in 0..STEPS {
            match self.plan(spec, &self.held).await? {
                Ok(Plan::Keep) => return Ok(None),
                Ok(Plan::Wait(_)) => self.read_later().await?,
                Ok(Plan::Change(change)) => {
                    changes.push(format!("{change:?}"));
                    self.update(spec, change).await?;
                }
                Ok(Plan::Replace(why)) | Err(why) => {
                    prop_assert!(changes.is_empty(), "{} after {:?}", why, changes);
                    return Ok(Some(why));
                }
            }
        }
        Err(TestCaseError::fail(format!("no end of {changes:?}")))
    }

    /// Whether a read, a list and a search find the object as the spec wants it.
    pub async fn is_kept(&mut self, spec: &Value) -> Checked<()> {
        for _ in 0..STEPS {
            self.read().await?;
            if !matches!(self.plan(spec, &self.held).await?, Ok(Plan::Wait(_))) {
                break;
            }
            self.read_later().await?;
        }
        prop_assert_eq!(
            self.plan(spec, &self.held).await?,
            Ok(Plan::Keep),
            "{:?}",
            self.held
        );
        let session = &self.stage.session;
        let listed = K::Objects::list(session).await.map_err(failed("list"))?;
        self.is_among(spec, listed.items).await?;
        let desired = self.desired(spec).await?.map_err(failed("resolve"))?;
        let found = K::Objects::find(session, &desired)
            .await
            .map_err(failed("find"))?;
        self.is_among(spec, found).await
    }

    async fn is_among(&self, spec: &Value, all: Vec<K::Held>) -> Checked<()> {
        let ours = all.into_iter().filter(|it| it.mark() == Some(&self.mark));
        let ours: Vec<_> = ours.collect();
        let ids: Vec<_> = ours.iter().map(engine::Held::id).collect();
        prop_assert_eq!(ids, [self.held.id()]);
        for one in &ours {
            prop_assert_eq!(self.plan(spec, one).await?, Ok(Plan::Keep), "{:?}", one);
        }
        Ok(())
    }

    async fn desired(&self, spec: &Value) -> Checked<engine::Result<K::Desired>> {
        desired::<K>(self.stage, spec, &self.mark, &self.status).await
    }

    /// Plans, twice.
    async fn plan(&self, spec: &Value, held: &K::Held) -> Checked<Outcome<K>> {
        let desired = match self.desired(spec).await? {
            Ok(desired) => desired,
            Err(error) => return refusal(error).map(Err),
        };
        let plan = || match K::plan(&desired, held) {
            Ok(plan) => Ok(Ok(plan)),
            Err(error) => refusal(error).map(Err),
        };
        let planned: Outcome<K> = plan()?;
        prop_assert_eq!(&planned, &plan()?);
        Ok(planned)
    }

    async fn update(&mut self, spec: &Value, change: K::Change) -> Checked<()> {
        let desired = self.desired(spec).await?.map_err(failed("resolve"))?;
        let what = format!("{change:?}");
        match K::update(&self.stage.session, &desired, &self.held, change).await {
            Ok(held) => self.held = held,
            // Adobe goes on with an object after it has answered.
            Err(Error::Adobe(error)) if matches!(error.class(), Class::Stale | Class::Busy) => {
                return self.read_later().await;
            }
            Err(error) => return Err(failed(&what)(error)),
        }
        K::record(&desired, &self.held, &mut self.status);
        Ok(())
    }

    async fn read_later(&mut self) -> Checked<()> {
        tokio::time::sleep(TRANSITION).await;
        self.read().await
    }

    async fn read(&mut self) -> Checked<()> {
        let read = K::Objects::read(&self.stage.session, self.held.id()).await;
        let read = read.map_err(failed("read"))?;
        self.held = read.ok_or_else(|| TestCaseError::fail("it is gone"))?;
        Ok(())
    }
}

/// What the engine makes of a spec, in a namespace where nothing else is.
async fn desired<K: Subject>(
    stage: &Stage,
    spec: &Value,
    mark: &Mark,
    status: &K::Status,
) -> Checked<engine::Result<K::Desired>> {
    let (namespace, name) = mark.object();
    let resource: K = serde_json::from_value(json!({
        "apiVersion": format!("{GROUP}/{VERSION}"), "kind": K::KIND.name(),
        "metadata": { "namespace": namespace, "name": name }, "spec": spec, "status": status,
    }))
    .map_err(|error| TestCaseError::fail(error.to_string()))?;
    let secrets = Secrets::of(spec);
    let lookup = Lookup::new(&secrets, namespace, false);
    let session = &stage.session;
    Ok(match resource.dereference(&lookup, session).await {
        Ok(refs) => resource.desired(&refs, mark.clone(), &session.tenant),
        Err(error) => Err(error),
    })
}

/// The words in which a user reads that the spec cannot be; any other error is a failure.
fn refusal(error: Error) -> Checked<String> {
    match error {
        Error::Invalid(why) => Ok(why),
        error => Err(failed("plan")(error)),
    }
}

fn failed(what: &str) -> impl Fn(Error) -> TestCaseError {
    move |error| TestCaseError::fail(format!("{what}: {error}"))
}
