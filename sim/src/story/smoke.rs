//! Smoke runs: simulated learners walk through each lab of the event, again and again.
//!
//! Demolition tells no times, so only who read it before and after a run ended knows how old a result is. When the telling begins every lab
//! has a result of an unknown age, and a run on its way that ends soon.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::{plot::Plot, program::ITEMS};

/// A session of Demolition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Smoke {
    /// Its id; later runs have higher ones.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// `completed`, `failed` or `running`.
    pub status: &'static str,
    /// Simulated learners.
    pub workers: i64,
    /// Where they began.
    pub url: String,
    /// Total, completed, failed; none while there is no result.
    pub result: Option<(i64, i64, i64)>,
    /// Position of the workshop whose lab they walk through.
    pub(crate) workshop: Option<usize>,
    /// When it will end.
    pub(crate) until: Option<DateTime<Utc>>,
}

/// When somebody tries a lab next, and how often that was done.
#[derive(Debug)]
pub(crate) struct Rounds {
    next: DateTime<Utc>,
    done: usize,
}

/// Id of the first run.
const FIRST: i64 = 880;
/// A run that is about no lab.
const LOAD: i64 = 860;
/// When the first of the runs that are on their way at the beginning ends, and how much later each of the others.
const FIRST_ENDS: (i64, i64) = (20, 2);
/// Seconds that a run takes: while it does, nobody knows whether its lab still works, and the demo is read every 45 seconds.
const LASTS: (i64, i64) = (8, 16);
/// The lab whose learners wait for a cluster each, and how many seconds they take.
const SLOW: (&str, i64) = ("LB1602", 75);
/// Seconds until a lab is tried once more for the first time: whoever came too late to see the first run end has not long to wait.
const SOON: (i64, i64) = (60, 300);
/// Seconds until a lab is tried again later.
const LATER: (i64, i64) = (480, 840);
/// Runs of one lab that are kept.
const KEPT: usize = 3;

/// Total, completed and failed of a run of a lab, and the status that Demolition gives it.
fn outcome(code: &str, round: usize, workers: i64, most_are_broken: bool) -> (&'static str, (i64, i64, i64)) {
    match code {
        // Its pool never gets an instance that works, and those that people have are no better.
        "LB1501" => ("failed", (workers, 1, 1)),
        // It was mended since.
        "LB1206" if round == 0 => ("completed", (workers, workers, 1)),
        _ if most_are_broken => ("completed", (workers, workers, workers / 2)),
        _ => ("completed", (workers, workers, 0)),
    }
}

impl Plot {
    /// What Demolition found before `now`, and the runs that are on their way.
    pub(crate) fn plan_smoke(&mut self, now: DateTime<Utc>) {
        self.smoke.push(Smoke {
            id: LOAD,
            name: "Load on the new network".to_owned(),
            status: "completed",
            workers: 40,
            url: "https://load.example.test/start".to_owned(),
            result: Some((40, 40, 2)),
            workshop: None,
            until: None,
        });
        self.rounds = self.workshops.iter().map(|_| Rounds { next: now, done: 0 }).collect();
        let none = BTreeSet::new();
        for position in 0..self.workshops.len() {
            self.begin_smoke(position, now);
            self.end_smoke(position, &none, now);
        }
        let (first, step) = FIRST_ENDS;
        for position in 0..self.workshops.len() {
            let after = TimeDelta::seconds(first + step * i64::try_from(position).unwrap_or(0));
            self.begin_smoke(position, now + after);
        }
    }

    /// Ends runs that are due, and begins others. `broken` are the labs, (cluster, namespace), that something is wrong with.
    pub(crate) fn try_labs(&mut self, broken: &BTreeSet<(String, String)>, now: DateTime<Utc>) {
        for position in 0..self.workshops.len() {
            let until = self
                .smoke
                .iter()
                .find(|run| run.workshop == Some(position) && run.status == "running");
            match until.map(|run| run.until) {
                Some(until) if until.is_none_or(|until| until <= now) => self.end_smoke(position, broken, now),
                None if self.rounds.get(position).is_some_and(|rounds| rounds.next <= now) => {
                    let lasts = match self.code_of(position) {
                        code if code == SLOW.0 => SLOW.1,
                        _ => self.seed.between(LASTS.0, LASTS.1),
                    };
                    self.begin_smoke(position, now + TimeDelta::seconds(lasts));
                }
                _ => {}
            }
        }
    }

    fn code_of(&self, workshop: usize) -> &'static str {
        let item = self.workshops.get(workshop).and_then(|workshop| ITEMS.get(workshop.item));
        item.and_then(|item| item.code).unwrap_or_default()
    }

    fn begin_smoke(&mut self, position: usize, until: DateTime<Utc>) {
        let code = self.code_of(position);
        let Some(workshop) = self.workshops.get(position) else { return };
        let newest = self.smoke.iter().map(|run| run.id).max().unwrap_or(0);
        let run = Smoke {
            id: (newest + 1).max(FIRST),
            name: format!("{code} walk through"),
            status: "running",
            workers: 4 + i64::try_from(position % 3).unwrap_or(0) * 2,
            // Some only say in their name which lab they are about.
            url: if position % 5 == 3 { String::new() } else { workshop.url() },
            result: None,
            workshop: Some(position),
            until: Some(until),
        };
        let mut of_lab: Vec<i64> = self
            .smoke
            .iter()
            .filter(|run| run.workshop == Some(position))
            .map(|run| run.id)
            .collect();
        of_lab.sort_unstable();
        let old = of_lab.len().saturating_sub(KEPT - 1);
        let old: BTreeSet<i64> = of_lab.into_iter().take(old).collect();
        self.smoke.retain(|run| !old.contains(&run.id));
        self.smoke.push(run);
    }

    fn end_smoke(&mut self, position: usize, broken: &BTreeSet<(String, String)>, now: DateTime<Utc>) {
        let (code, most_are_broken) = (self.code_of(position), self.most_are_broken(position, broken));
        let Some(rounds) = self.rounds.get_mut(position) else { return };
        let running = |run: &&mut Smoke| run.workshop == Some(position) && run.status == "running";
        if let Some(run) = self.smoke.iter_mut().find(running) {
            let (status, result) = outcome(code, rounds.done, run.workers, most_are_broken);
            (run.status, run.result, run.until) = (status, Some(result), None);
        }
        rounds.done += 1;
        let (least, most) = if rounds.done <= 2 { SOON } else { LATER };
        rounds.next = now + TimeDelta::seconds(self.seed.between(least, most));
    }

    /// Whether learners who walk through a lab would rather meet a broken instance than a whole one.
    fn most_are_broken(&self, position: usize, broken: &BTreeSet<(String, String)>) -> bool {
        let seats = self
            .orders
            .iter()
            .filter(|order| order.claim.as_ref().is_some_and(|claim| claim.workshop == Some(position)));
        let places = seats.filter_map(|order| order.lab());
        let (mut all, mut ailing) = (0_usize, 0_usize);
        for (cluster, namespace) in places {
            all += 1;
            ailing += usize::from(broken.contains(&(cluster.to_owned(), namespace.to_owned())));
        }
        ailing * 2 > all
    }
}
