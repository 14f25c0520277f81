//! Orders: who ordered what is on a lab cluster, and what waits in a pool.

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Plot,
    ground::{base_of, is_stopped, service_uuid},
};
use crate::{
    cluster::Cluster,
    fleet::Lab,
    seed::Seed,
    story::{
        cast, content,
        order::{Action, Claim, Life, Order, Part, Place},
        program::{ITEMS, Item},
    },
};

impl Plot {
    /// Gives a lab that was always there its order.
    pub(super) fn adopt(&mut self, cluster: &Cluster, lab: &Lab, index: usize) {
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
        let (repo, reference) = content::of_lab(order.item(), &lab.guid);
        content::write(cluster, &lab.namespace, &repo, reference);
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
        let fits = |(position, item): (usize, &Item)| (item.base == base).then_some(position);
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

    pub(crate) fn claim_of(&mut self, item: usize, at: DateTime<Utc>) -> Claim {
        let workshop = self.workshops.iter().position(|workshop| workshop.item == item);
        let workshop = workshop.filter(|_| self.seed.chance(90));
        let person = cast::person(&mut self.seed);
        let name = ITEMS.get(item).map(Item::name).unwrap_or_default();
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

    pub(crate) fn fresh(&mut self, item: usize, claimed: bool, place: Place, at: DateTime<Utc>) -> Order {
        let guid = self.seed.guid();
        self.fresh_as(&guid, item, claimed, place, at)
    }

    pub(super) fn fresh_as(&mut self, guid: &str, item: usize, claimed: bool, place: Place, at: DateTime<Utc>) -> Order {
        let claim = claimed.then(|| self.claim_of(item, at));
        self.order(guid, item, claim, None, place, None, at)
    }
}
