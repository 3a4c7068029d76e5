//! The table: what is known, and the next step. Rows are grouped as `docs/guarantees.md` is.
#![expect(
    clippy::too_many_lines,
    reason = "a table has as many rows as there are cases"
)]

mod forgery;

use super::*;
use crate::api::Kind;
use crate::engine::difference::Difference;
use crate::engine::error::Result;
use crate::engine::mark::Mark;
use crate::engine::reconcile::view::Progress;
use crate::engine::registry::Refusal;

/// A kind as simple as can be: an object has a name and a value.
#[derive(Debug)]
struct Toy;

#[derive(Clone, Debug)]
struct Wanted {
    mark: Mark,
    name: &'static str,
    value: &'static str,
}

#[derive(Clone, Debug)]
struct Object {
    id: &'static str,
    mark: Option<Mark>,
    name: &'static str,
    value: &'static str,
    created: i64,
}

impl Held for Object {
    type Memory = ();

    fn id(&self) -> &str {
        self.id
    }
    fn mark(&self) -> Option<&Mark> {
        self.mark.as_ref()
    }
    fn created(&self) -> Option<i64> {
        Some(self.created)
    }
    fn uses(&self) -> Vec<&str> {
        Vec::new()
    }
}

impl Planned for Toy {
    type Desired = Wanted;
    type Held = Object;
    type Change = &'static str;

    fn plan(desired: &Wanted, held: &Object) -> Result<Plan<&'static str>> {
        Ok(match (desired.value, held.value) {
            ("impossible", _) => return Err(Error::Invalid("impossible".into())),
            (_, "busy") => Plan::Wait("updating".into()),
            (_, "partial") => Plan::Change("add a part"),
            (wanted, held) if wanted != held && wanted.starts_with("fixed") => {
                Plan::Replace("`spec.value`".into())
            }
            (wanted, held) if wanted != held => Plan::Change("the value"),
            _ if held.mark.as_ref() != Some(&desired.mark) => {
                Plan::Change(match desired.mark.revision() {
                    1 => "the mark",
                    _ => "the mark of a later revision",
                })
            }
            _ => Plan::Keep,
        })
    }

    fn differences(_: &Wanted, _: &Object, _: &&'static str) -> Vec<Difference> {
        Vec::new()
    }

    fn is_namesake(desired: &Wanted, held: &Object) -> bool {
        desired.name == held.name
    }

    fn creates(change: &&'static str) -> bool {
        *change == "add a part"
    }
}

#[expect(clippy::struct_excessive_bools, reason = "as in the view")]
/// One row: everything that a decision rests on. A resource that was just applied, unless it says otherwise.
struct Row {
    /// What is to happen, in one sentence.
    says: &'static str,
    known_id: Option<&'static str>,
    obsolete: &'static [&'static str],
    parts: &'static [&'static str],
    next_revision: Option<u32>,
    external_id: Option<&'static str>,
    requested: bool,
    finalizer: bool,
    deleting: bool,
    adopts: bool,
    replaces: bool,
    was_synced: bool,
    established: bool,
    /// Whether the whole sandbox was looked at since the object is missing.
    checked: bool,
    /// Whether somebody must approve of creating anything.
    unapproved: bool,
    refused: bool,
    /// Seconds until a refused request may be sent again, if ever.
    refused_for: Option<u64>,
    /// Seconds until lists tell what came of a create.
    unknown_create: Option<u64>,
    unlisted_user: Option<Kind>,
    /// What the index holds.
    index: Vec<Object>,
    stale: &'static [&'static str],
    /// Objects of which Adobe did not keep the mark.
    cut: &'static [&'static str],
    forgotten: &'static [&'static str],
    /// Custom resources that exist besides this one, by name.
    exist: &'static [&'static str],
    /// Objects that others use.
    used: &'static [&'static str],
    dereferenced: bool,
    value: &'static str,
    progress: Progress<Toy>,
}

/// What is to happen, of a resource that was just applied and whose spec was dereferenced.
fn row(says: &'static str) -> Row {
    Row {
        says,
        known_id: None,
        obsolete: &[],
        parts: &[],
        next_revision: None,
        external_id: None,
        requested: false,
        finalizer: false,
        deleting: false,
        adopts: false,
        replaces: false,
        was_synced: false,
        established: false,
        checked: true,
        unapproved: false,
        refused: false,
        refused_for: None,
        unknown_create: None,
        unlisted_user: None,
        index: Vec::new(),
        stale: &[],
        cut: &[],
        forgotten: &[],
        exist: &[],
        used: &[],
        dereferenced: true,
        value: "v",
        progress: Progress::default(),
    }
}

/// The same of a resource that has an object, which the index shows as it should be.
fn synced(says: &'static str) -> Row {
    Row {
        known_id: Some("a"),
        finalizer: true,
        index: vec![ours("a")],
        ..row(says)
    }
}

