//! Which event failed a job: the last failing one that nothing rescued. Pure.
//!
//! The first failing event is often one that was ignored, retried or rescued. The statistics at the end of a run name the hosts whose
//! failures count; a failure of a host that is not named there was rescued. Source: rhdp-contracts 5.3.

use super::wire::{RawEvent, RawEventData, RawResult};

/// Kinds of events that say that a task failed. `runner_retry` and warnings do not.
pub(super) const FAILING: &str =
    "runner_on_failed,runner_on_unreachable,runner_item_on_failed,runner_on_async_failed,runner_on_error,error";
/// The statistics at the end.
pub(super) const STATS: &str = "playbook_on_stats";
/// What a loop says of itself; what failed stands with its items.
const LOOP_TEXTS: [&str; 3] = ["one or more items failed", "all items completed", "all items failed"];
/// Lines of output that are kept where a module says nothing else: the end tells what went wrong.
const LAST_LINES: usize = 5;
/// What a host of a lab is called in messages: its name may hold a guid or the name of a learner.
const HOST: &str = "<host>";

/// What failed a job, as its controller tells it: not redacted yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) task: String,
    pub(super) role: String,
    pub(super) module: String,
    pub(super) message: String,
    pub(super) censored: bool,
}

/// The event that failed the job, of its failing events in any order and its statistics. None: every failure was rescued or ignored, or
/// there was none.
pub(super) fn select(events: &[RawEvent], stats: &[RawEvent]) -> Option<Found> {
    let mut failing: Vec<&RawEvent> = events.iter().filter(|event| fails(event)).collect();
    failing.sort_by_key(|event| std::cmp::Reverse(event.counter));
    let last = failing.iter().find(|event| counts(event, stats))?;
    let data = last.event_data.clone().unwrap_or_default();
    let (message, censored) = message(last, &data, &failing);
    let host = last.host_name.as_deref().unwrap_or_default();
    Some(Found {
        task: last.task.clone().unwrap_or_default(),
        role: last.role.clone().unwrap_or_default(),
        module: data.task_action.unwrap_or_default(),
        message: without_host(&message, host),
        censored,
    })
}

fn fails(event: &RawEvent) -> bool {
    let kind = event.event.as_deref().unwrap_or_default();
    let ignored = event.event_data.as_ref().and_then(|data| data.ignore_errors) == Some(true);
    FAILING.split(',').any(|failing| failing == kind) && event.failed != Some(false) && !ignored
}

/// Whether no rescue followed. Without statistics, because the run was cut, nothing says that one did.
fn counts(event: &RawEvent, stats: &[RawEvent]) -> bool {
    let host = event.host_name.as_deref().unwrap_or_default();
    let mut later = stats
        .iter()
        .filter(|stats| stats.event.as_deref() == Some(STATS) && stats.counter > event.counter)
        .peekable();
    if host.is_empty() || later.peek().is_none() {
        return true;
    }
    let named =
        |hosts: Option<&std::collections::BTreeMap<String, i64>>| hosts.and_then(|hosts| hosts.get(host)).is_some_and(|count| *count > 0);
    later.any(|stats| {
        let Some(data) = &stats.event_data else { return true };
        (data.failures.is_none() && data.dark.is_none()) || named(data.failures.as_ref()) || named(data.dark.as_ref())
    })
}

/// What the event says, and whether it was hidden.
fn message(event: &RawEvent, data: &RawEventData, failing: &[&RawEvent]) -> (String, bool) {
    let Some(result) = &data.res else {
        return (tail(event.stdout.as_deref().unwrap_or_default()), false);
    };
    if result.censored.is_some() {
        return (String::new(), true);
    }
    let said = of_result(result);
    if !said.as_deref().is_some_and(is_of_loop) {
        return (said.unwrap_or_else(|| tail(event.stdout.as_deref().unwrap_or_default())), false);
    }
    let of_item = result.results.iter().flatten().rfind(|item| item.failed == Some(true));
    let of_event = || {
        let before = failing.iter().filter(|item| {
            item.event.as_deref() == Some("runner_item_on_failed")
                && (item.host_name.as_deref(), item.task.as_deref()) == (event.host_name.as_deref(), event.task.as_deref())
                && item.counter < event.counter
        });
        before.max_by_key(|item| item.counter)?.event_data.as_ref()?.res.as_ref()
    };
    match of_item.or_else(of_event) {
        Some(item) if item.censored.is_some() => (String::new(), true),
        Some(item) => (of_result(item).or(said).unwrap_or_default(), false),
        None => (said.unwrap_or_default(), false),
    }
}

/// The first that says something.
fn of_result(result: &RawResult) -> Option<String> {
    let full = [&result.msg.0, &result.stderr.0, &result.module_stderr.0].map(|text| text.trim().to_owned());
    full.into_iter().chain([tail(&result.stdout.0)]).find(|text| !text.is_empty())
}

fn is_of_loop(text: &str) -> bool {
    let text = text.trim().trim_end_matches('.').to_lowercase();
    LOOP_TEXTS.contains(&text.as_str())
}

/// The last lines of output that say something, without colours.
fn tail(output: &str) -> String {
    let plain = without_colours(output);
    let mut lines: Vec<&str> = plain.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.drain(..lines.len().saturating_sub(LAST_LINES));
    lines.join("\n")
}

/// Without the escape sequences of a terminal.
pub(super) fn without_colours(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        let sequence = after.strip_prefix('[').unwrap_or(after);
        // Parameters end with a letter.
        rest = sequence.trim_start_matches(|c: char| !c.is_ascii_alphabetic() && !c.is_control());
        let mut letters = rest.chars();
        letters.next();
        rest = letters.as_str();
    }
    plain.push_str(rest);
    plain
}

fn without_host(message: &str, host: &str) -> String {
    // The control node is the same for all; a name of one or two letters would be found inside words.
    if host == "localhost" || host.len() < 3 {
        return message.to_owned();
    }
    message.replace(host, HOST)
}

#[cfg(test)]
mod tests;
