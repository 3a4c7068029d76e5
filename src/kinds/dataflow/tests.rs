use serde_json::json;

use super::mapping::Wanted;
use super::schedule::Schedule;
use super::*;
use crate::api::{self, Contract, FlowState};
use crate::kinds::flow_service::tests::{created, label};

const NOW: i64 = 1_800_000_000;
const LATER: i64 = NOW + 3_600;

fn desired() -> Desired {
    Desired {
        label: label(api::Kind::Dataflow),
        flow_spec: flow_service::spec_ref("crm".into(), None),
        source: "source".into(),
        target: "target".into(),
        delta: Some(json!({"name": "updatedAt"})),
        mapping: Some(Wanted {
            field: "spec.mappingSetRef",
            id: "m".into(),
            version: Some(0),
        }),
        schedule: Some(ScheduleSpec {
            start: NOW - 10,
            frequency: "minute",
            interval: Some(30),
            backfill: Some(true),
        }),
        state: Some(FlowState::Enabled),
        unsettled: false,
        off_since: None,
        contract: Contract::Current,
        now: NOW,
    }
}

/// What was just created.
fn image_of(desired: &Desired) -> Held {
    let schedule = desired.schedule.as_ref();
    let start = schedule.map(|spec| spec.first_start(NOW, desired.contract));
    desired.image(desired.label.created(created()), start)
}

/// What was created, once Adobe has enabled it.
fn held_of(desired: &Desired) -> Held {
    let mut held = image_of(desired);
    held.head.state = Some("enabled".into());
    held.busy = false;
    held
}

/// The same flow after Adobe has finished its last change.
fn finished(mut held: Held) -> Held {
    assert_eq!(
        held.head.state.as_deref(),
        Some("updating"),
        "Adobe goes on after its answer"
    );
    held.head.state = Some("enabled".into());
    held
}

fn begun() -> Held {
    let mut held = held_of(&desired());
    held.schedule.start = Some(NOW - 5);
    held
}

fn plan(desired: &Desired, held: &Held) -> Plan<Change> {
    Dataflow::plan(desired, held).unwrap()
}

fn patch(ops: Vec<PatchOp>) -> Plan<Change> {
    Plan::Change(Change::Patch(ops))
}

#[test]
fn what_was_just_created_is_kept_now_and_after_its_start() {
    let mut desired = desired();
    let held = held_of(&desired);
    assert_eq!(plan(&desired, &held), Plan::Keep);
    desired.now = LATER;
    assert_eq!(plan(&desired, &held), Plan::Keep);
}

#[test]
fn a_start_in_the_past_is_moved_ahead_once_unless_the_contract_is_old() {
    let wish = desired().schedule.unwrap();
    assert_eq!(wish.first_start(NOW, Contract::Current), NOW + 60);
    assert_eq!(wish.first_start(NOW, Contract::Legacy2020), NOW - 10);
}

#[test]
fn a_start_that_lies_ahead_is_sent_as_it_is() {
    let mut wish = desired().schedule.unwrap();
    wish.start = LATER;
    assert_eq!(wish.first_start(NOW, Contract::Current), LATER);
}

#[test]
fn frequencies_are_in_lower_case_at_adobe() {
    use crate::api::Frequency::{Day, Hour, Minute, Once, Week};
    let spelled = [Once, Minute, Hour, Day, Week].map(|frequency| {
        let schedule = api::Schedule {
            start_time: Time(Timestamp::UNIX_EPOCH),
            frequency,
            interval: None,
            backfill: None,
        };
        ScheduleSpec::from(&schedule).frequency
    });
    assert_eq!(spelled, ["once", "minute", "hour", "day", "week"]);
}

#[test]
fn text_for_figures_and_additions_of_adobe_are_no_difference() {
    let desired = desired();
    let flow: Flow = serde_json::from_value(json!({
        "id": "an-id", "name": "Payments", "description": desired.label.description, "state": "enabled",
        "flowSpec": {"id": "crm", "version": "1.0"},
        "sourceConnectionIds": ["source"], "targetConnectionIds": ["target"],
        "transformations": [
            {"name": "Copy", "params": {"deltaColumn": {"name": "updatedAt", "timezone": "UTC"}, "mode": "append"}},
            {"name": "Mapping", "params": {"mappingId": "m", "mappingVersion": "0"}},
        ],
        "scheduleParams": {
            "startTime": "1612310466", "frequency": "MINUTE", "interval": "30", "backfill": "true",
        },
    }))
    .unwrap();
    assert_eq!(plan(&desired, &flow.into()), Plan::Keep);
}

