use http::{HeaderName, HeaderValue};
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| {
            (
                HeaderName::try_from(*name).expect("legal"),
                HeaderValue::try_from(*value).expect("legal"),
            )
        })
        .collect()
}

const MINIMAL: [(&str, &str); 4] = [("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-source", "/s"), ("ce-type", "t")];

fn with(more: &[(&str, &str)]) -> HeaderMap {
    headers(&[&MINIMAL, more].concat())
}

#[test]
fn binary_mode_without_content_type_is_json() {
    let event = CloudEvent::read(&with(&[]), &Bytes::from_static(br#"{"a":1}"#)).expect("reads");
    assert_eq!(event.data, Data::Json(json!({"a": 1})));
    assert_eq!(event.content_type, None);
}

#[test]
fn header_values_are_percent_decoded() {
    let event = CloudEvent::read(
        &with(&[("ce-subject", "Euro%20%E2%82%AC%20%F0%9F%98%80"), ("ce-sgclass", "a%25b")]),
        &Bytes::new(),
    )
    .expect("reads");
    assert_eq!(event.subject.as_deref(), Some("Euro € 😀"));
    assert_eq!(event.extensions["sgclass"], "a%b");
    let error = CloudEvent::read(&with(&[("ce-subject", "%FF")]), &Bytes::new()).expect_err("not UTF-8");
    assert!(error.to_string().contains("subject"), "{error}");
}

#[test]
fn structured_mode_reads_every_kind_of_attribute() {
    let body = json!({"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "time": "2026-11-23T10:00:00+02:00",
        "flag": true, "number": 7, "nothing": null, "data": {"a": [1]}});
    let headers = headers(&[("content-type", "application/cloudevents+json; charset=UTF-8")]);
    let event = CloudEvent::read(&headers, &body.to_string().into()).expect("reads");
    assert_eq!(
        event.extensions,
        BTreeMap::from([("flag".into(), "true".into()), ("number".into(), "7".into())])
    );
    assert_eq!(event.time.expect("set").to_rfc3339(), "2026-11-23T08:00:00+00:00");
    assert_eq!(event.data, Data::Json(json!({"a": [1]})));
}

#[test]
fn data_that_is_not_json_stays_what_it_is() {
    let event = CloudEvent::read(&with(&[("content-type", "text/plain")]), &Bytes::from_static(b"{no json")).expect("reads");
    assert_eq!(event.data, Data::Bytes(Bytes::from_static(b"{no json")));
    let structured = CloudEvent::read(&headers(&[("content-type", STRUCTURED)]), &event.to_structured().into()).expect("reads");
    assert_eq!(structured, event);
}

#[test]
fn data_that_only_says_it_is_json_is_kept() {
    let event = CloudEvent::read(&with(&[("content-type", "application/json")]), &Bytes::from_static(b"{")).expect("reads");
    assert_eq!(event.data, Data::Bytes(Bytes::from_static(b"{")));
}

#[test]
fn what_is_wrong_is_named() {
    let read = |more: &[(&str, &str)], body: &'static str| {
        CloudEvent::read(&headers(more), &Bytes::from_static(body.as_bytes()))
            .expect_err("malformed")
            .to_string()
    };
    let cases = [
        read(&[], "{}"),
        read(&[("content-type", "application/cloudevents-batch+json")], "[]"),
        read(&[("ce-specversion", "0.3")], ""),
        read(&[("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-source", "/s")], ""),
        read(
            &[("ce-specversion", "1.0"), ("ce-id", ""), ("ce-source", "/s"), ("ce-type", "t")],
            "",
        ),
        CloudEvent::read(&with(&[("ce-time", "yesterday")]), &Bytes::new())
            .expect_err("malformed")
            .to_string(),
        read(&[("content-type", STRUCTURED)], "{"),
        read(
            &[("content-type", STRUCTURED)],
            r#"{"specversion":"1.0","id":"1","source":"/s","type":"t","ext":{}}"#,
        ),
        read(
            &[("content-type", STRUCTURED)],
            r#"{"specversion":"1.0","id":"1","source":"/s","type":"t","data":1,"data_base64":"AA=="}"#,
        ),
        read(
            &[("content-type", STRUCTURED)],
            r#"{"specversion":"1.0","id":"1","source":"/s","type":"t","data_base64":"?"}"#,
        ),
    ];
    insta::assert_snapshot!(cases.join("\n"), @r#"
    neither a ce-specversion header nor content type application/cloudevents+json
    batches of events are not supported, send them one by one
    specversion "0.3" is not supported, only 1.0
    attribute type is missing or empty
    attribute id is missing or empty
    attribute time: premature end of input
    the event is not a JSON object: EOF while parsing an object at line 1 column 1
    attribute ext: must be text, a whole number or a boolean
    the event is malformed: Cannot have both data and data_base64 field
    the event is malformed: decode error `Invalid symbol 63, offset 0.`
    "#);
}

#[test]
fn attributes_are_checked_alike_in_both_modes() {
    for (name, value, wrong) in [
        ("specversion", "0.3", r#"specversion "0.3" is not supported, only 1.0"#),
        ("id", "", "attribute id is missing or empty"),
        ("time", "yesterday", "attribute time: premature end of input"),
        ("dataschema", "/relative", "attribute dataschema: relative URL without a base"),
    ] {
        let mut binary = with(&[]);
        let header = HeaderName::try_from(format!("ce-{name}")).expect("legal");
        binary.insert(header, HeaderValue::from_static(value));
        let mut structured = json!({"specversion": "1.0", "id": "1", "source": "/s", "type": "t"});
        structured[name] = value.into();
        let structured = CloudEvent::read(&headers(&[("content-type", STRUCTURED)]), &structured.to_string().into());
        assert_eq!(CloudEvent::read(&binary, &Bytes::new()), structured);
        assert_eq!(structured.expect_err("malformed").to_string(), wrong);
    }
}

#[test]
fn an_empty_attribute_is_not_set() {
    let event = CloudEvent::read(&with(&[("ce-subject", ""), ("ce-time", ""), ("ce-sgx", "")]), &Bytes::new()).expect("reads");
    assert_eq!((&event.subject, event.time, event.extensions["sgx"].as_str()), (&None, None, ""));
    let structured = CloudEvent::read(&headers(&[("content-type", STRUCTURED)]), &event.to_structured().into());
    assert_eq!(structured, Ok(event));
}

#[test]
fn an_event_of_the_sdk_is_checked_too() {
    use cloudevents::{EventBuilder as _, EventBuilderV03};
    let old = EventBuilderV03::new().id("1").source("/s").ty("t").build().expect("legal");
    assert_eq!(CloudEvent::try_from(old), Err(WireError::Version("0.3".into())));
    let mut event = Event::default();
    event.set_id("");
    assert_eq!(CloudEvent::try_from(event), Err(WireError::Missing("id")));
}

#[test]
fn a_header_that_appears_twice_is_refused() {
    let mut twice = with(&[]);
    twice.append("ce-id", HeaderValue::from_static("2"));
    assert_eq!(CloudEvent::read(&twice, &Bytes::new()), Err(WireError::Twice("id".into())));
}

proptest! {
    /// Any event survives both modes, whatever its text holds.
    #[test]
    fn both_modes_keep_the_event(id in "\\PC{1,20}", subject in proptest::option::of(".{1,20}"), value in ".{1,20}", data in ".{0,40}") {
        let event = CloudEvent {
            id, source: "/s".into(), event_type: "t".into(), subject, time: DateTime::from_timestamp(1_795_428_000, 500_000_000), content_type: None,
            data_schema: Url::parse("https://schemas.example.com/t?v=1").ok(),
            extensions: BTreeMap::from([("sgx".into(), value)]),
            data: Data::Json(json!({"text": data})),
        };
        let (headers, body) = event.to_binary();
        prop_assert_eq!(&CloudEvent::read(&headers, &body).expect("binary"), &event);
        let structured = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(STRUCTURED))]);
        prop_assert_eq!(&CloudEvent::read(&structured, &event.to_structured().into()).expect("structured"), &event);
    }

    /// No request makes the reader panic.
    #[test]
    fn garbage_is_refused_calmly(body in proptest::collection::vec(any::<u8>(), 0..200), structured in any::<bool>()) {
        let headers = if structured { headers(&[("content-type", STRUCTURED)]) } else { with(&[]) };
        let _ = CloudEvent::read(&headers, &body.into());
    }
}
