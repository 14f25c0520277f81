//! What goes on: orders arrive and leave, jobs run, pools refill, labs are stopped and started again.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    content,
    job::{CONTROLLERS, FAILURES, Failure},
    order::{Action, Life, Order, Place},
    plot::{Plot, Pool, is_coming_up, service_uuid},
    program::PoolFate,
};
use crate::{
    cluster::Cluster,
    fleet::Lab,
    generate::labs,
    kinds::Kind,
    objects::{is_leaving, name},
};

/// From order to job.
const BOOKING: TimeDelta = TimeDelta::seconds(15);
/// How long jobs run at least; those that provision run on until the pods are up.
const JOB: TimeDelta = TimeDelta::seconds(75);
/// After this long a provision ends even if some pod never becomes ready.
const PATIENCE: TimeDelta = TimeDelta::minutes(6);
/// Finished actions are removed after this. Source: rhdp-contracts 1.3.
pub(crate) const ACTIONS_KEPT: TimeDelta = TimeDelta::hours(12);
/// Successful runs are removed after this. Source: rhdp-contracts 1.3.
pub(crate) const RUNS_KEPT: TimeDelta = TimeDelta::hours(3);

/// What the story remembers between two steps.
#[derive(Debug)]
pub(crate) struct Memory {
    jobs: [i64; 2],
    next_bind: DateTime<Utc>,
    next_stop: DateTime<Utc>,
    next_sweep: DateTime<Utc>,
    next_look: DateTime<Utc>,
    /// Orders that a person has stopped or started: (guid, when to go on).
    pub(crate) resting: Vec<(String, DateTime<Utc>)>,
    /// Lab namespaces to take away: (cluster, namespace, when).
    doomed: Vec<(String, String, DateTime<Utc>)>,
}

impl Memory {
    pub(crate) fn new(now: DateTime<Utc>) -> Self {
        Self {
            jobs: [41_000; 2],
            next_bind: now + TimeDelta::seconds(70),
            next_stop: now + TimeDelta::seconds(110),
            next_sweep: now + TimeDelta::minutes(10),
            next_look: now,
            resting: Vec::new(),
            doomed: Vec::new(),
        }
    }

    /// The next id of a controller. Ids of two controllers overlap, as real ones do.
    pub(crate) fn next_job(&mut self, controller: usize) -> i64 {
        let Some(last) = self.jobs.get_mut(controller.min(CONTROLLERS.len() - 1)) else {
            return 0;
        };
        *last += 1;
        *last
    }
}

/// How a part goes on.
enum Next {
    Launch,
    Finish(Option<&'static Failure>),
    Vanish,
}

impl Plot {
    /// A lab was ordered on a lab cluster: its namespace is booked.
    pub(crate) fn arrive(&mut self, cluster: &Cluster, lab: &Lab) {
        let uuid = service_uuid(cluster, &lab.namespace);
        let mut order = self.order_for(lab, uuid.as_deref(), lab.created - TimeDelta::seconds(5));
        let (repo, reference) = content::of_lab(order.item(), &lab.guid);
        content::write(cluster, &lab.namespace, &repo, reference);
        for position in 0..order.parts.len() {
            self.ask(&mut order, position, Action::Provision, lab.created);
        }
        self.keep(order);
    }

    /// The owner of a lab gives it back. True when the story takes its namespace away, later.
    pub(crate) fn depart(&mut self, lab: &Lab, now: DateTime<Utc>) -> bool {
        let Some(mut order) = self.order_at(&lab.cluster, &lab.namespace).cloned() else {
            return false;
        };
        order.leaving = Some(now);
        for position in 0..order.parts.len() {
            self.ask(&mut order, position, Action::Destroy, now);
        }
        self.memory
            .doomed
            .push((lab.cluster.clone(), lab.namespace.clone(), now + TimeDelta::seconds(80)));
        self.keep(order);
        true
    }

    /// The order that a namespace belongs to.
    pub(crate) fn order_at(&self, cluster: &str, namespace: &str) -> Option<&Order> {
        self.orders.iter().find(|order| order.lab() == Some((cluster, namespace)))
    }

