//! What is asked of a subject: asked, taken on by a controller, ended.

use chrono::{DateTime, TimeDelta, Utc};

use super::Plot;
use crate::story::{
    job::{CONTROLLERS, Failure, Job},
    order::{Action, Deed, Life, Order},
};

impl Plot {
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

    /// Lets the first provision of an order run to its end.
    pub(super) fn run_provision(&mut self, order: &mut Order, at: DateTime<Utc>, failure: Option<&'static Failure>) {
        for position in 0..order.parts.len() {
            self.ask(order, position, Action::Provision, at + TimeDelta::seconds(5));
            self.launch(order, position, at + TimeDelta::seconds(40));
            self.finish(order, position, at + TimeDelta::minutes(22), failure);
        }
        if failure.is_none() {
            order.first_ready = Some(at + TimeDelta::minutes(22));
        }
    }
}
