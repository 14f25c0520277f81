//! A day in the life of a fleet: labs come and go, a share of them is broken at any time, and now and then many of one
//! cluster break at once.
//!
//! ```
//! use stargate_sim::{Fleet, Scenario, SimClock};
//!
//! let clock = SimClock::starting_at(chrono::DateTime::UNIX_EPOCH);
//! let fleet = Fleet::demo(42, clock.clone());
//! let mut scenario = Scenario::new(&fleet, 42);
//! clock.advance(chrono::TimeDelta::minutes(1));
//! scenario.step(); // every few seconds; or let `running.play(scenario)` do it
//! ```

mod load;

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    cluster::Cluster,
    fault::Fault,
    fleet::{Fleet, Lab},
    generate::{demo, labs},
    seed::Seed,
    story::Story,
};

/// Labs that are broken at any time, in percent.
const BROKEN_PERCENT: usize = 7;
/// Attempts to find a lab that a fault can strike, before the next fault has its turn.
const ATTEMPTS: usize = 60;

/// Drives a fleet. Everything it does follows from its seed and the times at which it is stepped.
#[derive(Debug)]
pub struct Scenario {
    clusters: Vec<Cluster>,
    labs: Vec<Lab>,
    seed: Seed,
    /// Faults still to be dealt; shuffled anew when it runs out, so that every fault has its turn.
    deck: Vec<Fault>,
    active: Vec<Active>,
    next_outbreak: DateTime<Utc>,
    next_arrival: DateTime<Utc>,
    next_departure: DateTime<Utc>,
    next_breath: DateTime<Utc>,
    /// Who ordered the labs, and how that goes on.
    story: Option<Story>,
}

#[derive(Debug)]
struct Active {
    cluster: Cluster,
    namespace: String,
    fault: Fault,
    until: DateTime<Utc>,
}

/// Failures that hit many labs of a cluster at once: the fault of each lab, and of the cluster when it shows there.
const OUTBREAKS: [(Fault, Option<Fault>); 5] = [
    (Fault::ImagePullUnauthorized, None),
    (Fault::SchedulingFailed, Some(Fault::ClusterMemoryPressure)),
    (Fault::VmiUnschedulable, Some(Fault::ClusterOverloaded)),
    (Fault::PvcNotBound, None),
    (Fault::RouteNotAdmitted, Some(Fault::NodeNotReady)),
];

impl Scenario {
    /// Takes over a fleet and breaks its share of labs, as if that had happened over the last hours.
    #[must_use]
    pub fn new(fleet: &Fleet, seed: u64) -> Self {
        let now = fleet.clock.now();
        let mut scenario = Self {
            clusters: fleet.clusters.clone(),
            labs: fleet.labs.clone(),
            seed: Seed::new(seed).for_name("scenario"),
            deck: Vec::new(),
            active: Vec::new(),
            next_outbreak: now + TimeDelta::minutes(6),
            next_arrival: now + TimeDelta::seconds(40),
            next_departure: now + TimeDelta::seconds(100),
            next_breath: now,
            story: None,
        };
        scenario.break_share(now, true);
        scenario.strike_cluster(Fault::NodeNotReady, now, TimeDelta::minutes(25));
        scenario
    }

    /// The same, with the story that is told around the fleet: labs that arrive are ordered, those that leave are given back, and nobody's lab
    /// is broken while it is being stopped, started or taken away.
    #[must_use]
    pub fn with_story(mut self, story: Story) -> Self {
        self.story = Some(story);
        self
    }

    /// Labs that are broken or being broken now, by cluster, namespace and fault.
    pub fn active(&self) -> impl Iterator<Item = (&str, &str, Fault)> {
        self.active
            .iter()
            .map(|active| (active.cluster.name(), active.namespace.as_str(), active.fault))
    }

    /// Labs that exist now.
    #[must_use]
    pub fn labs(&self) -> &[Lab] {
        &self.labs
    }