    /// Whether somebody has just stopped or started a lab, or it is not theirs to break.
    pub(crate) fn is_at_rest(&self, cluster: &str, namespace: &str) -> bool {
        self.order_at(cluster, namespace).is_some_and(|order| order.life() != Life::Started)
    }

    /// Does what is due.
    pub(crate) fn step(&mut self, clusters: &[Cluster], broken: &BTreeSet<(String, String)>, now: DateTime<Utc>) {
        self.take_away(clusters, now);
        for position in 0..self.orders.len() {
            let moving = self.orders.get(position).filter(|order| is_moving(order)).cloned();
            if let Some(order) = moving {
                self.move_on(order, clusters, now);
            }
        }
        self.orders.retain(|order| {
            let gone = order.leaving.is_some() && order.parts.is_empty() && order.claim.as_ref().is_none_or(|claim| !claim.detached);
            !gone
        });
        self.churn(now);
        if now >= self.memory.next_look {
            self.memory.next_look = now + TimeDelta::seconds(10);
            self.follow(clusters, now);
        }
        if now >= self.memory.next_bind {
            self.memory.next_bind = now + TimeDelta::seconds(self.seed.between(120, 260));
            self.bind(now);
        }
        if now >= self.memory.next_stop {
            self.memory.next_stop = now + TimeDelta::seconds(self.seed.between(150, 300));
            self.rest(broken, now);
        }
        self.wake(now);
        self.try_labs(broken, now);
        if now >= self.memory.next_sweep {
            self.memory.next_sweep = now + TimeDelta::minutes(10);
            self.sweep(now);
            self.roll_sessions(now);
        }
    }

    /// Namespaces of labs that were given back go.
    fn take_away(&mut self, clusters: &[Cluster], now: DateTime<Utc>) {
        let (due, rest) = std::mem::take(&mut self.memory.doomed)
            .into_iter()
            .partition(|(_, _, at)| *at <= now);
        self.memory.doomed = rest;
        let due: Vec<(String, String, DateTime<Utc>)> = due;
        for (name, namespace, _) in due {
            if let Some(cluster) = clusters.iter().find(|cluster| cluster.name() == name) {
                cluster.destroy_namespace(&namespace);
            }
        }
    }

    fn move_on(&mut self, mut order: Order, clusters: &[Cluster], now: DateTime<Utc>) {
        let before = order.life();
        let mut changed = false;
        let mut gone = Vec::new();
        for position in 0..order.parts.len() {
            match self.next(&order, position, clusters, now) {
                Some(Next::Launch) => {
                    self.launch(&mut order, position, now);
                    self.act_on_lab(&order, position, clusters, now);
                }
                Some(Next::Finish(failure)) => self.finish(&mut order, position, now, failure),
                Some(Next::Vanish) => gone.push(position),
                None => continue,
            }
            changed = true;
        }
        if !changed {
            return;
        }
        for position in gone.into_iter().rev() {
            order.parts.remove(position);
        }
        if order.life() == Life::Started && before != Life::Started {
            order.first_ready.get_or_insert(now);
        }
        // Nobody has claimed what failed: the governor deletes its handle, and the pool makes another.
        if order.claim.is_none() && order.life().failed_to_provision() && order.leaving.is_none() {
            order.leaving = Some(now);
            for position in 0..order.parts.len() {
                self.ask(&mut order, position, Action::Destroy, now);
            }
        }
        self.keep(order);
    }