/// The same once the object was taken.
fn taken(says: &'static str) -> Row {
    synced(says).on(ours("a"))
}

/// The same of a resource that is being deleted.
fn deleting(says: &'static str) -> Row {
    Row {
        deleting: true,
        ..synced(says)
    }
}

fn claim() -> Mark {
    Mark::new("team/default", Kind::Dataset, "team", "n")
}

/// Our object.
fn ours(id: &'static str) -> Object {
    Object {
        id,
        mark: Some(claim()),
        name: "N",
        value: "v",
        created: 1,
    }
}

fn revised(id: &'static str, revision: u32) -> Object {
    marked(id, claim().at(revision))
}

fn marked(id: &'static str, mark: Mark) -> Object {
    Object {
        mark: Some(mark),
        ..ours(id)
    }
}

fn unmarked(id: &'static str) -> Object {
    Object {
        mark: None,
        ..ours(id)
    }
}

fn younger(object: Object) -> Object {
    Object {
        created: 2,
        ..object
    }
}

fn valued(object: Object, value: &'static str) -> Object {
    Object { value, ..object }
}

impl Row {
    /// Works on this object.
    fn on(mut self, object: Object) -> Self {
        self.progress.current = Some(Arc::new(object));
        self
    }

    /// The object was read in this reconcile.
    fn fresh(mut self, id: &str) -> Self {
        self.progress.fresh.insert(id.to_owned());
        self
    }

    /// A read denied the object in this reconcile.
    fn denied(mut self, id: &str) -> Self {
        self.progress.denied.insert(id.to_owned());
        self
    }

    /// A search for the revision found this.
    fn found(mut self, revision: u32, objects: Vec<Object>) -> Self {
        self.progress.found = Some((revision, objects));
        self
    }

    /// The change has changed our progress.
    fn after(mut self, change: impl FnOnce(&mut Progress<Toy>)) -> Self {
        change(&mut self.progress);
        self
    }

    /// What the user reads in the condition.
    fn refusal(&self) -> String {
        match self.decide() {
            Step::Stop(error) => error.to_string(),
            step => panic!("{}: {}", self.says, words(&step)),
        }
    }

    fn decide(&self) -> Step<Toy> {
        let mut claimed: Vec<_> = self.index.iter().cloned().map(Arc::new).collect();
        claimed.retain(|it| it.mark().is_some_and(|mark| mark.claim() == claim()));
        claimed.sort_by_key(|it| precedence(it.as_ref()));
        let wanted = |revision| match self.value {
            "nonsense" => Err(Error::Invalid("nonsense".into())),
            value => Ok(Arc::new(Wanted {
                mark: claim().at(revision),
                name: "N",
                value,
            })),
        };
        let object = |id: &str| self.index.iter().find(|it| it.id == id).cloned();
        let unapproved = || Error::Unapproved {
            sandbox: "default".into(),
            time: "2026-11-28T13:00:00Z".into(),
        };
        let seconds = Duration::from_secs;
        decide(&View {
            claim: claim(),
            known_id: self.known_id.map(Into::into),
            obsolete: self.obsolete.iter().map(|it| (*it).into()).collect(),
            parts: self.parts.iter().map(|it| (*it).into()).collect(),
            next_revision: self.next_revision,
            external_id: self.external_id.map(Into::into),
            requested: self.requested,
            has_finalizer: self.finalizer,
            deleting: self.deleting,
            adopts: self.adopts,
            replaces: self.replaces,
            was_synced: self.was_synced,
            established: self.established,
            checked: self.checked,
            unapproved: &|| self.unapproved.then(unapproved),
            refusal: self.refused.then(|| Refusal {
                left: self.refused_for.map(seconds),
            }),
            unknown_create: self.unknown_create.map(seconds),
            unlisted_user: self.unlisted_user,
            claimed,
            object: &|id| object(id).map(Arc::new),
            is_stale: &|id| self.stale.contains(&id),
            is_cut: &|id| self.cut.contains(&id),
            is_forgotten: &|id| self.forgotten.contains(&id),
            exists: &|mark| {
                ["n"]
                    .iter()
                    .chain(self.exist)
                    .any(|it| *it == mark.object().1)
            },
            user: &|id| self.used.contains(&id).then(|| "Dataflow/f".into()),
            desired: self.dereferenced.then_some(&wanted as _),
            progress: &self.progress,
        })
    }
}

