//! One LIST of a kind into the assembler: what was read, and why there may be more. How it is paged is in [`super::pager`].

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::KindReport;
use super::page::{self, Page, Parse};
use super::pager::{Collection, Failure, Pager, Sink, Taken};
use crate::cluster::ReadClient;
use crate::objects::api::{Resource, with_projection};
use crate::objects::{Assembler, Kind};
use crate::unknown::UnknownReason;

/// LISTs in flight to one cluster. More would cost its other users; large LISTs take several of the server's seats.
const IN_FLIGHT: usize = 4;
/// Objects that cannot be understood are named up to this many per kind.
const NAMED: usize = 5;

/// What the LISTs of one run share.
pub(super) struct Run {
    pager: Pager,
    assembler: Mutex<Assembler>,
}

impl Run {
    pub(super) fn new(client: ReadClient, assembler: Assembler, deadline: Instant) -> Self {
        Self {
            pager: Pager::new(client, IN_FLIGHT, deadline),
            assembler: Mutex::new(assembler),
        }
    }

    /// The assembler. It is never held across a wait.
    pub(super) fn assembler(&self) -> MutexGuard<'_, Assembler> {
        self.assembler.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn into_assembler(self) -> Assembler {
        self.assembler.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why the whole cluster is given up, if it is.
    pub(super) fn stopped(&self) -> Option<&Failure> {
        self.pager.stopped()
    }
}

/// Reads one kind, cluster-wide or in one namespace, and tells the assembler how that went.
pub(super) async fn list(run: &Run, resource: &'static Resource, namespace: Option<&str>) -> KindReport {
    let mut report = KindReport::default();
    let outcome = read(run, resource, namespace, &mut report).await;
    let mut assembler = run.assembler();
    match outcome {
        Ok(()) => match namespace {
            Some(namespace) => assembler.read_in(resource.kind, namespace),
            None => assembler.read(resource.kind),
        },
        Err(Failure { reason, detail }) => {
            match namespace {
                Some(namespace) => assembler.missing_in(resource.kind, namespace, reason),
                None => assembler.missing(resource.kind, reason),
            }
            report.missing = Some(reason);
            // Why the whole cluster stopped is told once, not with each kind.
            if run.stopped().is_none() {
                let cluster = run.pager.client.name();
                let subject = match namespace {
                    Some(namespace) => format!("{cluster}/{namespace}/{}", resource.kind),
                    None => format!("{cluster}/{}", resource.kind),
                };
                assembler.problem(subject, detail.clone());
            }
            report.detail = detail;
        }
    }
    report
}

async fn read(run: &Run, resource: &'static Resource, namespace: Option<&str>, report: &mut KindReport) -> Result<(), Failure> {
    let of = collection(resource, namespace);
    if let (Kind::Namespace, Some(name)) = (resource.kind, namespace) {
        let of = Collection {
            path: format!("{}/{name}", resource.path()),
            ..of
        };
        // That it does not exist is an answer.
        return run.pager.one(&of, &mut Single(run), report).await.map(|_| ());
    }
    let parse: Parse = with_projection!(resource.kind, T => page::parse::<T>, else return Ok(()));
    let mut into = Into {
        run,
        kind: resource.kind,
        parse,
        pages: 0,
        refused: Vec::new(),
        refused_count: 0,
    };
    run.pager.list(&of, &mut into, report).await?;
    let Into {
        mut refused,
        refused_count,
        ..
    } = into;
    if refused_count == 0 {
        return Ok(());
    }
    if refused_count > refused.len() {
        refused.push(format!("and {} more", refused_count - refused.len()));
    }
    Err(Failure::new(UnknownReason::ParseError, refused.join("; ")))
}

fn collection(resource: &Resource, namespace: Option<&str>) -> Collection {
    let Resource { group, plural, .. } = resource;
    Collection {
        path: match namespace.filter(|_| resource.namespaced) {
            Some(namespace) => resource.path_in(namespace),
            None => resource.path(),
        },
        name: if group.is_empty() {
            (*plural).to_owned()
        } else {
            format!("{plural}.{group}")
        },
        namespace: namespace.map(str::to_owned),
        selector: selector(resource.kind),
        grant: "grant the scanner's role get and list on it",
    }
}

/// Folds pages into the assembler.
struct Into<'a> {
    run: &'a Run,
    kind: Kind,
    parse: Parse,
    pages: usize,
    refused: Vec<String>,
    refused_count: usize,
}

impl Sink for Into<'_> {
    fn page(&mut self, body: &[u8]) -> Result<Taken, String> {
        let (Page { items, more, refused }, fold) = (self.parse)(body).map_err(|error| error.to_string())?;
        fold(&mut self.run.assembler());
        self.pages += 1;
        self.refused_count += refused.len();
        let room = NAMED.saturating_sub(self.refused.len());
        self.refused.extend(refused.into_iter().take(room));
        Ok(Taken { items, more })
    }

    fn forget(&mut self) {
        // What other namespaces brought stays where nothing was taken.
        if self.pages > 0 {
            with_projection!(self.kind, T => self.run.assembler().forget::<T>(), else ());
        }
    }
}

/// Takes one object.
struct Single<'a>(&'a Run);

impl Sink for Single<'_> {
    fn page(&mut self, body: &[u8]) -> Result<Taken, String> {
        self.0
            .assembler()
            .add_raw(body)
            .map(|_| Taken::default())
            .map_err(|error| error.to_string())
    }

    fn forget(&mut self) {}
}

/// What is left out at the source: finished pods and events that are no warnings are most of their lists, and nothing is
/// judged by them.
fn selector(kind: Kind) -> Option<(&'static str, &'static str)> {
    match kind {
        Kind::Pod => Some(("fieldSelector", "status.phase!=Succeeded")),
        Kind::Event => Some(("fieldSelector", "type=Warning")),
        _ => None,
    }
}