#[test]
fn a_copy_that_nobody_asked_for_is_ignored() {
    let mut desired = desired();
    let held = held_of(&desired);
    desired.delta = None;
    assert_eq!(plan(&desired, &held), Plan::Keep);
}

#[test]
fn the_contract_of_2020_spells_figures_as_text() {
    let mut desired = desired();
    desired.contract = Contract::Legacy2020;
    desired.schedule.as_mut().unwrap().backfill = None;
    let body = desired.body(Some(1_567_411_548));
    assert_eq!(
        body.schedule_params,
        Some(json!({"startTime": "1567411548", "frequency": "minute", "interval": "30"}))
    );
    assert_eq!(
        body.transformations[1].params,
        Some(json!({"mappingId": "m", "mappingVersion": "0"}))
    );
}

#[test]
fn name_frequency_and_interval_are_patched() {
    let mut held = begun();
    held.head.name = "old".into();
    held.schedule.frequency = Some("hour".into());
    held.schedule.interval = Some(1);
    let expected = vec![
        PatchOp::replace("/name", "Payments"),
        PatchOp::replace("/scheduleParams/frequency", "minute"),
        PatchOp::replace("/scheduleParams/interval", 30),
    ];
    assert_eq!(plan(&desired(), &held), patch(expected));
}

#[test]
fn the_mapping_is_patched_where_it_is() {
    let mut desired = desired();
    let held = held_of(&desired);
    desired.mapping.as_mut().unwrap().version = Some(3);
    let step = json!({"name": "Mapping", "params": {"mappingId": "m", "mappingVersion": 3}});
    let expected = vec![PatchOp::replace("/transformations/1", step)];
    assert_eq!(plan(&desired, &held), patch(expected));
    assert_eq!(
        plan(&desired, &finished(desired.changed(&held, None))),
        Plan::Keep,
        "the step is taken once"
    );
}

#[test]
fn a_new_version_of_the_mapping_carries_over_what_else_its_step_says() {
    let mut desired = desired();
    let mut held = held_of(&desired);
    let rest = json!({"profileFilter": "a"});
    held.mapping.as_mut().unwrap().rest = rest.as_object().unwrap().clone();
    desired.mapping.as_mut().unwrap().version = Some(3);
    let step = json!({
        "name": "Mapping",
        "params": {"mappingId": "m", "mappingVersion": 3, "profileFilter": "a"},
    });
    let expected = vec![PatchOp::replace("/transformations/1", step)];
    assert_eq!(plan(&desired, &held), patch(expected));
}

#[test]
fn a_version_that_the_spec_does_not_name_is_left_alone() {
    let mut desired = desired();
    desired.mapping.as_mut().unwrap().version = None;
    let mut held = held_of(&desired);
    assert_eq!(held.mapping.as_ref().unwrap().version, 0, "at creation");
    held.mapping.as_mut().unwrap().version = 7;
    assert_eq!(plan(&desired, &held), Plan::Keep);
    desired.mapping.as_mut().unwrap().id = "other".into();
    let step = json!({"name": "Mapping", "params": {"mappingId": "other", "mappingVersion": 0}});
    let expected = vec![PatchOp::replace("/transformations/1", step)];
    assert_eq!(plan(&desired, &held), patch(expected));
}

#[test]
fn a_mapping_is_added_where_there_is_none_but_never_taken_away() {
    let with = desired();
    let mut without = desired();
    without.mapping = None;
    let step = json!({"name": "Mapping", "params": {"mappingId": "m", "mappingVersion": 0}});
    let expected = vec![PatchOp::add("/transformations/-", step)];
    assert_eq!(plan(&with, &held_of(&without)), patch(expected));
    assert_eq!(plan(&without, &held_of(&with)), Plan::Keep);
}

#[test]
fn a_start_is_moved_only_while_old_and_new_one_lie_ahead() {
    let mut desired = desired();
    let ahead = held_of(&desired);
    desired.schedule.as_mut().unwrap().start = LATER;
    let expected = vec![PatchOp::replace("/scheduleParams/startTime", LATER)];
    assert_eq!(plan(&desired, &ahead), patch(expected));
    assert_eq!(
        plan(&desired, &finished(desired.changed(&ahead, None))),
        Plan::Keep,
        "the step is taken once"
    );
    assert_eq!(plan(&desired, &begun()), Plan::Keep);
    desired.schedule.as_mut().unwrap().start = NOW;
    assert_eq!(plan(&desired, &ahead), Plan::Keep);
}

