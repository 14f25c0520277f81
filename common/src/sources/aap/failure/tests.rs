use serde_json::{Value, json};

use super::*;

fn event(counter: i64, host: &str, task: &str, kind: &str, res: Value) -> RawEvent {
    let json = json!({"event": kind, "failed": true, "counter": counter, "host_name": host, "task": task, "role": "vm",
        "stdout": "\u{1b}[0;31mfatal: [x]\u{1b}[0m", "event_data": {"task_action": "uri", "res": res}});
    serde_json::from_value(json).unwrap()
}

fn stats(counter: i64, failures: &[&str], dark: &[&str]) -> RawEvent {
    let counts = |hosts: &[&str]| {
        hosts
            .iter()
            .map(|host| ((*host).to_owned(), json!(1)))
            .collect::<serde_json::Map<_, _>>()
    };
    let json =
        json!({"event": "playbook_on_stats", "counter": counter, "event_data": {"failures": counts(failures), "dark": counts(dark)}});
    serde_json::from_value(json).unwrap()
}

fn selected(events: &[RawEvent], stats: &[RawEvent]) -> Option<(String, String, bool)> {
    select(events, stats).map(|found| (found.task, found.message, found.censored))
}

fn said(task: &str, message: &str) -> Option<(String, String, bool)> {
    Some((task.into(), message.into(), false))
}

#[test]
fn the_last_failure_that_nothing_rescued_counts() {
    let failed = |counter, host: &str, task: &str| event(counter, host, task, "runner_on_failed", json!({"msg": format!("{task} broke")}));
    let events = [
        failed(10, "bastion", "Probe"),
        failed(40, "worker", "Clone"),
        failed(30, "bastion", "Install"),
    ];
    // Without statistics the last one counts; the order of the answer does not matter.
    assert_eq!(selected(&events, &[]), said("Clone", "Clone broke"));
    // The failure of worker was rescued: only bastion is named at the end.
    assert_eq!(selected(&events, &[stats(50, &["bastion"], &[])]), said("Install", "Install broke"));
    assert_eq!(selected(&events, &[stats(50, &[], &["worker"])]), said("Clone", "Clone broke"));
    // Statistics of an earlier run say nothing of a later failure.
    assert_eq!(selected(&events, &[stats(35, &[], &[])]), said("Clone", "Clone broke"));
    // All were rescued: no event failed the job.
    assert_eq!(selected(&events, &[stats(50, &[], &[])]), None);
    assert_eq!(selected(&[], &[]), None);
}

#[test]
fn what_was_ignored_or_retried_is_no_failure() {
    let mut ignored = event(9, "h1x", "Ignored", "runner_on_failed", json!({"msg": "no"}));
    ignored.event_data.as_mut().unwrap().ignore_errors = Some(true);
    let retry = event(8, "h1x", "Retry", "runner_retry", json!({"msg": "again"}));
    let warning = event(7, "h1x", "Warn", "warning", json!({"msg": "careful"}));
    let mut fine = event(6, "h1x", "Fine", "runner_on_failed", json!({"msg": "no"}));
    fine.failed = Some(false);
    assert_eq!(selected(&[ignored, retry, warning, fine], &[]), None);
}

#[test]
fn the_message_is_the_first_that_says_something() {
    let cases = [
        (json!({"msg": "m", "stderr": "e"}), "m"),
        (json!({"msg": " ", "stderr": "e"}), "e"),
        (json!({"msg": {"k": "v"}, "module_stderr": "t"}), "t"),
        (json!({"stdout": "1\n2\n\n3\n4\n5\n6\n"}), "2\n3\n4\n5\n6"),
        (json!({}), "fatal: [x]"),
        (Value::Null, "fatal: [x]"),
    ];
    for (res, expected) in cases {
        assert_eq!(
            selected(&[event(1, "h", "T", "runner_on_failed", res.clone())], &[]),
            said("T", expected),
            "{res}"
        );
    }
}

#[test]
fn a_loop_is_asked_for_the_item_that_failed() {
    let of_results =
        json!({"msg": "One or more items failed", "results": [{"failed": true, "msg": "first"}, {"failed": false, "msg": "ok"}]});
    assert_eq!(
        selected(&[event(5, "h", "T", "runner_on_failed", of_results)], &[]),
        said("T", "first")
    );
    let bare = json!({"msg": "All items completed."});
    let events = [
        event(5, "h", "T", "runner_on_failed", bare.clone()),
        event(3, "h", "T", "runner_item_on_failed", json!({"msg": "older"})),
        event(4, "h", "T", "runner_item_on_failed", json!({"msg": "newer"})),
        event(2, "h", "Other", "runner_item_on_failed", json!({"msg": "of another task"})),
    ];
    assert_eq!(selected(&events, &[]), said("T", "newer"));
    // Nothing more is known: what the loop says is all there is.
    assert_eq!(selected(&events[..1], &[]), said("T", "All items completed."));
    let hidden = event(4, "h", "T", "runner_item_on_failed", json!({"censored": "hidden"}));
    assert_eq!(
        selected(&[event(5, "h", "T", "runner_on_failed", bare), hidden], &[]),
        Some(("T".into(), String::new(), true))
    );
}

#[test]
fn a_hidden_result_is_said_to_be_hidden_and_not_guessed() {
    let hidden = event(
        1,
        "h",
        "T",
        "runner_on_failed",
        json!({"censored": "the output has been hidden", "msg": "password is x"}),
    );
    assert_eq!(selected(&[hidden], &[]), Some(("T".into(), String::new(), true)));
}

#[test]
fn names_of_hosts_do_not_leave_the_controller() {
    let of = |host: &str| {
        let unreachable = event(
            1,
            host,
            "T",
            "runner_on_unreachable",
            json!({"msg": "Failed to connect to bastion.k7m2q.example.test via ssh"}),
        );
        selected(&[unreachable], &[]).unwrap().1
    };
    assert_eq!(of("bastion.k7m2q.example.test"), "Failed to connect to <host> via ssh");
    assert_eq!(of("to"), "Failed to connect to bastion.k7m2q.example.test via ssh");
}

#[test]
fn colours_are_taken_out() {
    assert_eq!(
        without_colours("\u{1b}[0;31mred\u{1b}[0m and \u{1b}[1mbold\u{1b}[22m"),
        "red and bold"
    );
    assert_eq!(without_colours("cut \u{1b}[0;3"), "cut ");
    assert_eq!(without_colours("\u{1b}"), "");
    assert_eq!(without_colours("ä\u{1b}[31mö"), "äö");
}