    /// Does what is due by the clusters' clock.
    pub fn step(&mut self) {
        let Some(now) = self.clusters.first().map(Cluster::now) else {
            return;
        };
        self.heal_due(now);
        if now >= self.next_arrival {
            self.arrive(now);
            self.next_arrival = now + TimeDelta::seconds(self.seed.between(90, 200));
        }
        if now >= self.next_departure {
            self.depart();
            self.next_departure = now + TimeDelta::seconds(self.seed.between(90, 200));
        }
        if now >= self.next_outbreak {
            self.break_out(now);
            self.next_outbreak = now + TimeDelta::minutes(self.seed.between(12, 20));
        }
        self.break_share(now, false);
        if now >= self.next_breath {
            self.next_breath = now + TimeDelta::seconds(30);
            for cluster in &self.clusters {
                load::breathe(cluster, now);
            }
        }
        for cluster in &self.clusters {
            cluster.settle();
        }
        if let Some(story) = &self.story {
            let ailing = self.clusters.iter().flat_map(|cluster| {
                let namespaces = cluster.ailments().into_iter().map(|(namespace, ..)| namespace);
                namespaces.map(|namespace| (cluster.name().to_owned(), namespace))
            });
            let broken: BTreeSet<(String, String)> = ailing.collect();
            story.step(&broken);
        }
    }

    /// Whether anything is wrong with a lab, by this scenario or by somebody else.
    fn is_broken(&self, cluster: &Cluster, namespace: &str) -> bool {
        let ours = self.active.iter().any(|active| active.namespace == namespace);
        ours || cluster.ailments().iter().any(|(other, ..)| other == namespace)
    }

    fn heal_due(&mut self, now: DateTime<Utc>) {
        let (due, rest) = std::mem::take(&mut self.active).into_iter().partition(|active| active.until <= now);
        self.active = rest;
        let due: Vec<Active> = due;
        for Active {
            cluster, namespace, fault, ..
        } in due
        {
            tracing::debug!(
                cluster.name = cluster.name(),
                namespace,
                class = fault.class(),
                "healing {fault:?} in {namespace}"
            );
            cluster.heal(&namespace, fault);
            if fault == Fault::TeardownStuck {
                // Its teardown was what was stuck: now it is gone.
                self.labs.retain(|lab| lab.namespace != namespace);
            }
        }
    }

    /// Breaks labs until the share is reached.
    fn break_share(&mut self, now: DateTime<Utc>, in_the_past: bool) {
        let wanted = self.labs.len() * BROKEN_PERCENT / 100;
        // A fault that finds no lab is passed over; the next step goes on.
        for _ in 0..wanted {
            if self.active.len() >= wanted {
                return;
            }
            let fault = self.deal();
            let since = if in_the_past {
                now - TimeDelta::minutes(self.seed.between(6, 180))
            } else {
                now
            };
            let lasts = TimeDelta::seconds(self.seed.between(180, 1500));
            self.strike_lab(fault, None, since, now + lasts);
        }
    }

    /// The next fault of the deck.
    fn deal(&mut self) -> Fault {
        if self.deck.is_empty() {
            self.deck = Fault::ALL.iter().copied().filter(|fault| !fault.strikes_cluster()).collect();
            for position in (1..self.deck.len()).rev() {
                let other = self.seed.below(position + 1);
                self.deck.swap(position, other);
            }
        }
        self.deck.pop().unwrap_or(Fault::PodsCrashlooping)
    }

    /// Breaks some lab, of one cluster or of any; false when none was found.
    fn strike_lab(&mut self, fault: Fault, only_on: Option<&str>, since: DateTime<Utc>, until: DateTime<Utc>) -> bool {
        for _ in 0..ATTEMPTS {
            let Some(lab) = self.labs.get(self.seed.below(self.labs.len())) else {
                return false;
            };
            let elsewhere = only_on.is_some_and(|cluster| cluster != lab.cluster);
            let Some(cluster) = self.clusters.iter().find(|cluster| cluster.name() == lab.cluster) else {
                continue;
            };
            let broken = self.is_broken(cluster, &lab.namespace);
            let rests = self
                .story
                .as_ref()
                .is_some_and(|story| story.is_at_rest(&lab.cluster, &lab.namespace));
            let broken = broken || rests;
            // Nothing of a lab broke before the lab was there.
            let since = since.max(lab.created + TimeDelta::minutes(5));
            if !elsewhere && !broken && since <= cluster.now() && cluster.inject_since(&lab.namespace, fault, since) {
                let (cluster, namespace) = (cluster.clone(), lab.namespace.clone());
                tracing::debug!(
                    cluster.name = cluster.name(),
                    namespace,
                    class = fault.class(),
                    "injecting {fault:?} into {namespace}"
                );
                self.active.push(Active {
                    cluster,
                    namespace,
                    fault,
                    until,
                });
                return true;
            }
        }
        false
    }