/// A step in a few words.
fn words(step: &Step<Toy>) -> String {
    let wait = |retry: &Retry| match retry {
        Retry::OnChange => "on change".into(),
        Retry::After(wait) => format!("after {} s", wait.as_secs()),
        Retry::Backoff | Retry::Poll => "with backoff".to_owned(),
    };
    match step {
        Step::Done(None) => "done".into(),
        Step::Done(Some(retry)) => format!("done, again {}", wait(retry)),
        Step::Dereference => "dereference".into(),
        Step::Read(id) => format!("read {id}"),
        Step::Find(revision) => format!("find R{revision}"),
        Step::List { required: true } => "list".into(),
        Step::List { required: false } => "list if possible".into(),
        Step::Probe(id) => format!("probe {id}"),
        Step::Take(object, origin) => format!("take {} ({origin:?})", object.id),
        Step::AddFinalizer => "add finalizer".into(),
        Step::Create(revision, None) => format!("create R{revision}"),
        Step::Create(revision, Some(what)) => format!("create R{revision} for {what}"),
        Step::Update(change) => format!("update {change}"),
        Step::Reserve => "reserve".into(),
        Step::Record(id) => format!("record {id}"),
        Step::Retire(id) => format!("retire {id}"),
        Step::Delete(id) => format!("delete {id}"),
        Step::Stop(error) => {
            let verdict = error.verdict();
            format!("{}, again {}", verdict.reason, wait(&verdict.retry))
        }
    }
}

/// Checks every row against the step that it is to lead to.
fn check<const N: usize>(rows: [(Row, &str); N]) {
    for (row, step) in rows {
        assert_eq!(words(&row.decide()), step, "{}", row.says);
    }
}

#[test]
fn a_resource_gets_one_object_whatever_is_lost() {
    check([
        (
            Row {
                dereferenced: false,
                ..row("a new resource looks up what it names first")
            },
            "dereference",
        ),
        (
            row("the finalizer is written before the first create"),
            "add finalizer",
        ),
        (
            Row {
                finalizer: true,
                ..row("with the finalizer, the object is created")
            },
            "create R1",
        ),
        (
            Row {
                finalizer: true,
                unknown_create: Some(9),
                ..row("where a create may have taken effect, the object is looked for by name")
            },
            "find R1",
        ),
        (
            Row {
                finalizer: true,
                unknown_create: Some(9),
                ..row("it is looked for every two seconds").found(1, vec![])
            },
            "CreateUnsure, again after 2 s",
        ),
        (
            Row {
                finalizer: true,
                unknown_create: Some(1),
                ..row("or as soon as lists tell for sure").found(1, vec![])
            },
            "CreateUnsure, again after 1 s",
        ),
        (
            Row {
                finalizer: true,
                unknown_create: Some(9),
                ..row("what bears the very mark is ours").found(1, vec![ours("a")])
            },
            "take a (Recovered)",
        ),
        (
            Row {
                finalizer: true,
                unknown_create: Some(9),
                ..row("of several, the oldest is").found(
                    1,
                    vec![
                        Object {
                            created: 2,
                            ..ours("b")
                        },
                        ours("a"),
                    ],
                )
            },
            "take a (Recovered)",
        ),
        (
            Row {
                finalizer: true,
                unknown_create: Some(9),
                forgotten: &["a"],
                ..row("what we deleted a moment ago is not").found(1, vec![ours("a")])
            },
            "CreateUnsure, again after 2 s",
        ),
        (
            Row {
                finalizer: true,
                unknown_create: Some(9),
                ..row("nor what bears another revision").found(1, vec![revised("a", 2)])
            },
            "CreateUnsure, again after 2 s",
        ),
        (
            Row {
                finalizer: true,
                unknown_create: Some(9),
                ..row("nor what bears no mark").found(1, vec![unmarked("a")])
            },
            "CreateUnsure, again after 2 s",
        ),
        (
            Row {
                finalizer: true,
                unknown_create: Some(0),
                ..row("once lists tell for sure, everything is listed").found(1, vec![])
            },
            "list",
        ),
        (
            Row {
                finalizer: true,
                index: vec![ours("a")],
                ..row("what the list shows is ours, whatever its name").after(|it| it.listed = true)
            },
            "take a (Recovered)",
        ),
        (
            Row {
                finalizer: true,
                ..row("only if it is not there, the object is created")
                    .found(1, vec![])
                    .after(|it| it.listed = true)
            },
            "create R1",
        ),
        (
            Row {
                unknown_create: Some(9),
                ..taken("a part is not created where one may have been")
                    .on(valued(ours("a"), "partial"))
            },
            "CreateUnsure, again after 9 s",
        ),
        (
            Row {
                unknown_create: Some(0),
                ..taken("then everything is listed").on(valued(ours("a"), "partial"))
            },
            "list",
        ),
        (
            taken("a part is added to an object that was just read")
                .on(valued(ours("a"), "partial"))
                .fresh("a"),
            "update add a part",
        ),
        (
            Row {
                unknown_create: Some(9),
                ..taken("what creates nothing does not wait for that")
                    .on(valued(ours("a"), "w"))
                    .fresh("a")
            },
            "update the value",
        ),
    ]);
}

