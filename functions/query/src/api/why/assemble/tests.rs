use serde_json::json;

use super::*;
use crate::api::instances::Mapping;
use crate::api::jobs::JobFailureRow;
use crate::api::subjects::{JobRef, StuckRow};

fn now() -> DateTime<Utc> {
    "2026-11-24T08:35:00Z".parse().unwrap()
}

fn ago(minutes: i64) -> DateTime<Utc> {
    now() - TimeDelta::minutes(minutes)
}

fn instance(state: &str) -> InstanceRow {
    InstanceRow {
        id: uuid::Uuid::nil(),
        namespace: "sandbox-q7f2k-webshop".into(),
        guid: Some("q7f2k".into()),
        cluster: "cnv-01".into(),
        lab: "LB0042".into(),
        lab_code: Some("LB0042".into()),
        mapping: Mapping::LabCode,
        catalog_item: None,
        kind: "container".into(),
        intent: "started".into(),
        phase: "started".into(),
        state: state.into(),
        last_known_state: (state == "unknown").then(|| "ready".into()),
        failing_stage: (state == "failing").then(|| "route-ready".into()),
        class: (state == "failing").then(|| "route_missing".into()),
        sub_class: None,
        onset_at: Some(ago(12)),
        created_at: ago(300),
        changed_at: ago(200),
        last_evaluated_at: None,
        version: 1,
    }
}

fn subject(state: &str, class: &str) -> SubjectRow {
    SubjectRow {
        uid: "u".into(),
        namespace: "anarchy-1".into(),
        name: "acme.webshop-q7f2k".into(),
        governor: "acme.webshop".into(),
        guid: None,
        lab_code: None,
        cluster: None,
        lab_namespace: None,
        instance_id: None,
        state: Some(state.into()),
        last_known_state: None,
        class: class.into(),
        desired_state: None,
        state_since: Some(ago(50)),
        age_in_state_s: None,
        deleting_since: None,
        stuck: None,
        handle: None,
        claim: None,
        pool: None,
        last_job: None,
        message: None,
        changed_at: ago(50),
    }
}

fn job(outcome: &str, failure: Option<JobFailureRow>) -> JobRow {
    JobRow {
        key: "aap-1.test/7".into(),
        controller: "aap-1.test".into(),
        id: 7,
        name: String::new(),
        phase: "provision".into(),
        status: outcome.into(),
        outcome: outcome.into(),
        created_at: None,
        started_at: None,
        finished_at: Some(ago(40)),
        duration_s: None,
        explanation: Some("the project could not be updated.".into()),
        failure,
        subject: None,
        lab_code: None,
    }
}

fn failure() -> JobFailureRow {
    JobFailureRow {
        task: Some("Wait for the operator".into()),
        role: None,
        module: None,
        message: None,
        censored: true,
        class: Some("operator_not_ready".into()),
        unread: None,
    }
}

fn session() -> SessionRow {
    SessionRow {
        id: "1".into(),
        lab_code: "LB0042".into(),
        title: None,
        event_id: None,
        room: None,
        status: "planned".into(),
        phase: "upcoming".into(),
        starts_at: Some(now() + TimeDelta::minutes(25)),
        ends_at: None,
        deadline: None,
        time_zone: "UTC".into(),
        date: now().date_naive(),
        start_time: None,
        end_time: None,
        time_note: None,
        attendees: Some(40),
        needed: None,
        ready: None,
        starting: None,
        failing: None,
        unknown: None,
        pool_usable: None,
        verdict: None,
        sentence: String::new(),
    }
}

fn facts(state: &str) -> Facts {
    Facts {
        now: now(),
        instance: instance(state),
        chain: Vec::new(),
        subjects: Vec::new(),
        jobs: Vec::new(),
        stages: Vec::new(),
        session: None,
        unmatched: Vec::new(),
        cluster_trouble: None,
        troubles: Vec::new(),
    }
}

