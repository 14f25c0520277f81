use super::*;

fn completed(scan: u128) -> ScanCompleted {
    ScanCompleted {
        scan_id: Uuid::from_u128(scan),
        cluster: "demo-1".into(),
        tier: "workloads".into(),
    }
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).expect("in range")
}

#[test]
fn an_id_depends_on_what_happened_and_not_on_when_it_is_told() {
    let first = outgoing("scan", &completed(1), at(0)).expect("small");
    let again = outgoing("sweep", &completed(1), at(99)).expect("small");
    let other = outgoing("scan", &completed(2), at(0)).expect("small");
    assert_eq!(first.event_id, again.event_id);
    assert_ne!(first.event_id, other.event_id);
    // Pinned: a new release must not send the events of the old one a second time.
    assert_eq!(
        event_id(EventType::ScanCompleted, "x").to_string(),
        "f71f4aa5-92c3-5d02-803c-df651d9bac52"
    );
}

#[test]
fn types_follow_the_naming_rule_and_are_found_by_name() {
    for event_type in EventType::ALL {
        let name = event_type.as_str();
        assert!(
            name.starts_with("io.stargate.") && name.ends_with(".v1") && name.split('.').count() == 5,
            "{name}"
        );
        assert_eq!(EventType::parse(name), Some(event_type));
    }
    assert_eq!(EventType::parse("dev.tekton.event.taskrun.started.v1"), None);
}

#[test]
fn every_event_says_its_partition_and_its_routing() {
    let event = CloudEvent::from(
        &outgoing(
            "evaluate",
            &ReadinessChanged {
                transition_id: Uuid::from_u128(1),
                subject_id: Uuid::from_u128(2),
                cluster: "demo-1".into(),
                namespace: Some("sandbox-abcde".into()),
                stage: Stage::RouteReady,
                outcome: "fail".into(),
                failure_class: Some("route_backend_missing".into()),
            },
            at(0),
        )
        .expect("small"),
    );
    assert_eq!(event.subject.as_deref(), Some("demo-1/sandbox-abcde/route-ready"));
    assert_eq!(event.extensions["partitionkey"], Uuid::from_u128(2).to_string());
    assert_eq!(event.extensions["sgoutcome"], "fail");
    assert_eq!(event.check(), Ok(()));
}

#[test]
fn facts_do_not_fit_into_an_event() {
    let huge = ScanCompleted {
        cluster: "x".repeat(MAX_SENT),
        ..completed(1)
    };
    assert!(matches!(outgoing("scan", &huge, at(0)), Err(OutgoingError::TooLarge { .. })));
}

#[test]
fn a_payload_that_does_not_match_is_rejected_by_name() {
    let mut event = CloudEvent::from(&outgoing("scan", &completed(1), at(0)).expect("small"));
    assert_eq!(event.payload::<ScanCompleted>().expect("its own"), completed(1));
    event.data = Data::Json(serde_json::json!({"cluster": "demo-1"}));
    let error = event.payload::<ScanCompleted>().expect_err("fields are missing");
    assert_eq!(error.status(), 422);
    assert!(error.to_string().contains("scan_id"), "{error}");
}