    /// What a part is due for.
    fn next(&self, order: &Order, position: usize, clusters: &[Cluster], now: DateTime<Utc>) -> Option<Next> {
        let part = order.parts.get(position)?;
        if part.trouble.is_some() || part.only_foreign_finalizer {
            return None;
        }
        let waited = now - part.since;
        match part.life {
            Life::ProvisionPending | Life::ProvisionQueued if waited >= BOOKING => Some(Next::Launch),
            Life::StopPending | Life::StartPending | Life::DestroyPending if waited >= BOOKING => Some(Next::Launch),
            Life::Provisioning if waited >= JOB => {
                let pool = order.pool.filter(|_| order.claim.is_none()).and_then(|pool| self.pools.get(pool));
                if pool.is_some_and(|pool| pool.fate == PoolFate::Churning) {
                    return Some(Next::Finish(FAILURES.first()));
                }
                // One in eleven fails although its namespace is there.
                if order.claim.is_some() && order.guid.bytes().map(u32::from).sum::<u32>() % 11 == 0 {
                    let which = order.guid.bytes().map(usize::from).sum::<usize>() % FAILURES.len();
                    return Some(Next::Finish(FAILURES.get(which)));
                }
                let up = part.lab().is_none_or(|(name, namespace)| {
                    let cluster = clusters.iter().find(|cluster| cluster.name() == name);
                    cluster.is_none_or(|cluster| !is_coming_up(cluster, namespace))
                });
                (up || waited >= PATIENCE).then_some(Next::Finish(None))
            }
            Life::Stopping | Life::Starting if waited >= JOB => Some(Next::Finish(None)),
            Life::Destroying if part.last().is_some_and(|deed| deed.ended.is_some()) => Some(Next::Vanish),
            Life::Destroying if waited >= JOB => {
                let stuck = part.lab().is_some_and(|(name, namespace)| {
                    let cluster = clusters.iter().find(|cluster| cluster.name() == name);
                    cluster.is_some_and(|cluster| cluster.get(Kind::Namespace, "", namespace).is_some())
                });
                (!stuck).then_some(Next::Finish(None))
            }
            _ => None,
        }
    }

    /// A job that stops or starts a lab does so.
    fn act_on_lab(&self, order: &Order, position: usize, clusters: &[Cluster], now: DateTime<Utc>) {
        let Some(part) = order.parts.get(position) else {
            return;
        };
        let Some((name, namespace)) = part.lab() else {
            return;
        };
        let Some(cluster) = clusters.iter().find(|cluster| cluster.name() == name) else {
            return;
        };
        match part.life {
            Life::Stopping => cluster.with(|state, _| labs::stop(state, namespace, now)),
            Life::Starting => cluster.with(|state, _| labs::start(state, namespace, now)),
            _ => {}
        }
    }

    /// A pool whose item is broken makes handles that fail.
    fn churn(&mut self, now: DateTime<Utc>) {
        for position in 0..self.pools.len() {
            let Some(Pool {
                item,
                min,
                max_unready,
                fate: PoolFate::Churning,
                next,
                ..
            }) = self.pools.get(position).cloned()
            else {
                continue;
            };
            let room = self.waiting_in(position).count() < min.min(max_unready.unwrap_or(min));
            if now < next || !room {
                continue;
            }
            let pause = TimeDelta::seconds(self.seed.between(25, 60));
            if let Some(pool) = self.pools.get_mut(position) {
                pool.next = now + pause;
            }
            let mut order = self.fresh(item, false, Place::Nowhere, now);
            order.pool = Some(position);
            self.ask(&mut order, 0, Action::Provision, now);
            self.keep(order);
        }
    }

    /// Somebody takes a handle out of a pool.
    fn bind(&mut self, now: DateTime<Utc>) {
        let ready = |order: &&Order| order.claim.is_none() && order.leaving.is_none() && order.life() == Life::Started;
        let candidates: Vec<String> = self.orders.iter().filter(ready).map(|order| order.guid.clone()).collect();
        let guid = candidates.get(self.seed.below(candidates.len()));
        let Some(mut order) = guid.and_then(|guid| self.orders.iter().find(|order| order.guid == *guid)).cloned() else {
            return;
        };
        order.claim = Some(self.claim_of(order.item, now));
        self.keep(order);
    }