#[test]
fn an_object_is_found_again_without_a_status() {
    check([
        (
            synced("a known object is taken from memory"),
            "take a (Known)",
        ),
        (
            Row {
                known_id: None,
                ..synced("without an id, the mark tells")
            },
            "take a (Known)",
        ),
        (
            Row {
                finalizer: false,
                ..taken("what was found must be deleted one day, too")
            },
            "add finalizer",
        ),
        (
            Row {
                dereferenced: false,
                ..taken("what was found is compared with the spec")
            },
            "dereference",
        ),
        (taken("what is in sync stays as it is"), "done"),
    ]);
}

#[test]
fn drift_is_read_once_more_and_put_right() {
    check([
        (
            taken("what differs is read once more").on(valued(ours("a"), "w")),
            "read a",
        ),
        (
            taken("and changed").on(valued(ours("a"), "w")).fresh("a"),
            "update the value",
        ),
        (
            taken("a mark that was edited away is written again")
                .on(unmarked("a"))
                .fresh("a"),
            "update the mark",
        ),
        (
            taken("while Adobe is at work on it, that is waited for")
                .on(valued(ours("a"), "busy"))
                .fresh("a"),
            "Progressing, again with backoff",
        ),
        (
            Row {
                value: "impossible",
                ..taken("what cannot be is not asked for")
            },
            "InvalidSpec, again on change",
        ),
        (
            Row {
                requested: true,
                ..synced("on request the object is read")
            },
            "read a",
        ),
        (
            Row {
                requested: true,
                ..synced("once").fresh("a")
            },
            "take a (Known)",
        ),
        (
            Row {
                stale: &["a"],
                ..synced("after a change without an answer it is read")
            },
            "read a",
        ),
        (
            Row {
                index: vec![],
                ..synced("a list that lacks the object proves nothing")
            },
            "read a",
        ),
        (
            Row {
                index: vec![unmarked("a")],
                ..synced("the object in the status is ours without a mark")
            },
            "take a (Known)",
        ),
        (
            Row {
                index: vec![ours("b")],
                ..synced("another object with our mark does not replace it unread")
            },
            "read a",
        ),
        (
            Row {
                index: vec![ours("b")],
                ..synced("but does once it is gone").denied("a")
            },
            "take b (Known)",
        ),
        (
            Row {
                index: vec![unmarked("a"), ours("b")],
                ..synced(
                    "a mark that was moved to another object is written again on the one in the status",
                )
            },
            "take a (Known)",
        ),
        (
            Row {
                cut: &["a"],
                was_synced: true,
                ..taken("a mark that Adobe does not keep is not written again and again")
                    .on(unmarked("a"))
            },
            "InvalidSpec, again on change",
        ),
        (
            Row {
                cut: &["a"],
                was_synced: true,
                index: vec![],
                ..taken("even if what is left looks like that of another resource").on(marked(
                    "a",
                    Mark::new("team/default", Kind::Dataset, "team", "m"),
                ))
            },
            "InvalidSpec, again on change",
        ),
        (
            Row {
                cut: &["a"],
                ..taken("but it is once the spec was edited")
                    .on(unmarked("a"))
                    .fresh("a")
            },
            "update the mark",
        ),
    ]);
}

#[test]
fn an_object_is_created_again_only_once_it_is_certainly_gone() {
    let gone = |says| Row {
        index: vec![],
        ..synced(says).denied("a")
    };
    check([
        (
            Row {
                unknown_create: Some(9),
                ..gone("it is looked for")
            },
            "find R1",
        ),
        (
            Row {
                unknown_create: Some(9),
                ..gone("until lists tell for sure").found(1, vec![])
            },
            "Missing, again after 2 s",
        ),
        (
            Row {
                unknown_create: Some(9),
                ..gone("where a search shows what a read denies, nothing is created")
                    .found(1, vec![ours("a")])
            },
            "Missing, again after 2 s",
        ),
        (
            Row {
                unknown_create: Some(9),
                ..gone("another one that a search shows with our mark takes its place")
                    .found(1, vec![ours("b")])
            },
            "take b (Recovered)",
        ),
        (
            Row {
                unknown_create: Some(0),
                ..gone("before the list, it is asked whether it is hidden").found(1, vec![])
            },
            "probe a",
        ),
        (
            Row {
                unknown_create: Some(0),
                ..gone("then everything is listed")
                    .found(1, vec![])
                    .after(|it| assert!(it.not_hidden.insert("a".into())))
            },
            "list",
        ),
        (
            synced("where the list shows what the read denies, nothing is created")
                .denied("a")
                .after(|it| it.listed = true),
            "Missing, again after 2 s",
        ),
        (
            gone("if it is not there, it is created again").after(|it| it.listed = true),
            "create R1",
        ),
        (
            Row {
                checked: false,
                dereferenced: false,
                ..gone("before the whole sandbox was looked at, nothing is looked up")
            },
            "Missing, again after 1 s",
        ),
        (
            Row {
                checked: false,
                index: vec![],
                ..synced("nor read again")
            },
            "Missing, again after 1 s",
        ),
        (
            Row {
                checked: false,
                requested: true,
                index: vec![],
                ..synced("except on request")
            },
            "read a",
        ),
        (
            Row {
                checked: false,
                ..gone("nor created").after(|it| it.listed = true)
            },
            "Missing, again after 1 s",
        ),
        (
            taken("an object that went while it was worked on is looked for again").denied("a"),
            "Missing, again after 1 s",
        ),
    ]);
}

