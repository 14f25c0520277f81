//! All that the control plane and the services know, and how it begins: every lab of the fleet gets an order, and what went wrong before is there too.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::{
    cast::{self, Person},
    job::{CONTROLLERS, FAILURES, Failure, Job},
    order::{Action, Claim, Deed, Life, Order, Part, Place, Trouble, Waiting},
    program::{ITEMS, PoolFate, Seats},
    schedule::{Room, Smoke},
};
use crate::{
    cluster::Cluster,
    fleet::{Fleet, Lab},
    kinds::Kind,
    objects::{array, text},
    seed::Seed,
};

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

    /// Gives a lab that was always there its order.
    fn adopt(&mut self, cluster: &Cluster, lab: &Lab, index: usize) {
        // Two namespaces that nobody knows of, and one whose teardown Anarchy lost.
        let uuid = service_uuid(cluster, &lab.namespace);
        if let Some(uuid) = &uuid {
            if index % 173 == 61 {
                self.leaked.push((lab.cluster.clone(), lab.namespace.clone()));
                return;
            }
            if index % 397 == 251 {
                self.lost_placements
                    .push((lab.guid.clone(), uuid.clone(), lab.cluster.clone(), lab.namespace.clone()));
                return;
            }
        }
        let mut order = self.order_for(lab, uuid.as_deref(), lab.created - TimeDelta::seconds(50));
        let done = lab.created + TimeDelta::minutes(self.seed.between(11, 33));
        let stopped = is_stopped(cluster, &lab.namespace);
        for position in 0..order.parts.len() {
            self.ask(&mut order, position, Action::Provision, lab.created - TimeDelta::seconds(40));
            self.launch(&mut order, position, lab.created + TimeDelta::seconds(20));
            self.finish(&mut order, position, done, None);
            if stopped {
                let at = done + TimeDelta::minutes(3);
                self.ask(&mut order, position, Action::Stop, at);
                self.launch(&mut order, position, at + TimeDelta::seconds(30));
                self.finish(&mut order, position, at + TimeDelta::minutes(2), None);
            }
        }
        order.first_ready = Some(done);
        self.keep(order);
    }

    /// An order that explains a namespace: of an item with that base, claimed for the event's workshop, by somebody, or waiting in a pool.
    pub(crate) fn order_for(&mut self, lab: &Lab, uuid: Option<&str>, at: DateTime<Utc>) -> Order {
        let base = base_of(lab);
        let fits = |(position, item): (usize, &super::program::Item)| (item.base == base).then_some(position);
        let (of_event, others): (Vec<usize>, Vec<usize>) = ITEMS
            .iter()
            .enumerate()
            .filter_map(fits)
            .partition(|position| ITEMS.get(*position).is_some_and(|item| item.code.is_some()));
        let choices = if others.is_empty() || (!of_event.is_empty() && self.seed.chance(75)) {
            of_event
        } else {
            others
        };
        let item = choices.get(self.seed.below(choices.len())).copied().unwrap_or(0);
        let pool = self.pools.iter().position(|pool| pool.item == item);
        let waits = pool.filter(|position| self.pool_wants(*position));
        let place = Place::Namespace {
            cluster: lab.cluster.clone(),
            namespace: lab.namespace.clone(),
            booked: uuid.is_some(),
        };
        let claim = if waits.is_some() { None } else { Some(self.claim_of(item, at)) };
        let from_pool = waits.or(pool.filter(|_| self.seed.chance(60)));
        self.order(&lab.guid, item, claim, from_pool, place, uuid, at)
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

    pub(crate) fn claim_of(&mut self, item: usize, at: DateTime<Utc>) -> Claim {
        let workshop = self.workshops.iter().position(|workshop| workshop.item == item);
        let workshop = workshop.filter(|_| self.seed.chance(90));
        let person = cast::person(&mut self.seed);
        let name = ITEMS.get(item).map(super::program::Item::name).unwrap_or_default();
        let namespace = workshop
            .and_then(|position| self.workshops.get(position))
            .map_or_else(|| format!("user-{}", person.user), |workshop| workshop.namespace.clone());
        if let Some(workshop) = workshop.and_then(|position| self.workshops.get_mut(position)) {
            workshop.count += 1;
        }
        Claim {
            name: format!("{name}-{}", self.seed.suffix(5)),
            namespace,
            uid: self.seed.uuid(),
            created: at,
            workshop,
            detached: false,
            waiting: None,
            person,
        }
    }

    /// An order whose subjects are new.
    #[expect(clippy::too_many_arguments, reason = "each is one thing that an order is made of")]
    pub(crate) fn order(
        &mut self,
        guid: &str,
        item: usize,
        claim: Option<Claim>,
        pool: Option<usize>,
        place: Place,
        uuid: Option<&str>,
        at: DateTime<Utc>,
    ) -> Order {
        let mut order = Order {
            guid: guid.to_owned(),
            item,
            created: at,
            handle_uid: self.seed.uuid(),
            claim,
            pool,
            parts: Vec::new(),
            first_ready: None,
            leaving: None,
        };
        let one = order.item();
        let uuid = uuid.map_or_else(|| self.seed.uuid(), str::to_owned);
        let ordered = one.name();
        let place = if one.cloud == "ec2" && matches!(place, Place::Namespace { booked: false, .. }) {
            // The machines are rented; only the instructions run in a namespace, which nobody labelled.
            Place::Account(format!("sandbox{}", 1000 + self.seed.below(4000)))
        } else {
            place
        };
        let mut add = |governor: &str, guid: String, uuid: String, place: Place, cloud, namespace: String| {
            let uid = self.seed.uuid();
            order.parts.push(Part {
                governor: governor.to_owned(),
                namespace,
                guid,
                uuid,
                uid,
                cloud,
                place,
                life: Life::New,
                since: at,
                deeds: Vec::new(),
                trouble: None,
                only_foreign_finalizer: false,
            });
        };
        match one.linked {
            // The linked component comes first and makes the namespace; the ordered item is put on top, from another Anarchy namespace.
            Some(linked) => {
                add(
                    linked,
                    guid.to_owned(),
                    uuid,
                    place,
                    "openshift_cnv",
                    "babylon-anarchy-1".to_owned(),
                );
                let second = Seed::new(0).for_name(guid).for_name("second").uuid();
                add(
                    &ordered,
                    format!("{guid}-1"),
                    second,
                    Place::OnTop,
                    one.cloud,
                    one.anarchy_namespace(guid),
                );
            }
            None => add(&ordered, guid.to_owned(), uuid, place, one.cloud, one.anarchy_namespace(guid)),
        }
        order
    }

    /// Asks something of a part.
    pub(crate) fn ask(&mut self, order: &mut Order, position: usize, action: Action, at: DateTime<Utc>) {
        let (uid, suffix) = (self.seed.uuid(), self.seed.suffix(4));
        let Some(part) = order.parts.get_mut(position) else {
            return;
        };
        let mut name = format!("{}-{}-{suffix}", part.name(), action.as_str());
        name.truncate(63);
        part.deeds.push(Deed {
            action,
            name,
            uid,
            asked: at,
            after: None,
            job: None,
            ended: None,
        });
        part.life = match action {
            Action::Provision => Life::ProvisionPending,
            Action::Start => Life::StartPending,
            Action::Stop => Life::StopPending,
            Action::Destroy => Life::DestroyPending,
        };
        part.since = at;
    }

    /// A controller takes on what was asked of a part last.
    pub(crate) fn launch(&mut self, order: &mut Order, position: usize, at: DateTime<Utc>) {
        let controller = self.seed.below(CONTROLLERS.len());
        let id = self.memory.next_job(controller);
        let queued = TimeDelta::seconds(self.seed.between(2, 20));
        let Some(part) = order.parts.get_mut(position) else {
            return;
        };
        let (uuid, guid) = (part.uuid.clone(), part.guid.clone());
        let Some(deed) = part.deeds.last_mut() else {
            return;
        };
        deed.job = Some((controller, id));
        let job = Job {
            controller,
            id,
            action_name: deed.name.clone(),
            action: deed.action,
            uuid,
            guid,
            created: at,
            started: Some(at + queued),
            finished: None,
            status: "running",
            failure: None,
        };
        self.jobs.insert((controller, id), job);
        part.life = match deed.action {
            Action::Provision => Life::Provisioning,
            Action::Start => Life::Starting,
            Action::Stop => Life::Stopping,
            Action::Destroy => Life::Destroying,
        };
        part.since = at;
    }

    /// What was asked of a part last has ended: well, or with this failure.
    pub(crate) fn finish(&mut self, order: &mut Order, position: usize, at: DateTime<Utc>, failure: Option<&'static Failure>) {
        let Some(part) = order.parts.get_mut(position) else {
            return;
        };
        let Some(deed) = part.deeds.last_mut() else {
            return;
        };
        let state = failure.map_or("successful", |failure| failure.status);
        deed.ended = Some((at, state));
        if let Some(job) = deed.job.and_then(|key| self.jobs.get_mut(&key)) {
            job.finished = Some(at);
            job.status = state;
            job.failure = failure;
        }
        part.life = match (deed.action, state) {
            (Action::Provision | Action::Start, "successful") => Life::Started,
            (Action::Stop, "successful") => Life::Stopped,
            (Action::Provision, "error") => Life::ProvisionError,
            (Action::Provision, _) => Life::ProvisionFailed,
            (Action::Destroy, "successful") => Life::Destroying,
            (Action::Destroy, _) => Life::DestroyFailed,
            // Starting and stopping do not fail here.
            (Action::Start, _) => Life::StartPending,
            (Action::Stop, _) => Life::StopPending,
        };
        part.since = at;
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

    /// What went wrong before: failed and stuck provisions, orders that wait, and things that do not fit together.
    fn spoil(&mut self, now: DateTime<Utc>) {
        self.fail_some(now);
        self.strand_some(now);
        self.block_pools(now);
    }

    /// Some labs whose namespaces are there never became what was ordered.
    fn fail_some(&mut self, now: DateTime<Utc>) {
        let mut spoiled = 0;
        for position in 0..self.orders.len() {
            let Some(mut order) = self.orders.get(position).cloned() else {
                return;
            };
            let fits = order.claim.is_some() && order.lab().is_some() && order.parts.len() == 1 && order.life() == Life::Started;
            if !fits || position % 71 != 17 {
                continue;
            }
            let failure = FAILURES.get(spoiled % FAILURES.len()).unwrap_or(&FAILURES[0]);
            let at = order.created + TimeDelta::minutes(30);
            self.finish(&mut order, 0, at.min(now), Some(failure));
            order.first_ready = None;
            spoiled += 1;
            self.keep(order);
        }
    }

    /// Orders without a namespace: canceled, stuck in their teardown, scheduled, refused, kept as a record.
    fn strand_some(&mut self, now: DateTime<Utc>) {
        let hours = |hours: i64| now - TimeDelta::hours(hours);
        let lb = |code: &str| super::program::position(code).unwrap_or(0);
        let gone = |cluster: &str, guid: &str, base: &str| Place::Namespace {
            cluster: cluster.to_owned(),
            namespace: format!("sandbox-{guid}-{base}"),
            booked: true,
        };

        // A provision that was canceled: the workshop counts it as active although nobody can sit there.
        let mut order = self.fresh(lb("LB1205"), true, Place::Nowhere, hours(5));
        self.run_provision(&mut order, hours(5), None);
        if let Some(part) = order.parts.first_mut() {
            part.life = Life::ProvisionCanceled;
            if let Some(deed) = part.deeds.last_mut() {
                deed.ended = Some((hours(4), "canceled"));
                if let Some(job) = deed.job.and_then(|key| self.jobs.get_mut(&key)) {
                    (job.status, job.finished) = ("canceled", Some(hours(4)));
                }
            }
        }
        order.first_ready = None;
        self.keep(order);

        // A ghost: started, but its namespace is gone.
        let guid = self.seed.guid();
        let mut order = self.fresh_as(&guid, lb("LB1301"), true, gone("cnv-east-2", &guid, "cnv-rhel"), hours(30));
        self.run_provision(&mut order, hours(30), None);
        self.keep(order);

        // Teardown that nothing drives any more.
        let mut order = self.fresh(lb("LB1102"), true, Place::Nowhere, hours(26));
        self.run_provision(&mut order, hours(26), FAILURES.first());
        order.leaving = Some(hours(3));
        if let Some(part) = order.parts.first_mut() {
            part.trouble = Some(Trouble {
                since: hours(3),
                message: "The task includes an option with an undefined variable: 'sandbox_openshift_api_key' is undefined".to_owned(),
                failures: 4,
                runner: "failed",
            });
        }
        self.keep(order);

        // Teardown that failed and is tried again later.
        let mut order = self.fresh(lb("LB1401"), true, Place::Nowhere, hours(40));
        self.run_provision(&mut order, hours(40), None);
        order.leaving = Some(hours(2));
        self.ask(&mut order, 0, Action::Destroy, hours(2));
        self.launch(&mut order, 0, hours(2));
        self.finish(&mut order, 0, hours(1), FAILURES.get(4));
        self.ask(&mut order, 0, Action::Destroy, hours(1));
        if let Some(part) = order.parts.first_mut() {
            part.life = Life::DestroyFailed;
            if let Some(deed) = part.deeds.last_mut() {
                deed.after = Some(now + TimeDelta::hours(1));
            }
        }
        self.keep(order);

        // Gone, but a report about it is still being written.
        let mut order = self.fresh(lb("LB1203"), true, Place::Nowhere, hours(50));
        self.run_provision(&mut order, hours(50), None);
        order.leaving = Some(hours(1));
        self.ask(&mut order, 0, Action::Destroy, hours(1));
        self.launch(&mut order, 0, hours(1));
        self.finish(&mut order, 0, now - TimeDelta::minutes(40), None);
        if let Some(part) = order.parts.first_mut() {
            part.only_foreign_finalizer = true;
        }
        self.keep(order);

        for (code, waiting, detached) in [
            ("LB1302", Some(Waiting::Approval), false),
            ("LB1601", Some(Waiting::Start(now + TimeDelta::hours(9))), false),
            ("LB1204", Some(Waiting::Invalid), false),
            ("LB1101", None, true),
            ("LB1402", None, true),
        ] {
            let mut order = self.fresh(lb(code), true, Place::Nowhere, hours(7));
            order.parts.clear();
            if let Some(claim) = &mut order.claim {
                (claim.waiting, claim.detached) = (waiting, detached);
            }
            self.keep(order);
        }
    }

    /// The handles of pools that do not fill.
    fn block_pools(&mut self, now: DateTime<Utc>) {
        for position in 0..self.pools.len() {
            let Some(pool) = self.pools.get(position).cloned() else {
                return;
            };
            let (count, since) = match pool.fate {
                PoolFate::Blocked => (3, now - TimeDelta::hours(4)),
                PoolFate::Exhausted => (2, now - TimeDelta::minutes(3)),
                _ => continue,
            };
            for _ in 0..count {
                let mut order = self.fresh(pool.item, false, Place::Nowhere, since);
                order.pool = Some(position);
                self.ask(&mut order, 0, Action::Provision, since);
                if pool.fate == PoolFate::Blocked
                    && let Some(part) = order.parts.first_mut()
                {
                    part.trouble = Some(Trouble {
                        since,
                        message:
                            "Sandbox API: no OcpSandbox cluster matches cloud_selector {'purpose': 'events', 'virt': 'yes'}: 404 Not Found"
                                .to_owned(),
                        failures: 9,
                        runner: "failed",
                    });
                }
                self.keep(order);
            }
        }
    }

    pub(crate) fn fresh(&mut self, item: usize, claimed: bool, place: Place, at: DateTime<Utc>) -> Order {
        let guid = self.seed.guid();
        self.fresh_as(&guid, item, claimed, place, at)
    }

    fn fresh_as(&mut self, guid: &str, item: usize, claimed: bool, place: Place, at: DateTime<Utc>) -> Order {
        let claim = claimed.then(|| self.claim_of(item, at));
        self.order(guid, item, claim, None, place, None, at)
    }

    /// Lets the first provision of an order run to its end.
    fn run_provision(&mut self, order: &mut Order, at: DateTime<Utc>, failure: Option<&'static Failure>) {
        for position in 0..order.parts.len() {
            self.ask(order, position, Action::Provision, at + TimeDelta::seconds(5));
            self.launch(order, position, at + TimeDelta::seconds(40));
            self.finish(order, position, at + TimeDelta::minutes(22), failure);
        }
        if failure.is_none() {
            order.first_ready = Some(at + TimeDelta::minutes(22));
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

/// What a lab's namespace ends in.
pub(crate) fn base_of(lab: &Lab) -> &str {
    let bases = lab.kind.bases();
    let named = bases.iter().find(|base| lab.namespace.ends_with(*base));
    named.or(bases.first()).copied().unwrap_or("quickstart")
}

/// The label that the Sandbox API gives a namespace.
pub(crate) fn service_uuid(cluster: &Cluster, namespace: &str) -> Option<String> {
    let namespace = cluster.get(Kind::Namespace, "", namespace)?;
    let uuid = text(&namespace, "/metadata/labels/serviceUuid");
    (!uuid.is_empty()).then(|| uuid.to_owned())
}

/// Whether a lab was stopped: the platform leaves annotations to find the way back.
fn is_stopped(cluster: &Cluster, namespace: &str) -> bool {
    let marked = |object: &Value| {
        let annotations = object.pointer("/metadata/annotations").and_then(Value::as_object);
        annotations.is_some_and(|annotations| annotations.keys().any(|key| key.starts_with("sandbox.redhat.com/original-")))
    };
    let kinds = [Kind::Deployment, Kind::StatefulSet, Kind::VirtualMachine];
    kinds.iter().any(|kind| cluster.list(*kind, namespace).iter().any(marked))
}

/// Whether any pod of a namespace that should run is not ready yet.
pub(crate) fn is_coming_up(cluster: &Cluster, namespace: &str) -> bool {
    let ready = |pod: &Value| {
        let conditions = array(pod, "/status/conditions");
        conditions
            .iter()
            .any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
    };
    let pods = cluster.list(Kind::Pod, namespace);
    pods.is_empty() || !pods.iter().all(|pod| ready(pod) || text(pod, "/status/phase") == "Succeeded")
}