#[test]
fn a_failed_provision_names_its_task_and_who_waits() {
    let mut it = facts("failing");
    it.subjects = vec![subject("provision-failed", "failed_terminal")];
    it.jobs = vec![job("failed", Some(failure()))];
    it.session = Some(session());
    assert_eq!(
        sentence(&it),
        "Not ready: provisioning failed 40 min ago in task \"Wait for the operator\" (operator_not_ready); session LB0042 begins in 25 min for 40 attendees."
    );
    it.jobs = vec![job("error", None)];
    it.subjects = vec![subject("provision-error", "failed_terminal")];
    it.session = None;
    assert_eq!(
        sentence(&it),
        "Not ready: provisioning could not run 40 min ago: the project could not be updated."
    );
    it.jobs = Vec::new();
    it.subjects = vec![subject("destroy-canceled", "failed_retrying")];
    assert_eq!(sentence(&it), "Not ready: destroying was canceled 50 min ago.");
}

#[test]
fn without_trouble_of_the_order_the_stage_says_why() {
    let mut it = facts("failing");
    it.subjects = vec![subject("started", "started")];
    assert_eq!(sentence(&it), "Not ready: route-ready fails with route_missing for 12 min.");
    assert_eq!(sentence(&facts("ready")), "Ready for 3 h.");
    assert_eq!(sentence(&facts("stopped")), "Stopped on purpose.");
    assert_eq!(sentence(&facts("gone")), "Gone: the namespace is no longer there.");
    assert_eq!(sentence(&facts("provisioning")), "Not ready: being provisioned for 5 h.");
    assert_eq!(sentence(&facts("a-new-word")), "Not ready: a-new-word.");
}

#[test]
fn a_cluster_that_is_away_makes_it_unknown_and_never_ready() {
    let mut it = facts("unknown");
    it.cluster_trouble = Some("cnv-01 was not read for 2 h".into());
    assert_eq!(sentence(&it), "Not known: cnv-01 was not read for 2 h, last seen ready.");
    let gaps = gaps(&it);
    assert_eq!(
        (gaps[0].what.as_str(), gaps[0].why.as_str()),
        ("how it runs", "cnv-01 was not read for 2 h")
    );
}

#[test]
fn what_is_stuck_says_for_how_long() {
    let mut it = facts("provisioning");
    let mut stuck = subject("provisioning", "in_progress");
    stuck.stuck = Some(StuckRow {
        kind: "missed_callback".into(),
        detail: "its provision job 7 is successful, and the subject is still provisioning".into(),
        since: ago(33),
        age_s: 33 * 60,
    });
    it.subjects = vec![stuck];
    assert_eq!(
        sentence(&it),
        "Not ready: stuck for 33 min: its provision job 7 is successful, and the subject is still provisioning."
    );
}

#[test]
fn every_gap_says_why() {
    let mut it = facts("failing");
    it.troubles = vec![
        (SourceName::Babylon, "babylon is not collected (disabled)".into()),
        (SourceName::Labagator, "labagator was never read".into()),
    ];
    it.unmatched = vec![("subject".into(), "leaked: neither a subject nor a placement knows it".into())];
    let mut known = subject("provision-failed", "failed_terminal");
    known.last_job = Some(JobRef {
        action: "provision".into(),
        controller: "aap-2.test".into(),
        id: Some(9),
        status: None,
    });
    it.subjects = vec![known];
    let mut unread = failure();
    unread.unread = Some("403 from the controller".into());
    it.jobs = vec![job("failed", Some(unread))];
    let told: Vec<(String, String)> = gaps(&it).into_iter().map(|gap| (gap.what, gap.why)).collect();
    let told = json!(told);
    assert_eq!(
        told,
        json!([
            ["what was ordered and how that goes", "babylon is not collected (disabled)"],
            ["who comes when", "labagator was never read"],
            ["its subject", "leaked: neither a subject nor a placement knows it"],
            ["how job 9 went", "aap-2.test was not read, or not that far back"],
            ["why job 7 failed", "403 from the controller"],
        ])
    );
}

#[test]
fn an_instance_that_nothing_joins_says_so() {
    let told: Vec<String> = gaps(&facts("ready")).into_iter().map(|gap| gap.what).collect();
    assert_eq!(told, ["its subject", "its lab"]);
}