#[test]
fn where_nearly_everything_is_gone_nothing_is_created_before_somebody_approves() {
    let held = |says| Row {
        unapproved: true,
        index: vec![],
        ..synced(says)
    };
    check([
        (
            held("what no list shows is not read again and again"),
            "ApprovalRequired, again on change",
        ),
        (
            held("what a read denies is not created").denied("a"),
            "ApprovalRequired, again on change",
        ),
        (
            Row {
                known_id: None,
                dereferenced: false,
                ..held("nor is anything else")
            },
            "ApprovalRequired, again on change",
        ),
        (
            Row {
                index: vec![ours("a")],
                ..held("what is there is compared")
            },
            "take a (Known)",
        ),
        (
            Row {
                value: "w",
                ..taken("and changed").fresh("a")
            },
            "update the value",
        ),
    ]);
}

#[test]
fn an_object_is_adopted_only_on_purpose() {
    let named = |says| Row {
        external_id: Some("x"),
        ..row(says)
    };
    check([
        (
            named("the object that the annotation names is read"),
            "read x",
        ),
        (
            Row {
                index: vec![unmarked("x")],
                ..named("even if a list showed it, for it bears no mark")
            },
            "read x",
        ),
        (
            Row {
                index: vec![unmarked("x")],
                ..named("then it is taken").fresh("x")
            },
            "take x (Known)",
        ),
        (
            Row {
                index: vec![ours("x")],
                ..named("once it bears our mark, it need not be read")
            },
            "take x (Known)",
        ),
        (
            Row {
                index: vec![ours("x")],
                requested: true,
                ..named("unless that is requested")
            },
            "read x",
        ),
        (
            named("one that does not exist is refused").denied("x"),
            "InvalidSpec, again on change",
        ),
        (
            Row {
                known_id: Some("x"),
                index: vec![ours("x")],
                ..named("the annotation may stay once the object was adopted")
            },
            "take x (Known)",
        ),
        (
            Row {
                known_id: Some("a"),
                index: vec![ours("a")],
                ..named("a resource that has an object already takes no other")
            },
            "InvalidSpec, again on change",
        ),
        (
            Row {
                index: vec![ours("x"), revised("b", 7)],
                known_id: Some("b"),
                ..named("what replaced an adopted object is not the one that the annotation names")
            },
            "take b (Known)",
        ),
        (
            Row {
                index: vec![revised("b", 9)],
                ..named("nor does another object count, whatever its revision")
            },
            "read x",
        ),
        (
            Row {
                index: vec![revised("b", 9)],
                ..named("unless what it names is gone, and the status").denied("x")
            },
            "take b (Known)",
        ),
        (
            Row {
                index: vec![ours("b"), younger(ours("x"))],
                ..named("of several with our mark, it is the one that the annotation names")
            },
            "take x (Known)",
        ),
        (
            Row {
                adopts: true,
                ..row("where the policy allows it, a namesake is looked for")
            },
            "find R1",
        ),
        (
            Row {
                adopts: true,
                ..row("one that nobody owns is adopted").found(1, vec![unmarked("x")])
            },
            "take x (Adopted)",
        ),
        (
            Row {
                adopts: true,
                ..row("of several, none is").found(1, vec![unmarked("x"), unmarked("y")])
            },
            "InvalidSpec, again on change",
        ),
        (
            Row {
                adopts: true,
                value: "nonsense",
                ..row("nor while the spec is invalid").found(1, vec![unmarked("x")])
            },
            "InvalidSpec, again on change",
        ),
        (
            Row {
                adopts: true,
                ..row("one that somebody owns is not").found(
                    1,
                    vec![marked("x", Mark::new("o", Kind::Dataset, "m", "o"))],
                )
            },
            "add finalizer",
        ),
        (
            Row {
                adopts: true,
                ..row("nor one of another name").found(
                    1,
                    vec![Object {
                        name: "M",
                        ..unmarked("x")
                    }],
                )
            },
            "add finalizer",
        ),
        (
            Row {
                value: "fixed",
                replaces: true,
                ..taken("what bears no mark yet is never replaced").on(valued(unmarked("a"), "w"))
            },
            "ReplaceRequired, again on change",
        ),
    ]);
}

