//! All that the control plane and the services know, and how it begins: every lab of the fleet gets an order, and what went wrong before is there too.

mod deeds;
mod ground;
mod orders;
mod past;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

pub(crate) use self::ground::{is_coming_up, service_uuid};
use super::{
    cast::{self, Person},
    job::Job,
    order::{Life, Order},
    program::{ITEMS, PoolFate, Seats},
    schedule::Room,
    smoke::{Rounds, Smoke},
};
use crate::{fleet::Fleet, seed::Seed};

/// A ResourcePool.
#[derive(Clone, Debug)]
pub struct Pool {
    /// Its name, which is not that of its item.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// Position of its item.
    pub item: usize,
    /// `spec.minAvailable`.
    pub min: usize,
    /// `spec.maxUnready`.
    pub max_unready: Option<usize>,
    /// How it does.
    pub fate: PoolFate,
    /// When a churning pool makes its next handle.
    pub next: DateTime<Utc>,
}

/// A workshop: the seats of one lab at the event.
#[derive(Clone, Debug)]
pub struct Workshop {
    /// Its name, and that of its provision.
    pub name: String,
    /// The namespace of whoever organizes it.
    pub namespace: String,
    /// Its uid.
    pub uid: String,
    /// Uid of its provision.
    pub provision_uid: String,
    /// Its six letters.
    pub id: String,
    /// Position of its item.
    pub item: usize,
    /// Seats that it wants.
    pub count: usize,
    /// Nothing may be changed.
    pub locked: bool,
    /// When it was made.
    pub created: DateTime<Utc>,
    pub(crate) person: Person,
}

impl Workshop {
    /// Where attendees begin.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://catalog.example.test/workshop/{}", self.id)
    }
}

/// Everything.
#[derive(Debug)]
pub(crate) struct Plot {
    pub(crate) seed: Seed,
    pub(crate) began: DateTime<Utc>,
    pub(crate) orders: Vec<Order>,
    pub(crate) pools: Vec<Pool>,
    pub(crate) workshops: Vec<Workshop>,
    pub(crate) rooms: Vec<Room>,
    pub(crate) smoke: Vec<Smoke>,
    /// When each workshop's lab is tried next, by position.
    pub(crate) rounds: Vec<Rounds>,
    pub(crate) jobs: BTreeMap<(usize, i64), Job>,
    /// Placements of what is no order any more: teardown that was lost.
    pub(crate) lost_placements: Vec<(String, String, String, String)>,
    /// Lab namespaces, (cluster, namespace), that nobody knows of.
    pub(crate) leaked: Vec<(String, String)>,
    /// Guids of orders to write anew.
    pub(crate) dirty: BTreeSet<String>,
    pub(crate) memory: super::life::Memory,
}

impl Plot {
    /// Tells how everything came to be as it is in `fleet`.
    pub(crate) fn of(fleet: &Fleet, seed: &Seed) -> Self {
        let now = fleet.clock.now();
        let mut plot = Self {
            seed: seed.for_name("plot"),
            began: now,
            orders: Vec::new(),
            pools: Vec::new(),
            workshops: Vec::new(),
            rooms: Vec::new(),
            smoke: Vec::new(),
            rounds: Vec::new(),
            jobs: BTreeMap::new(),
            lost_placements: Vec::new(),
            leaked: Vec::new(),
            dirty: BTreeSet::new(),
            memory: super::life::Memory::new(now),
        };
        plot.make_pools(now);
        plot.make_workshops(now);
        for (index, lab) in fleet.labs.iter().enumerate() {
            if let Some(cluster) = fleet.cluster(&lab.cluster) {
                plot.adopt(cluster, lab, index);
            }
        }
        plot.spoil(now);
        plot.plan_sessions(now);
        plot.plan_smoke(now);
        plot
    }

    fn make_pools(&mut self, now: DateTime<Utc>) {
        for (item, one) in ITEMS.iter().enumerate() {
            let (Some(fate), Some(code)) = (one.pool, one.code) else {
                continue;
            };
            let min = match fate {
                PoolFate::EmptyByDesign => 0,
                PoolFate::Blocked | PoolFate::Exhausted => 4,
                PoolFate::Churning => 3,
                PoolFate::Healthy | PoolFate::ProviderDisabled => 2 + self.seed.below(3),
            };
            self.pools.push(Pool {
                name: format!("{}.{}", one.account, code.to_lowercase()),
                uid: self.seed.uuid(),
                item,
                min,
                max_unready: match fate {
                    PoolFate::Blocked => Some(3),
                    PoolFate::Churning => Some(2),
                    _ => self.seed.chance(50).then_some(5),
                },
                fate,
                next: now + TimeDelta::seconds(20),
            });
        }
    }

    fn make_workshops(&mut self, now: DateTime<Utc>) {
        for (item, one) in ITEMS.iter().enumerate().filter(|(_, item)| item.code.is_some()) {
            let person = cast::person(&mut self.seed);
            self.workshops.push(Workshop {
                name: format!("{}-{}", one.name(), self.seed.suffix(5)),
                namespace: format!("user-{}", person.user),
                uid: self.seed.uuid(),
                provision_uid: self.seed.uuid(),
                id: self.seed.suffix(6),
                item,
                count: 0,
                locked: self.seed.chance(30),
                created: now - TimeDelta::days(6),
                person,
            });
        }
    }

    /// Whether a pool has fewer handles than it should have.
    fn pool_wants(&self, position: usize) -> bool {
        let Some(pool) = self.pools.get(position) else {
            return false;
        };
        let filled = matches!(pool.fate, PoolFate::Healthy);
        filled && self.waiting_in(position).count() < pool.min
    }

    /// Orders that wait in a pool.
    pub(crate) fn waiting_in(&self, pool: usize) -> impl Iterator<Item = &Order> {
        self.orders
            .iter()
            .filter(move |order| order.pool == Some(pool) && order.claim.is_none() && order.leaving.is_none())
    }

    /// Takes an order in, to be written.
    pub(crate) fn keep(&mut self, order: Order) {
        self.dirty.insert(order.guid.clone());
        match self.orders.iter().position(|known| known.guid == order.guid) {
            Some(position) => {
                if let Some(known) = self.orders.get_mut(position) {
                    *known = order;
                }
            }
            None => self.orders.push(order),
        }
    }

    /// Instances of an item that people of a workshop can use, as its provisioning goes.
    pub(crate) fn usable(&self, item: usize) -> usize {
        let of_item = self.orders.iter().filter(|order| order.item == item && order.leaving.is_none());
        of_item
            .filter(|order| order.claim.is_some() && order.life() == Life::Started && order.lab().is_some())
            .count()
    }

    /// Seats an instance of an item has.
    pub(crate) fn seats(item: usize) -> i64 {
        match ITEMS.get(item).map(|item| item.seats) {
            Some(Seats::Shared(users)) => users,
            _ => 1,
        }
    }
}
