//! The open incidents of the fleet in a handful of groups, so that an operator reads ten lines and not a thousand.
//!
//! ```text
//! open incidents ──> one group a failure class ── more than wanted? ──> the least urgent classes of an area share its group
//!                                                 still more? ────────> the least urgent of all share one group
//! ```
//!
//! Grouping is for reading and follows from what is open now: nothing is stored, no priority is raised. Whether incidents have one
//! cause is another question, which [`correlate`](super::correlate) answers; its parents are in the group of their class.

use std::collections::BTreeMap;

/// An open incident, as far as grouping reads it.
#[derive(Debug, Clone, PartialEq)]
pub struct Open<'a> {
    /// Its class; `None` while it is unclassified.
    pub class: Option<&'a str>,
    /// What the class is about; empty when nobody knows.
    pub area: &'a str,
    /// From 0 to 10.
    pub priority: f32,
    /// Whether it stands for others that are in the list themselves.
    pub is_parent: bool,
}

/// What the incidents of a group have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Heading {
    /// Their failure class; `None`: nobody knows it.
    Class(Option<String>),
    /// What their classes are about.
    Area(String),
    /// Nothing but that others are more urgent.
    Rest,
}

/// Some of the open incidents. Numbers are positions in the list that was given.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// What they have in common.
    pub heading: Heading,
    /// The highest priority among them.
    pub priority: f32,
    /// Incidents of one instance or of one cluster.
    pub members: Vec<usize>,
    /// Incidents that stand for some of the members.
    pub parents: Vec<usize>,
}

impl Group {
    fn absorb(&mut self, other: Self) {
        self.priority = self.priority.max(other.priority);
        self.members.extend(other.members);
        self.parents.extend(other.parents);
    }
}

/// Sorts open incidents into at most `most` groups, at least one, the most urgent first. Every incident is in exactly one.
#[must_use]
pub fn digest(open: &[Open<'_>], most: usize) -> Vec<Group> {
    let mut by_class: BTreeMap<Option<&str>, (&str, Group)> = BTreeMap::new();
    for (position, incident) in open.iter().enumerate() {
        let (_, group) = by_class.entry(incident.class).or_insert_with(|| {
            let empty = Group {
                heading: Heading::Class(incident.class.map(str::to_owned)),
                priority: 0.0,
                members: Vec::new(),
                parents: Vec::new(),
            };
            (incident.area, empty)
        });
        group.priority = group.priority.max(incident.priority);
        let list = if incident.is_parent {
            &mut group.parents
        } else {
            &mut group.members
        };
        list.push(position);
    }
    let mut classes: Vec<(&str, Group)> = by_class.into_values().collect();
    classes.sort_by(|(_, left), (_, right)| urgency(left, right));
    let mut folded: BTreeMap<Heading, Group> = BTreeMap::new();
    while classes.len() + folded.len() > most.max(1) {
        let Some((area, group)) = classes.pop() else { break };
        fold(&mut folded, Heading::Area(area.to_owned()), group);
    }
    // Only areas are left, and they are still too many.
    while classes.len() + folded.len() > most.max(1) {
        let areas = folded.iter().filter(|(heading, _)| **heading != Heading::Rest);
        let Some(least) = areas
            .max_by(|left, right| urgency(left.1, right.1))
            .map(|(heading, _)| heading.clone())
        else {
            break;
        };
        if let Some(group) = folded.remove(&least) {
            fold(&mut folded, Heading::Rest, group);
        }
    }
    let mut groups: Vec<Group> = classes.into_iter().map(|(_, group)| group).chain(folded.into_values()).collect();
    groups.sort_by(urgency);
    groups
}

fn fold(folded: &mut BTreeMap<Heading, Group>, heading: Heading, group: Group) {
    match folded.get_mut(&heading) {
        Some(into) => into.absorb(group),
        None => {
            folded.insert(heading.clone(), Group { heading, ..group });
        }
    }
}

/// The more urgent first, of these the larger, then by name so that the order is stable.
fn urgency(left: &Group, right: &Group) -> std::cmp::Ordering {
    right
        .priority
        .total_cmp(&left.priority)
        .then_with(|| right.members.len().cmp(&left.members.len()))
        .then_with(|| left.heading.cmp(&right.heading))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLASSES: [(&str, &str, f32); 6] = [
        ("image_pull_backoff", "workload", 7.0),
        ("oom_killed", "workload", 7.0),
        ("pods_not_ready", "workload", 6.0),
        ("pvc_not_bound", "storage", 6.0),
        ("route_missing", "network", 4.0),
        ("route_not_admitted", "network", 5.0),
    ];

    fn open(class: &'static str) -> Open<'static> {
        let (_, area, priority) = CLASSES[CLASSES.iter().position(|(name, ..)| *name == class).unwrap()];
        Open {
            class: Some(class),
            area,
            priority,
            is_parent: false,
        }
    }

    fn lines(open: &[Open<'_>], most: usize) -> Vec<String> {
        let groups = digest(open, most);
        let mut seen: Vec<usize> = groups
            .iter()
            .flat_map(|group| group.members.iter().chain(&group.parents))
            .copied()
            .collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..open.len()).collect::<Vec<_>>(), "every incident is in exactly one group");
        let line = |group: &Group| {
            let heading = match &group.heading {
                Heading::Class(class) => class.clone().unwrap_or_else(|| "unclassified".to_owned()),
                Heading::Area(area) => format!("[{area}]"),
                Heading::Rest => "[rest]".to_owned(),
            };
            format!("{heading} x{} {:.1}", group.members.len(), group.priority)
        };
        groups.iter().map(line).collect()
    }

    #[test]
    fn one_class_is_one_group_wherever_it_strikes_and_parents_do_not_count_twice() {
        let parent = Open {
            priority: 10.0,
            is_parent: true,
            ..open("oom_killed")
        };
        let unknown = Open {
            class: None,
            area: "",
            priority: 5.0,
            is_parent: false,
        };
        let all = [open("pvc_not_bound"), open("oom_killed"), parent, open("oom_killed"), unknown];
        assert_eq!(
            lines(&all, 10),
            ["oom_killed x2 10.0", "pvc_not_bound x1 6.0", "unclassified x1 5.0"]
        );
        assert!(lines(&[], 10).is_empty());
    }

    #[test]
    fn however_many_classes_there_are_the_groups_are_no_more_than_wanted() {
        let all = CLASSES.map(|(class, ..)| open(class));
        assert_eq!(lines(&all, 6).len(), 6);
        assert_eq!(
            lines(&all, 5),
            [
                "image_pull_backoff x1 7.0",
                "oom_killed x1 7.0",
                "pods_not_ready x1 6.0",
                "pvc_not_bound x1 6.0",
                "[network] x2 5.0"
            ]
        );
        assert_eq!(lines(&all, 3), ["[workload] x3 7.0", "[storage] x1 6.0", "[network] x2 5.0"]);
        assert_eq!(lines(&all, 2), ["[workload] x3 7.0", "[rest] x3 6.0"]);
        assert_eq!(lines(&all, 1), ["[rest] x6 7.0"]);
        assert_eq!(lines(&all, 0), lines(&all, 1));
    }
}