    fn strike_cluster(&mut self, fault: Fault, now: DateTime<Utc>, lasts: TimeDelta) {
        let index = self.seed.below(self.clusters.len());
        if let Some(cluster) = self.clusters.get(index).cloned() {
            self.strike_this_cluster(cluster, fault, now, lasts);
        }
    }

    fn strike_this_cluster(&mut self, cluster: Cluster, fault: Fault, now: DateTime<Utc>, lasts: TimeDelta) {
        if cluster.inject("", fault) {
            self.active.push(Active {
                cluster,
                namespace: String::new(),
                fault,
                until: now + lasts,
            });
        }
    }

    /// Breaks many labs of one cluster in the same way.
    fn break_out(&mut self, now: DateTime<Utc>) {
        let index = self.seed.below(self.clusters.len());
        let Some(cluster) = self.clusters.get(index).cloned() else {
            return;
        };
        let lasts = TimeDelta::minutes(self.seed.between(8, 12));
        if self.seed.chance(15) {
            self.strike_this_cluster(cluster, Fault::ClusterUnreachable, now, TimeDelta::minutes(4));
            return;
        }
        let (fault, of_cluster) = OUTBREAKS
            .get(self.seed.below(OUTBREAKS.len()))
            .copied()
            .unwrap_or((Fault::ImagePullUnauthorized, None));
        tracing::info!(
            cluster.name = cluster.name(),
            class = fault.class(),
            "an outbreak of {} on {}",
            fault.class(),
            cluster.name()
        );
        for _ in 0..self.seed.between(6, 10) {
            self.strike_lab(fault, Some(cluster.name()), now, now + lasts);
        }
        if let Some(of_cluster) = of_cluster {
            self.strike_this_cluster(cluster, of_cluster, now, lasts);
        }
    }

    /// A new lab is ordered: its objects are there, its controllers bring it up.
    fn arrive(&mut self, now: DateTime<Utc>) {
        let Some(cluster) = self.clusters.get(self.seed.below(self.clusters.len())) else {
            return;
        };
        let wanted = self.story.as_ref().and_then(Story::wanted_base);
        let lab = match wanted {
            Some(base) => demo::invent_of(cluster.name(), base, now, &mut self.seed),
            None => demo::invent_on(cluster.name(), now, &mut self.seed),
        };
        let mut seed = self.seed.for_name(&lab.namespace);
        cluster.with(|state, _| labs::provision(state, &lab, &mut seed));
        tracing::debug!(
            cluster.name = cluster.name(),
            namespace = lab.namespace,
            "provisioning {}",
            lab.namespace
        );
        if let Some(story) = &self.story {
            story.arrive(&lab);
        }
        self.labs.push(lab);
    }

    /// A lab that is not broken is destroyed.
    fn depart(&mut self) {
        let index = self.seed.below(self.labs.len());
        let Some(lab) = self.labs.get(index) else {
            return;
        };
        let rests = self
            .story
            .as_ref()
            .is_some_and(|story| story.is_at_rest(&lab.cluster, &lab.namespace));
        let cluster = self.clusters.iter().find(|cluster| cluster.name() == lab.cluster);
        if let Some(cluster) = cluster.filter(|cluster| !rests && !self.is_broken(cluster, &lab.namespace)) {
            tracing::debug!(
                cluster.name = cluster.name(),
                namespace = lab.namespace,
                "destroying {}",
                lab.namespace
            );
            let by_story = self.story.as_ref().is_some_and(|story| story.depart(lab));
            if !by_story {
                cluster.destroy_namespace(&lab.namespace);
            }
            self.labs.remove(index);
        }
    }
}