    /// Somebody stops a lab for a while.
    fn rest(&mut self, broken: &BTreeSet<(String, String)>, now: DateTime<Utc>) {
        let fits = |order: &&Order| {
            let whole = order
                .lab()
                .is_some_and(|(cluster, namespace)| !broken.contains(&(cluster.to_owned(), namespace.to_owned())));
            // Seats of the event stay on.
            whole && order.item().code.is_none() && order.claim.is_some() && order.life() == Life::Started && order.leaving.is_none()
        };
        let candidates: Vec<String> = self.orders.iter().filter(fits).map(|order| order.guid.clone()).collect();
        let guid = candidates.get(self.seed.below(candidates.len())).cloned();
        let Some(mut order) = guid.and_then(|guid| self.orders.iter().find(|order| order.guid == guid)).cloned() else {
            return;
        };
        for position in 0..order.parts.len() {
            self.ask(&mut order, position, Action::Stop, now);
        }
        let until = now + TimeDelta::seconds(self.seed.between(400, 900));
        self.memory.resting.push((order.guid.clone(), until));
        self.keep(order);
    }

    /// Labs that were stopped for a while are started again.
    fn wake(&mut self, now: DateTime<Utc>) {
        let (due, rest) = std::mem::take(&mut self.memory.resting)
            .into_iter()
            .partition(|(_, until)| *until <= now);
        self.memory.resting = rest;
        let due: Vec<(String, DateTime<Utc>)> = due;
        for (guid, _) in due {
            let Some(mut order) = self.orders.iter().find(|order| order.guid == guid).cloned() else {
                continue;
            };
            if order.life() == Life::Stopped && order.leaving.is_none() {
                for position in 0..order.parts.len() {
                    self.ask(&mut order, position, Action::Start, now);
                }
                self.keep(order);
            }
        }
    }

    /// Actions and runs that are over expire, and so do jobs nobody can name any more.
    fn sweep(&mut self, now: DateTime<Utc>) {
        let guids: Vec<String> = self.orders.iter().map(|order| order.guid.clone()).collect();
        self.dirty.extend(guids);
        let old = now - TimeDelta::days(30);
        self.jobs.retain(|_, job| job.finished.is_none_or(|finished| finished > old));
    }

    /// Whether a lab should be made next for a pool that is short: the base it needs.
    pub(crate) fn wanted_base(&self) -> Option<&'static str> {
        let short = self
            .pools
            .iter()
            .enumerate()
            .find(|(position, pool)| matches!(pool.fate, PoolFate::Healthy) && self.waiting_in(*position).count() < pool.min);
        short
            .and_then(|(_, pool)| super::program::ITEMS.get(pool.item))
            .map(|item| item.base)
    }

    /// Namespaces that are torn down without their owner's wish (by a fault, or by hand) take their subjects with them. One that is only
    /// missing does not: its subject goes on to say that it is started.
    fn follow(&mut self, clusters: &[Cluster], now: DateTime<Utc>) {
        let mut going: BTreeSet<(&str, String)> = BTreeSet::new();
        for cluster in clusters {
            for namespace in cluster.list(Kind::Namespace, "").iter().filter(|namespace| is_leaving(namespace)) {
                going.insert((cluster.name(), name(namespace).to_owned()));
            }
        }
        let lost = |order: &&Order| {
            let goes = order
                .lab()
                .is_some_and(|(cluster, namespace)| going.contains(&(cluster, namespace.to_owned())));
            goes && order.leaving.is_none()
        };
        let lost: Vec<Order> = self.orders.iter().filter(lost).cloned().collect();
        for mut order in lost {
            order.leaving = Some(now);
            for position in 0..order.parts.len() {
                self.ask(&mut order, position, Action::Destroy, now);
            }
            self.keep(order);
        }
    }
}

/// Whether something of an order is on its way.
fn is_moving(order: &Order) -> bool {
    let moves = |life: Life| {
        matches!(
            life,
            Life::ProvisionPending
                | Life::ProvisionQueued
                | Life::Provisioning
                | Life::StopPending
                | Life::Stopping
                | Life::StartPending
                | Life::Starting
                | Life::DestroyPending
                | Life::Destroying
        )
    };
    order.parts.iter().any(|part| moves(part.life))
}