#[test]
fn an_object_with_another_owner_is_left_alone() {
    let sibling = Mark::new("team/default", Kind::Dataset, "team", "other");
    let foreign = Mark::new("elsewhere", Kind::Dataset, "team", "other");
    let distant = Mark::new("team/default", Kind::Dataset, "far", "other");
    let named = |says, mark: &Mark| Row {
        external_id: Some("x"),
        index: vec![marked("x", mark.clone())],
        ..row(says).fresh("x")
    };
    let known = |says, mark: &Mark| Row {
        index: vec![marked("a", mark.clone())],
        exist: &["other"],
        ..synced(says)
    };
    let left_behind = |says| Row {
        external_id: Some("a"),
        established: true,
        ..taken(says).on(marked("a", sibling.at(2)))
    };
    check([
        (
            Row {
                exist: &["other"],
                ..named("the object of another resource stays its own", &sibling)
            },
            "AlreadyOwned, again after 300 s",
        ),
        (
            named(
                "so does that of one that does not exist, in a young Sandbox",
                &sibling,
            ),
            "AlreadyOwned, again after 300 s",
        ),
        (
            Row {
                external_id: Some("x"),
                index: vec![marked("x", sibling.clone())],
                established: true,
                ..row("in an established one, it is read first")
            },
            "read x",
        ),
        (
            Row {
                established: true,
                ..named("then it can be adopted by its id", &sibling)
            },
            "take x (Known)",
        ),
        (
            Row {
                established: true,
                ..named("that of another owner cannot", &foreign)
            },
            "OwnedElsewhere, again on change",
        ),
        (
            Row {
                established: true,
                ..named(
                    "nor that of another namespace, of which nothing is known",
                    &distant,
                )
            },
            "AlreadyOwned, again after 300 s",
        ),
        (
            left_behind("what was adopted gets our mark, as the first revision").fresh("a"),
            "update the mark",
        ),
        (
            Row {
                value: "fixed",
                replaces: true,
                ..left_behind("until it bears that mark, it is not replaced")
            },
            "ReplaceRequired, again on change",
        ),
        (
            known(
                "a mark that was replaced by another resource's gives the object up",
                &sibling,
            ),
            "AlreadyOwned, again after 300 s",
        ),
        (
            known("as one that was replaced by another owner's does", &foreign),
            "OwnedElsewhere, again on change",
        ),
        (
            Row {
                index: vec![marked("a", foreign.clone())],
                ..taken("also after a read").on(marked("a", foreign.clone()))
            },
            "OwnedElsewhere, again on change",
        ),
    ]);
}

#[test]
fn a_refusal_names_what_stands_in_the_way() {
    let sibling = Mark::new("team/default", Kind::Dataset, "team", "other");
    let owned = Row {
        external_id: Some("x"),
        index: vec![marked("x", sibling)],
        exist: &["other"],
        ..row("the owner").fresh("x")
    };
    let text = owned.refusal();
    assert!(text.contains("x already belongs to team/other"), "{text}");
    let namesakes = ["a", "b", "c", "d", "e", "f"].map(unmarked);
    let several = Row {
        adopts: true,
        ..row("no more than five of many").found(1, namesakes.to_vec())
    };
    let text = several.refusal();
    assert!(text.starts_with("6 objects "), "{text}");
    assert!(text.contains("(a, b, c, d, e)"), "{text}");
}

#[test]
fn a_duplicate_is_left_alone() {
    check([
        (
            Row {
                index: vec![ours("b"), ours("a")],
                ..synced("of two objects with one mark, the one in the status counts")
            },
            "take a (Known)",
        ),
        (
            Row {
                known_id: None,
                index: vec![
                    Object {
                        created: 2,
                        ..ours("b")
                    },
                    ours("a"),
                ],
                ..synced("without it, the older one")
            },
            "take a (Known)",
        ),
        (
            Row {
                index: vec![ours("a"), ours("b")],
                ..taken("the other one is left alone")
            },
            "done",
        ),
        (
            Row {
                index: vec![ours("a"), revised("b", 9)],
                ..taken("also where its mark was raised")
            },
            "done",
        ),
        (
            Row {
                known_id: None,
                index: vec![younger(revised("b", 9)), ours("a")],
                ..synced(
                    "a copy with a raised mark is no reason to move to it after a status was lost",
                )
            },
            "take a (Known)",
        ),
        (
            Row {
                known_id: None,
                index: vec![younger(revised("b", 9)), ours("a")],
                dereferenced: false,
                ..synced("which is told from a replacement by the spec")
            },
            "dereference",
        ),
        (
            Row {
                known_id: None,
                value: "fixed",
                index: vec![ours("a"), younger(valued(revised("b", 9), "fixed"))],
                ..synced("where only the younger one fits, it has replaced the other")
            },
            "take b (Known)",
        ),
        (
            Row {
                index: vec![],
                known_id: Some("b"),
                obsolete: &["a"],
                ..synced("what was replaced does not come back").denied("b")
            },
            "create R1",
        ),
    ]);
}

