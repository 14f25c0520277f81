//! Why failed jobs failed: read once a job, bounded per run, and never concluded while the controller still stores events.

use super::ClassOf;
use super::failure::{FAILING, Found, STATS, select, without_colours};
use super::known::{Known, is_failed};
use super::wire::{RawEvent, RawJob};
use crate::objects::Problem;
use crate::provisioning::job::{AapJob, JobFailure};
use crate::sources::http::{Client, Pages, json_error};
use crate::sources::{Missing, redact};
use crate::unknown::UnknownReason;

/// Jobs whose evidence one run reads of one controller, the newest first: at most five requests each. The others are read by the next.
const JOBS: usize = 40;
/// Pages of failing events of one job. A play that rescues more than 150 failures has its last one among them.
const PAGES: usize = 3;
/// Characters that are kept of a message, of a task, and of other names.
const MESSAGE: usize = 500;
const TASK: usize = 200;
const WORD: usize = 100;
/// Characters of a message that its class is looked for in.
const CLASSIFIED: usize = 3_000;

/// Gives failed jobs their failure: the stored one, or what the controller tells now. The answer is what people must know.
pub(super) async fn attach(client: &Client, source: &str, known: &Known, class_of: &ClassOf, jobs: &mut [AapJob]) -> Option<Problem> {
    let mut failed: Vec<&mut AapJob> = jobs.iter_mut().filter(|job| is_failed(&job.status)).collect();
    failed.sort_by_key(|job| std::cmp::Reverse((job.finished_at, job.id)));
    let (mut read, mut unread, mut why) = (0, 0, None);
    for job in failed {
        if let Some(failure) = known.failures.get(&job.id) {
            job.failure = Some(failure.clone());
            continue;
        }
        let failure = if read < JOBS {
            read += 1;
            of_job(client, job, class_of).await
        } else {
            Err(format!("left to the next run: one reads the evidence of {JOBS} jobs"))
        };
        job.failure = Some(failure.unwrap_or_else(|reason| {
            unread += 1;
            why.get_or_insert_with(|| reason.clone());
            JobFailure {
                unread: redact::text(&reason, MESSAGE),
                ..JobFailure::default()
            }
        }));
    }
    why.map(|why| Problem {
        subject: source.to_owned(),
        detail: format!("why {unread} job(s) failed is not known yet: {why}"),
    })
}

/// Why one job failed.
///
/// # Errors
/// It cannot be told yet, and why.
async fn of_job(client: &Client, job: &AapJob, class_of: &ClassOf) -> Result<JobFailure, String> {
    let told = |missing: Missing| missing.detail;
    let path = format!("jobs/{}/", job.id);
    let detail: RawJob = client.get_json(&path, &[]).await.map_err(told)?;
    if detail.event_processing_finished == Some(false) {
        return Err("its events are still being stored".into());
    }
    let found = selected(client, &format!("{path}job_events/"), job).await.map_err(told)?;
    let found = found.unwrap_or_else(|| Found {
        message: without_event(job, &detail),
        ..Found::default()
    });
    Ok(conclude(found, &job.explanation, class_of))
}

/// The event that failed the job, if one did.
async fn selected(client: &Client, path: &str, job: &AapJob) -> Result<Option<Found>, Missing> {
    let failing = [
        ("failed", "true"),
        ("event__in", FAILING),
        ("order_by", "-counter"),
        ("page_size", "50"),
    ];
    let mut page = client.get_list(path, &failing, &["results"]).await?;
    let mut events = events(path, &page.items)?;
    if events.is_empty() {
        return Ok(None);
    }
    let last = [("event", STATS), ("order_by", "-counter"), ("page_size", "5")];
    let stats = self::events(path, &client.get_list(path, &last, &["results"]).await?.items)?;
    // A run that was cut has no statistics, and what cut it is the reason, not the last failure that may have been rescued.
    if stats.is_empty() && !job.explanation.is_empty() {
        return Ok(None);
    }
    let mut pages = Pages::default();
    for _ in 1..PAGES {
        let found = select(&events, &stats);
        let Some(next) = page.next.filter(|_| found.is_none()) else {
            return Ok(found);
        };
        let next = pages.follow(client, &next)?;
        page = client.get_list_link(next.as_str(), &["results"]).await?;
        events.extend(self::events(path, &page.items)?);
    }
    Ok(select(&events, &stats))
}

/// Events of a page. One that is not understood could be the one that counts, so none of them is used then.
fn events(path: &str, items: &[Box<serde_json::value::RawValue>]) -> Result<Vec<RawEvent>, Missing> {
    let read = items.iter().map(|item| serde_json::from_str(item.get()));
    read.collect::<Result<_, _>>().map_err(|error| Missing {
        reason: UnknownReason::ParseError,
        detail: format!("GET {path} answered an event that is not understood: {}", json_error(&error)),
    })
}

/// What is said where no task failed: a fault of the platform.
fn without_event(job: &AapJob, detail: &RawJob) -> String {
    let traceback = detail.result_traceback.as_deref().unwrap_or_default();
    let last = traceback.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
    let said = [job.explanation.as_str(), last].into_iter().find(|text| !text.is_empty());
    said.unwrap_or("the controller names neither a task nor a reason").to_owned()
}

/// Redacts, classifies, shortens: in this order, so that the class does not depend on what is cut.
fn conclude(found: Found, explanation: &str, class_of: &ClassOf) -> JobFailure {
    let Found {
        task,
        role,
        module,
        message,
        censored,
    } = found;
    let (task, role) = (redact::text(&task, TASK), redact::text(&role, WORD));
    let message = redact::text(&without_colours(&message), CLASSIFIED);
    let place = match (role.is_empty(), task.is_empty()) {
        (_, true) => String::new(),
        (true, false) => format!("TASK [{task}] FAILED: "),
        (false, false) => format!("TASK [{role} : {task}] FAILED: "),
    };
    let explanation = if message == explanation { "" } else { explanation };
    JobFailure {
        class: class_of(format!("{place}{message} {explanation}").trim()),
        task,
        role,
        module: redact::shorten(&module, WORD),
        message: redact::shorten(&message, MESSAGE),
        censored,
        unread: String::new(),
    }
}
