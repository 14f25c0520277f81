//! Edges as they are found: of two between the same ends the surer one stays.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Link, NodeKind};
use crate::provisioning::Strength;

/// One end of an edge.
pub(super) type Node<'a> = (NodeKind, Cow<'a, str>);

/// How two ends were joined: the keys of the path, and the weakest of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    pub(super) strength: Strength,
    pub(super) keys: Vec<&'static str>,
}

impl Path {
    pub(super) fn of(strength: Strength, key: &'static str) -> Self {
        Self { strength, keys: vec![key] }
    }

    /// This path and then another.
    pub(super) fn and(&self, next: &Self) -> Self {
        Self {
            strength: self.strength.min(next.strength),
            keys: self.keys.iter().chain(&next.keys).copied().collect(),
        }
    }

    /// Whether this one is to be preferred: the surer, then the shorter, then the one that sorts first.
    fn is_better_than(&self, other: &Self) -> bool {
        let rank = |path: &Self| (std::cmp::Reverse(path.strength), path.keys.len());
        (rank(self), &self.keys) < (rank(other), &other.keys)
    }
}

/// Every edge that was found.
#[derive(Debug, Default)]
pub(super) struct Edges<'a> {
    found: BTreeMap<(Node<'a>, Node<'a>), Path>,
}

impl<'a> Edges<'a> {
    pub(super) fn add<F, T>(&mut self, from: (impl Into<NodeKind>, F), to: (impl Into<NodeKind>, T), path: Path)
    where
        F: Into<Cow<'a, str>>,
        T: Into<Cow<'a, str>>,
    {
        let ends = ((from.0.into(), from.1.into()), (to.0.into(), to.1.into()));
        match self.found.get_mut(&ends) {
            Some(known) if path.is_better_than(known) => *known = path,
            Some(_) => {}
            None => {
                self.found.insert(ends, path);
            }
        }
    }

    /// Whether a node is joined to anything of one kind.
    pub(super) fn any(&self, kind: impl Into<NodeKind>, key: impl Into<Cow<'a, str>>, to: impl Into<NodeKind>) -> bool {
        let (from, to) = ((kind.into(), key.into()), to.into());
        let mut ends = self.found.range((from.clone(), (to, Cow::Borrowed("")))..);
        ends.next().is_some_and(|((start, end), _)| *start == from && end.0 == to)
    }

    pub(super) fn into_links(self) -> Vec<Link> {
        let link = |((from, to), path): ((Node<'a>, Node<'a>), Path)| Link {
            from: (from.0, from.1.into_owned()),
            to: (to.0, to.1.into_owned()),
            method: path.keys.join(" > "),
            strength: path.strength,
        };
        self.found.into_iter().map(link).collect()
    }
}
