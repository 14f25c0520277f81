//! The list of jobs: new and changed ones since the watermark, page by page, and open ones by their ids.
//!
//! Ordered by id: what is created meanwhile comes at the end and moves nothing. A job that ends meanwhile can enter the list in front and
//! show the last of a page again; one that is deleted can hide another, which the overlap of the next reading finds.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};

use super::controllers::Controller;
use super::known::{Known, is_final};
use super::name;
use super::wire::RawJob;
use crate::objects::Problem;
use crate::provisioning::job::AapJob;
use crate::sources::http::{Client, Page, Pages, json_error};
use crate::sources::{Extent, Missing, Reading, redact};
use crate::unknown::UnknownReason;

/// Jobs of one page: the most that controllers give. Source: rhdp-contracts 5.1.
const PAGE: &str = "200";
/// Ids in one request: addresses stay below 2,000 characters.
const IDS: usize = 100;
/// Jobs of one reading. A week of the busiest controller is a fifth of it; more is a controller that does not filter.
const MOST: usize = 50_000;
/// Characters that are kept of a name, an explanation, and of a revision or the name of a node.
const NAME: usize = 300;
const EXPLANATION: usize = 500;
const WORD: usize = 100;

/// What reads one controller.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    pub(super) client: &'a Client,
    pub(super) controller: &'a Controller,
    pub(super) known: &'a Known,
    pub(super) now: DateTime<Utc>,
}

/// What was found so far.
#[derive(Debug, Default)]
struct Found {
    jobs: BTreeMap<i64, AapJob>,
    refused: Vec<Problem>,
}

impl Reader<'_> {
    /// Reads the list. What people must know besides comes second.
    pub(super) async fn read(&self) -> (Reading<AapJob>, Vec<Problem>) {
        let mut found = Found::default();
        let missing = self.lists(&mut found).await.err();
        let mut problems = Vec::new();
        if missing.is_none() {
            problems.extend(self.vanished(&found));
        }
        let reading = Reading {
            items: found.jobs.into_values().collect(),
            refused: found.refused,
            missing,
            extent: Extent::Part,
        };
        (reading, problems)
    }

    async fn lists(&self, found: &mut Found) -> Result<(), Missing> {
        let since = self.known.since(self.now).to_rfc3339_opts(SecondsFormat::Secs, true);
        let mut query = vec![("or__created__gte", since.as_str()), ("or__finished__gte", since.as_str())];
        if self.known.newest.is_none() {
            // Nothing is stored yet: what was created long before and still runs is read, too.
            query.push(("or__finished__isnull", "true"));
        }
        self.list(&query, found).await?;
        let open: Vec<i64> = self.known.open.iter().filter(|id| !found.jobs.contains_key(id)).copied().collect();
        for some in open.chunks(IDS) {
            let ids = some.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
            self.list(&[("id__in", &ids)], found).await?;
        }
        Ok(())
    }

    async fn list(&self, filter: &[(&str, &str)], found: &mut Found) -> Result<(), Missing> {
        const PATH: &str = "jobs/";
        let query = [filter, &[("order_by", "id"), ("page_size", PAGE)]].concat();
        let mut pages = Pages::default();
        let mut page = self.client.get_list(PATH, &query, &["results"]).await?;
        loop {
            pages.take(PATH, self.take(&page, found))?;
            if pages.seen() > MOST {
                return Err(Missing {
                    reason: UnknownReason::Truncated,
                    detail: format!("GET {PATH} lists more than {MOST} jobs since the last reading: does the controller filter by time?"),
                });
            }
            let Some(next) = &page.next else { return Ok(()) };
            let next = pages.follow(self.client, next)?;
            page = self.client.get_list_link(next.as_str(), &["results"]).await?;
        }
    }

    /// Keeps the jobs of a page. The answer is what names its items.
    fn take(&self, page: &Page, found: &mut Found) -> Vec<String> {
        let mut names = Vec::new();
        for item in &page.items {
            let raw: Result<RawJob, _> = serde_json::from_str(item.get());
            let id = raw.as_ref().ok().and_then(|raw| raw.id);
            match raw.map_err(|error| json_error(&error)).and_then(|raw| self.job(raw)) {
                Ok(job) => {
                    found.jobs.insert(job.id, job);
                }
                Err(detail) => found.refused.push(Problem {
                    subject: id.map_or_else(
                        || format!("{}: a job", self.controller.source()),
                        |id| format!("{}: job {id}", self.controller.source()),
                    ),
                    detail,
                }),
            }
            names.extend(id.map(|id| id.to_string()));
        }
        names
    }

    fn job(&self, raw: RawJob) -> Result<AapJob, String> {
        let id = raw.id.ok_or("it has no id; what is stored of it stays as it is")?;
        let status = raw.status.filter(|status| !status.is_empty());
        let status = status.ok_or("it has no status; what is stored of it stays as it is")?;
        let text = |text: Option<String>, max| redact::shorten(text.unwrap_or_default().trim(), max);
        let name = text(raw.name, NAME);
        // While it runs this differs every time, and says no more than its start.
        let elapsed = raw.elapsed.filter(|_| is_final(&status));
        Ok(AapJob {
            controller: self.controller.host.clone(),
            id,
            phase: name::phase(&name, raw.playbook.as_deref().unwrap_or_default()),
            service_uuid: name::service_uuid(&name),
            name,
            status: redact::shorten(&status, WORD),
            created_at: raw.created,
            started_at: raw.started,
            finished_at: raw.finished,
            elapsed_s: elapsed
                .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
                .and_then(|elapsed| i64::try_from(elapsed.as_secs()).ok()),
            explanation: redact::text(raw.job_explanation.as_deref().unwrap_or_default(), EXPLANATION),
            scm_revision: text(raw.scm_revision, WORD),
            execution_node: text(raw.execution_node, WORD),
            failure: None,
        })
    }

    /// Jobs that were asked for by their ids and did not come.
    fn vanished(&self, found: &Found) -> Option<Problem> {
        let mut gone = self.known.open.iter().filter(|id| !found.jobs.contains_key(id)).peekable();
        let first = *gone.peek()?;
        let count = gone.count();
        Some(Problem {
            subject: self.controller.source(),
            detail: format!(
                "{count} job(s) that had not ended, {first} the first of them, are no longer listed: deleted there, or hidden from StarGate's token"
            ),
        })
    }
}