#[test]
fn what_the_schedule_lacks_is_added_unless_adobe_does_it_by_itself() {
    let mut held = held_of(&desired());
    held.schedule.interval = None;
    held.schedule.backfill = None;
    let mut desired = desired();
    let mut expected = vec![PatchOp::add("/scheduleParams/interval", 30)];
    assert_eq!(plan(&desired, &held), patch(expected.clone()));
    desired.schedule.as_mut().unwrap().backfill = Some(false);
    expected.push(PatchOp::add("/scheduleParams/backfill", false));
    assert_eq!(plan(&desired, &held), patch(expected));
}

#[test]
fn backfill_can_change_until_the_first_run() {
    let mut desired = desired();
    desired.schedule.as_mut().unwrap().backfill = Some(false);
    let ahead = held_of(&self::desired());
    let expected = vec![PatchOp::replace("/scheduleParams/backfill", false)];
    assert_eq!(plan(&desired, &ahead), patch(expected));
    let mut unseen = begun();
    unseen.schedule.start = None;
    for begun in [begun(), unseen] {
        assert_eq!(
            plan(&desired, &begun),
            Plan::Replace("`spec.schedule.backfill`".into())
        );
    }
}

#[test]
fn the_state_is_a_step_of_its_own_after_everything_else() {
    let mut desired = desired();
    desired.state = Some(FlowState::Disabled);
    let mut held = begun();
    assert_eq!(
        plan(&desired, &held),
        Plan::Change(Change::Act(Action::Disable))
    );
    held.head.name = "old".into();
    assert!(matches!(
        plan(&desired, &held),
        Plan::Change(Change::Patch(_))
    ));
    let mut held = begun();
    held.head.state = Some("disabled".into());
    assert_eq!(
        plan(&self::desired(), &held),
        Plan::Change(Change::Act(Action::Enable))
    );
    assert_eq!(plan(&desired, &held), Plan::Keep);
}

#[test]
fn a_state_in_between_is_waited_out_before_anything_is_changed() {
    let mut held = begun();
    let mut other = desired();
    other.label.name = "other".into();
    for state in [
        "updating",
        "enabling",
        "disabling",
        "initializing",
        "run-finalizing",
    ] {
        held.head.state = Some(state.into());
        assert_eq!(plan(&other, &held), Plan::Wait(state.into()));
    }
}

#[test]
fn a_state_in_between_is_waited_out_whatever_is_wanted() {
    let mut held = begun();
    for state in [
        "enabled-finalizing",
        "enabling",
        "disabling",
        "updating",
        "initializing",
    ] {
        held.head.state = Some(state.into());
        for wanted in [Some(FlowState::Enabled), Some(FlowState::Disabled), None] {
            let desired = Desired {
                state: wanted,
                ..desired()
            };
            assert_eq!(
                plan(&desired, &held),
                Plan::Wait(state.into()),
                "{wanted:?}"
            );
        }
    }
}

#[test]
fn the_state_of_what_was_created_is_read_and_not_assumed() {
    let desired = desired();
    let held = image_of(&desired);
    assert_eq!(plan(&desired, &held), Plan::Wait("created".into()));
    let mut status = DataflowStatus::default();
    Dataflow::record(&desired, &held, &mut status);
    assert_eq!(status.state, None);
    Dataflow::record(&desired, &held_of(&desired), &mut status);
    assert_eq!(status.state.as_deref(), Some("enabled"));
}

#[test]
fn a_state_that_the_spec_leaves_out_is_left_alone() {
    let desired = Desired {
        state: None,
        ..desired()
    };
    let mut held = begun();
    for state in ["enabled", "disabled", "draft"] {
        held.head.state = Some(state.into());
        assert_eq!(plan(&desired, &held), Plan::Keep, "{state}");
    }
}

#[test]
fn what_was_created_and_is_a_draft_is_waited_for_and_what_was_adopted_is_not() {
    let mut desired = Desired {
        state: None,
        unsettled: true,
        ..desired()
    };
    let mut held = begun();
    held.head.state = Some("draft".into());
    assert_eq!(plan(&desired, &held), Plan::Wait("draft".into()));
    let mut status = DataflowStatus::default();
    Dataflow::record(&desired, &held, &mut status);
    assert_eq!(status.state, None, "until it lasts");
    desired.unsettled = false;
    assert_eq!(plan(&desired, &held), Plan::Keep);
    Dataflow::record(&desired, &held, &mut status);
    assert_eq!(status.state.as_deref(), Some("draft"));
}

#[test]
fn a_draft_is_published_where_it_is_to_run_unless_it_is_on_its_way() {
    let desired = desired();
    let mut held = begun();
    held.head.state = Some("draft".into());
    let publish = Plan::Change(Change::Act(Action::Publish));
    assert_eq!(plan(&desired, &held), publish);
    held.busy = true;
    assert_eq!(plan(&desired, &held), Plan::Wait("draft".into()));
}

