//! Invented names, uids and addresses of one cluster, and a record of them while a prototype is made.

use crate::{seed::Seed, template::Slot};

/// Draws what Kubernetes would generate. While it records, every draw is kept with the slot that will stand for it in a
/// template, so that the objects of one namespace can serve for thousands.
#[derive(Clone, Debug)]
pub(crate) struct Draw {
    pub(crate) seed: Seed,
    recorded: Option<Vec<(String, Slot)>>,
    /// Nodes that pods may run on.
    pub(crate) nodes: Vec<String>,
}

impl Draw {
    pub(crate) fn new(seed: Seed) -> Self {
        Self {
            seed,
            recorded: None,
            nodes: Vec::new(),
        }
    }

    /// Starts to record.
    pub(crate) fn recording(seed: Seed, nodes: Vec<String>) -> Self {
        Self {
            seed,
            recorded: Some(Vec::new()),
            nodes,
        }
    }

    /// What was drawn, longest first, so that replacing one never cuts into another.
    pub(crate) fn into_recorded(self) -> Vec<(String, Slot)> {
        let mut recorded = self.recorded.unwrap_or_default();
        recorded.sort_by(|left, right| right.0.len().cmp(&left.0.len()).then_with(|| left.0.cmp(&right.0)));
        recorded.dedup_by(|left, right| left.0 == right.0);
        recorded
    }

    fn keep(&mut self, text: String, slot: impl Fn(u16) -> Slot) -> String {
        if let Some(recorded) = &mut self.recorded {
            recorded.push((text.clone(), slot(u16::try_from(recorded.len()).unwrap_or(u16::MAX))));
        }
        text
    }

    pub(crate) fn uid(&mut self) -> String {
        let uid = self.seed.uuid();
        self.keep(uid, Slot::Uid)
    }

    /// Five letters, as at the end of a pod's name.
    pub(crate) fn suffix(&mut self) -> String {
        let suffix = self.seed.suffix(5);
        self.keep(suffix, Slot::Suffix)
    }

    /// Ten letters, as the hash of a pod template.
    pub(crate) fn hash(&mut self) -> String {
        let hash = self.seed.suffix(10);
        self.keep(hash, Slot::Hash)
    }

    /// Address in the pod network.
    pub(crate) fn address(&mut self) -> String {
        let (second, third, last) = (128 + self.seed.below(4), self.seed.below(256), 2 + self.seed.below(250));
        self.keep(format!("10.{second}.{third}.{last}"), Slot::Address)
    }

    /// A node to run on.
    pub(crate) fn node(&mut self) -> String {
        let node = self
            .nodes
            .get(self.seed.below(self.nodes.len()))
            .cloned()
            .unwrap_or_else(|| "worker-1".to_owned());
        self.keep(node, Slot::Node)
    }

    /// 64 hexadecimal digits, as the id of a container. Not recorded: nobody joins on it.
    pub(crate) fn container_id(&mut self) -> String {
        let mut word = || format!("{:016x}", self.seed.bits());
        format!("cri-o://{}{}{}{}", word(), word(), word(), word())
    }
}
