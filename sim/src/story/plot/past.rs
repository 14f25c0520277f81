//! What went wrong before the telling begins.

use chrono::{DateTime, TimeDelta, Utc};

use super::Plot;
use crate::story::{
    job::FAILURES,
    order::{Action, Life, Place, Trouble, Waiting},
    program::{self, PoolFate},
};

impl Plot {
    /// What went wrong before: failed and stuck provisions, orders that wait, and things that do not fit together.
    pub(super) fn spoil(&mut self, now: DateTime<Utc>) {
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
        let lb = |code: &str| program::position(code).unwrap_or(0);
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
}