#[test]
fn a_replacement_does_not_run_where_what_it_replaces_was_switched_off() {
    let old = |state: &str, updated| {
        let mut old = begun();
        old.head.state = Some(state.into());
        old.updated = Some(updated);
        old
    };
    let mut new = held_of(&desired());
    new.head.created = Some(NOW);
    let disable = Plan::Change(Change::Act(Action::Disable));
    let cases = [
        (None, old("disabled", NOW - 5), disable),
        (
            None,
            old("draft", NOW - 5),
            Plan::Change(Change::Act(Action::Disable)),
        ),
        (None, old("enabled", NOW - 5), Plan::Keep),
        // We disabled it ourselves, since it was replaced.
        (None, old("disabled", NOW + 5), Plan::Keep),
        (
            Some(FlowState::Enabled),
            old("disabled", NOW - 5),
            Plan::Keep,
        ),
    ];
    for (state, old, expected) in cases {
        let mut desired = Desired { state, ..desired() };
        Dataflow::inherit(&mut desired, &old);
        assert_eq!(plan(&desired, &new), expected, "{state:?} {old:?}");
    }
}

#[test]
fn a_replacement_takes_over_the_mapping_that_the_spec_leaves_out() {
    let mut old = begun();
    old.mapping.as_mut().unwrap().version = 7;
    let taken_over = |wanted: Option<Wanted>| {
        let mut desired = Desired {
            mapping: wanted,
            ..desired()
        };
        Dataflow::inherit(&mut desired, &old);
        let mapping = desired.mapping.unwrap();
        (mapping.id, mapping.version)
    };
    let wanted = |id: &str, version| {
        Some(Wanted {
            field: "spec.mappingSetRef",
            id: id.into(),
            version,
        })
    };
    assert_eq!(taken_over(None), ("m".into(), Some(7)));
    assert_eq!(taken_over(wanted("m", None)), ("m".into(), Some(7)));
    assert_eq!(taken_over(wanted("m", Some(2))), ("m".into(), Some(2)));
    assert_eq!(taken_over(wanted("other", None)), ("other".into(), None));
}

#[test]
fn a_schedule_that_the_spec_leaves_out_is_left_alone() {
    let desired = Desired {
        schedule: None,
        ..desired()
    };
    assert_eq!(plan(&desired, &begun()), Plan::Keep);
}

#[test]
fn what_adobe_cannot_change_needs_a_new_dataflow() {
    type Edit = fn(&mut Held);
    let cases: [(Edit, &str); 6] = [
        (|h| h.flow_spec = None, "`spec.flowSpec`"),
        (
            |h| h.sources = vec!["other".into()],
            "`spec.sourceConnectionRef`",
        ),
        (|h| h.targets = vec![], "`spec.targetConnectionRef`"),
        (|h| h.delta = None, "`spec.deltaColumn`"),
        (
            |h| h.schedule.frequency = Some("once".into()),
            "`spec.schedule.frequency`",
        ),
        (|h| h.schedule = Schedule::default(), "`spec.schedule`"),
    ];
    for (edit, field) in cases {
        let mut held = begun();
        edit(&mut held);
        assert_eq!(plan(&desired(), &held), Plan::Replace(field.into()));
    }
}

#[test]
fn a_stream_without_schedule_and_mapping_is_kept() {
    let mut desired = desired();
    desired.schedule = None;
    desired.mapping = None;
    desired.delta = None;
    let held = held_of(&desired);
    assert_eq!(plan(&desired, &held), Plan::Keep);
}

#[test]
fn a_dataflow_of_the_same_name_may_be_adopted() {
    let mut held = begun();
    assert!(Dataflow::is_namesake(&desired(), &held));
    held.head.name = "other".into();
    assert!(!Dataflow::is_namesake(&desired(), &held));
}

#[test]
fn a_change_is_told_in_the_words_of_the_spec() {
    let ahead = held_of(&desired());
    let mut wish = desired();
    wish.schedule.as_mut().unwrap().start = LATER;
    wish.mapping = Some(Wanted {
        field: "spec.mappingSetId",
        id: "n".into(),
        version: Some(2),
    });
    let Plan::Change(change) = plan(&wish, &ahead) else {
        panic!("nothing would change");
    };
    let told: Vec<_> = Dataflow::differences(&wish, &ahead, &change)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        told,
        [
            "`spec.schedule.startTime` `2027-01-15T08:01:00Z` → `2027-01-15T09:00:00Z`",
            "`spec.mappingSetId` `m version 0` → `n version 2`",
        ]
    );
}