#[test]
fn a_replacement_is_there_before_what_it_replaces_goes() {
    let fixed = |says| Row {
        value: "fixed",
        replaces: true,
        ..taken(says)
    };
    let both = vec![ours("a"), younger(revised("b", 7))];
    let begun = |says| Row {
        next_revision: Some(7),
        ..fixed(says)
    };
    check([
        (
            Row {
                replaces: false,
                ..fixed("what cannot be changed in place is refused")
            },
            "ReplaceRequired, again on change",
        ),
        (
            Row {
                replaces: false,
                was_synced: true,
                ..fixed("so is a change of that at Adobe")
            },
            "ReplaceRequired, again on change",
        ),
        (
            fixed("where the policy allows it, the object is read"),
            "read a",
        ),
        (
            fixed("a revision is drawn and written into the status").fresh("a"),
            "reserve",
        ),
        (
            begun("and the object is replaced").fresh("a"),
            "create R7 for `spec.value`",
        ),
        (
            Row {
                unknown_create: Some(9),
                ..begun("a replacement that may have been created is looked for").fresh("a")
            },
            "find R7",
        ),
        (
            Row {
                unknown_create: Some(9),
                ..begun("what was found of the first revision does not count")
                    .fresh("a")
                    .found(1, vec![ours("a")])
            },
            "find R7",
        ),
        (
            Row {
                unknown_create: Some(9),
                ..begun("one that is found is gone on with")
                    .fresh("a")
                    .found(7, vec![revised("b", 7)])
            },
            "take b (Recovered)",
        ),
        (
            Row {
                unknown_create: Some(9),
                ..begun("what carries a revision that was not drawn is not")
                    .fresh("a")
                    .found(7, vec![revised("b", 8)])
            },
            "CreateUnsure, again after 2 s",
        ),
        (
            Row {
                unknown_create: Some(9),
                ..begun("nor one of several that carry it")
                    .fresh("a")
                    .found(7, vec![revised("b", 7), revised("c", 7)])
            },
            "CreateUnsure, again after 2 s",
        ),
        (
            Row {
                index: vec![ours("a"), revised("b", 7), revised("c", 7)],
                ..begun("then another revision is drawn").fresh("a")
            },
            "reserve",
        ),
        (
            Row {
                index: both.clone(),
                ..begun("so is one that is known")
            },
            "take b (Known)",
        ),
        (
            Row {
                index: both.clone(),
                ..fixed("an object with a higher revision that was not drawn is none").fresh("a")
            },
            "reserve",
        ),
        (
            Row {
                index: vec![ours("a"), valued(revised("b", 7), "fixed")],
                replaces: false,
                ..begun("even where the policy has changed, if it fits")
            },
            "take b (Known)",
        ),
        (
            Row {
                index: both.clone(),
                replaces: false,
                ..begun("but not if it does not")
            },
            "ReplaceRequired, again on change",
        ),
        (
            Row {
                known_id: Some("b"),
                obsolete: &["a"],
                index: both.clone(),
                ..taken("what was replaced is given up only once the new one was read")
                    .on(revised("b", 7))
            },
            "read b",
        ),
        (
            Row {
                known_id: Some("b"),
                obsolete: &["a"],
                index: both.clone(),
                ..taken("then it is deleted").on(revised("b", 7)).fresh("b")
            },
            "retire a",
        ),
        (
            Row {
                known_id: Some("b"),
                index: both.clone(),
                ..taken("but not if the status does not name it")
                    .on(revised("b", 7))
                    .fresh("b")
            },
            "done",
        ),
        (
            Row {
                known_id: Some("b"),
                obsolete: &["a"],
                index: both.clone(),
                used: &["a"],
                ..taken("as long as something uses it, it stays")
                    .on(revised("b", 7))
                    .fresh("b")
            },
            "done, again with backoff",
        ),
        (
            Row {
                known_id: Some("b"),
                obsolete: &["a"],
                index: both.clone(),
                ..taken("and where Adobe does not let it go")
                    .on(revised("b", 7))
                    .fresh("b")
                    .after(|it| assert!(it.retained.insert("a".into())))
            },
            "done, again with backoff",
        ),
        (
            Row {
                next_revision: Some(7),
                index: both.clone(),
                ..taken("where the spec went back, the replacement is to go").fresh("a")
            },
            "record b",
        ),
        (
            Row {
                obsolete: &["b"],
                index: both.clone(),
                ..taken("and goes").fresh("a")
            },
            "retire b",
        ),
        (
            Row {
                next_revision: Some(7),
                index: vec![],
                ..begun("the present object may vanish meanwhile")
                    .denied("a")
                    .after(|it| it.current = None)
            },
            "create R1",
        ),
        (
            Row {
                index: vec![younger(revised("b", 7)), younger(ours("c"))],
                ..begun("then the replacement is found again")
                    .denied("a")
                    .after(|it| it.current = None)
            },
            "take b (Known)",
        ),
        (
            Row {
                unknown_create: Some(9),
                ..taken("one without an answer is waited for")
            },
            "done, again after 9 s",
        ),
        (
            Row {
                unknown_create: Some(0),
                ..taken("and then looked for")
            },
            "list if possible",
        ),
        (
            Row {
                unknown_create: Some(0),
                ..taken("again, if that fails").after(|it| it.list_failed = true)
            },
            "done, again after 60 s",
        ),
    ]);
}

#[test]
fn a_refused_request_is_not_sent_again() {
    check([
        (
            Row {
                refused: true,
                ..row("what Adobe refused to create is not asked for again")
            },
            "InvalidSpec, again on change",
        ),
        (
            Row {
                refused: true,
                refused_for: Some(7),
                ..row("or not before its time")
            },
            "InvalidSpec, again after 7 s",
        ),
        (
            Row {
                refused: true,
                ..taken("nor is a change that it refused").on(valued(ours("a"), "w"))
            },
            "InvalidSpec, again on change",
        ),
        (
            Row {
                refused: true,
                unknown_create: Some(9),
                ..taken("nor a part").on(valued(ours("a"), "partial"))
            },
            "InvalidSpec, again on change",
        ),
        (
            Row {
                refused: true,
                value: "fixed",
                replaces: true,
                ..taken("nor a replacement").fresh("a")
            },
            "InvalidSpec, again on change",
        ),
        (
            Row {
                refused: true,
                ..taken("what is in sync all the same is not refused")
            },
            "done",
        ),
    ]);
}

#[test]
fn deletion_takes_what_is_ours_and_no_longer_used() {
    check([
        (
            Row {
                unlisted_user: Some(Kind::TargetConnection),
                ..deleting("what may use the object must have been listed")
            },
            "DeletionBlocked, again after 1 s",
        ),
        (
            Row {
                unknown_create: Some(9),
                ..deleting("a create without an answer is waited for")
            },
            "CreateUnsure, again after 9 s",
        ),
        (
            Row {
                unknown_create: Some(0),
                ..deleting("and looked for")
            },
            "list",
        ),
        (deleting("the object is deleted"), "delete a"),
        (
            Row {
                used: &["a"],
                ..deleting("unless another object still uses it at Adobe")
            },
            "DeletionBlocked, again with backoff",
        ),
        (
            Row {
                obsolete: &["b"],
                ..deleting("so is what it replaced").after(|it| assert!(it.done.insert("a".into())))
            },
            "delete b",
        ),
        (
            Row {
                next_revision: Some(7),
                index: vec![ours("a"), revised("b", 7)],
                ..deleting("and what was to replace it, once it is recorded")
            },
            "record b",
        ),
        (
            Row {
                index: vec![ours("a"), ours("b"), revised("c", 9)],
                ..deleting("what else carries the mark is left alone")
                    .after(|it| assert!(it.done.insert("a".into())))
            },
            "done",
        ),
        (
            Row {
                known_id: None,
                index: vec![ours("b"), ours("c")],
                ..deleting("what was created without a status is recorded first")
            },
            "record b",
        ),
        (
            Row {
                known_id: None,
                obsolete: &["b"],
                index: vec![ours("c")],
                ..deleting("and it alone is deleted")
                    .after(|it| assert!(it.done.insert("b".into())))
            },
            "done",
        ),
        (
            Row {
                parts: &["p"],
                index: vec![ours("p"), ours("q")],
                ..deleting("a part that is left is deleted, too, if the status names it")
                    .after(|it| assert!(it.done.insert("a".into())))
            },
            "delete p",
        ),
        (
            Row {
                index: vec![],
                ..deleting("also what no list shows")
            },
            "delete a",
        ),
        (
            deleting("then nothing is left").after(|it| assert!(it.done.insert("a".into()))),
            "done",
        ),
        (
            Row {
                known_id: None,
                index: vec![],
                ..deleting("a resource for which nothing was created goes at once")
            },
            "done",
        ),
    ]);
}

#[test]
fn a_refusal_tells_a_change_at_adobe_from_an_edit() {
    let at_adobe = "the spec was not edited";
    for value in ["fixed", "impossible"] {
        let edited = Row {
            value,
            ..taken("the spec was edited")
        };
        assert!(!edited.refusal().contains(at_adobe), "{}", edited.refusal());
        let drifted = Row {
            was_synced: true,
            ..edited
        };
        assert!(
            drifted.refusal().contains(at_adobe),
            "{}",
            drifted.refusal()
        );
    }
    // What the spec alone is guilty of is not blamed on anybody at Adobe.
    let nonsense = Row {
        value: "nonsense",
        was_synced: true,
        ..taken("the spec makes no sense")
    };
    assert_eq!(nonsense.refusal(), "nonsense");
}
