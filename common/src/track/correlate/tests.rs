//! Thresholds of correlation, and that running it again changes nothing.

use proptest::prelude::*;

use super::*;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn cluster(number: u128) -> Uuid {
    Uuid::from_u128(0xC000 + number)
}

fn leaf(on: u128, number: u128, class: &str) -> Leaf {
    Leaf {
        id: Uuid::from_u128(0x1_0000 * on + number),
        cluster: cluster(on),
        instance: Some(Uuid::from_u128(0xA_0000_0000 + 0x1_0000 * on + number)),
        catalog_item: None,
        class: class.to_owned(),
        stage: Stage::DeploymentReady,
        onset_at: now() - TimeDelta::minutes(10),
        opened_at: now() - TimeDelta::minutes(5),
        parent: None,
    }
}

fn leaves(on: u128, count: u128, class: &str) -> Vec<Leaf> {
    (0..count).map(|number| leaf(on, number, class)).collect()
}

fn of_item(item: &str, leaves: Vec<Leaf>) -> Vec<Leaf> {
    leaves
        .into_iter()
        .map(|leaf| Leaf {
            catalog_item: Some(item.to_owned()),
            ..leaf
        })
        .collect()
}

fn population(failing: usize, evaluated: usize) -> Population {
    let per = |count| (1..=4).map(|number| (cluster(number), count)).collect();
    Population {
        evaluated: per(evaluated),
        failing: per(failing),
        of_item: BTreeMap::from([("acct.item.prod".to_owned(), 10)]),
    }
}

fn groups(correlation: &Correlation) -> Vec<(String, Fate, usize)> {
    correlation
        .parents
        .iter()
        .map(|plan| (plan.group.fingerprint(), plan.fate, plan.instances))
        .collect()
}

/// What the database would hold after the plans were carried out.
fn apply(leaves: &mut [Leaf], correlation: &Correlation) -> BTreeMap<Group, Parent> {
    for (id, parent) in &correlation.moved {
        leaves.iter_mut().find(|leaf| leaf.id == *id).unwrap().parent = *parent;
    }
    let open = correlation.parents.iter().filter(|plan| plan.fate != Fate::Resolve);
    open.map(|plan| {
        let Plan {
            id,
            opened_at,
            instances,
            clusters,
            parent,
            ..
        } = *plan;
        (
            plan.group.clone(),
            Parent {
                id,
                opened_at,
                instances,
                clusters,
                parent,
            },
        )
    })
    .collect()
}

#[test]
fn a_class_is_systemic_on_a_cluster_above_all_three_thresholds() {
    // (instances with the class, failing on the cluster, evaluated on the cluster, systemic)
    let cases = [
        (2, 2, 20, false),
        (3, 3, 20, true),
        (3, 15, 20, false),
        (3, 14, 20, true),
        (3, 3, 60, false),
        (3, 3, 59, true),
        (5, 24, 99, true),
        (5, 25, 99, false),
        (5, 24, 100, false),
    ];
    for (count, failing, evaluated, systemic) in cases {
        let correlation = correlate(
            &leaves(1, count, "oom_killed"),
            &BTreeMap::new(),
            &population(failing, evaluated),
            now(),
        );
        let expected = if systemic { vec![Fate::Open] } else { vec![] };
        let got: Vec<_> = correlation.parents.iter().map(|plan| plan.fate).collect();
        assert_eq!(got, expected, "{count} of {failing} failing of {evaluated}");
        assert_eq!(correlation.moved.len(), if systemic { usize::try_from(count).unwrap() } else { 0 });
    }
}

#[test]
fn three_instances_of_one_item_are_its_own_problem() {
    let mut all = of_item("acct.item.prod", leaves(1, 2, "oom_killed"));
    all.extend(of_item("acct.item.prod", leaves(2, 1, "oom_killed")));
    let correlation = correlate(&all, &BTreeMap::new(), &population(50, 1000), now());
    assert_eq!(
        groups(&correlation),
        [("catalog_item/acct.item.prod/oom_killed".to_owned(), Fate::Open, 3)]
    );
    assert_eq!(correlation.parents[0].clusters, 2);

    let too_few = Population {
        of_item: BTreeMap::from([("acct.item.prod".to_owned(), 15)]),
        ..population(50, 1000)
    };
    assert_eq!(correlate(&all, &BTreeMap::new(), &too_few, now()), Correlation::default());
}

#[test]
fn the_item_explains_a_cluster_only_when_nothing_else_there_has_the_class() {
    let mut all = of_item("acct.item.prod", leaves(1, 4, "oom_killed"));
    let correlation = correlate(&all, &BTreeMap::new(), &population(4, 20), now());
    assert_eq!(
        groups(&correlation),
        [("catalog_item/acct.item.prod/oom_killed".to_owned(), Fate::Open, 4)]
    );

    all.push(leaf(1, 99, "oom_killed"));
    let correlation = correlate(&all, &BTreeMap::new(), &population(5, 20), now());
    assert_eq!(
        groups(&correlation),
        [(format!("cluster/{}/oom_killed", cluster(1)), Fate::Open, 5)]
    );
}

#[test]
fn several_clusters_within_the_hour_are_one_problem_of_the_fleet() {
    let mut all = leaves(1, 4, "oom_killed");
    all.extend(leaves(2, 3, "oom_killed"));
    let correlation = correlate(&all, &BTreeMap::new(), &population(5, 20), now());
    let fleet = correlation
        .parents
        .iter()
        .find(|plan| plan.group == Group::Fleet("oom_killed".to_owned()))
        .unwrap();
    assert_eq!(
        (fleet.fate, fleet.instances, fleet.clusters, fleet.stage),
        (Fate::Open, 7, 2, Some(Stage::DeploymentReady))
    );
    let children: Vec<_> = correlation.parents.iter().filter(|plan| plan.parent == Some(fleet.id)).collect();
    assert_eq!(children.len(), 2);

    let unreachable = |on| Leaf {
        instance: None,
        stage: Stage::ClusterHealth,
        ..leaf(on, 0, "cluster_unreachable")
    };
    let correlation = correlate(&[unreachable(1), unreachable(2)], &BTreeMap::new(), &population(0, 20), now());
    assert_eq!(groups(&correlation), [("fleet/cluster_unreachable".to_owned(), Fate::Open, 0)]);
    assert_eq!(correlation.moved.len(), 2);

    let long_ago = Leaf {
        opened_at: now() - CLUSTER_WINDOW,
        ..unreachable(1)
    };
    assert_eq!(
        correlate(&[long_ago, unreachable(2)], &BTreeMap::new(), &population(0, 20), now()),
        Correlation::default()
    );
}

#[test]
fn a_parent_stays_until_its_last_child_is_gone_and_takes_new_ones_in() {
    let mut all = leaves(1, 4, "oom_killed");
    let first = correlate(&all, &BTreeMap::new(), &population(4, 20), now());
    let parents = apply(&mut all, &first);

    all.truncate(1);
    all.push(leaf(1, 50, "oom_killed"));
    let later = now() + TimeDelta::minutes(30);
    let second = correlate(&all, &parents, &population(40, 2000), later);
    assert_eq!(second.parents.len(), 1);
    assert_eq!(
        (second.parents[0].fate, second.parents[0].id, second.parents[0].instances),
        (Fate::Resize, first.parents[0].id, 2)
    );
    assert_eq!(second.moved, [(all[1].id, Some(first.parents[0].id))]);

    let parents = apply(&mut all, &second);
    let last = correlate(&[], &parents, &population(0, 20), later);
    assert_eq!(groups(&last), [(format!("cluster/{}/oom_killed", cluster(1)), Fate::Resolve, 0)]);
}

#[test]
fn a_child_whose_class_changes_leaves_its_parent() {
    let mut all = leaves(1, 4, "oom_killed");
    let parents = {
        let first = correlate(&all, &BTreeMap::new(), &population(4, 20), now());
        apply(&mut all, &first)
    };
    all[0].class = "image_pull_backoff".to_owned();
    let second = correlate(&all, &parents, &population(4, 20), now());
    assert_eq!(second.moved, [(all[0].id, None)]);
    assert_eq!(second.parents[0].instances, 3);
}

#[test]
fn fingerprints_can_be_read_back() {
    for group in [
        Group::Cluster(cluster(3), "oom_killed".to_owned()),
        Group::CatalogItem("acct.a/b.prod".to_owned(), "oom_killed".to_owned()),
        Group::Fleet("oom_killed".to_owned()),
    ] {
        assert_eq!(Group::parse(&group.fingerprint()), Some(group));
    }
    assert_eq!(Group::parse("00000000-0000-0000-0000-000000000007/deployment-ready"), None);
}

fn any_leaves() -> impl Strategy<Value = Vec<Leaf>> {
    let one = (
        1..4u128,
        prop::sample::select(vec!["oom_killed", "route_missing"]),
        prop::option::of(Just("acct.item.prod")),
        any::<bool>(),
    );
    prop::collection::vec(one, 0..30).prop_map(|all| {
        let one = |(number, (on, class, item, of_cluster)): (usize, (u128, &str, Option<&str>, bool))| {
            let leaf = leaf(on, u128::try_from(number).unwrap(), class);
            let instance = leaf.instance.filter(|_| !of_cluster || number % 5 != 0);
            Leaf {
                instance,
                catalog_item: item.map(str::to_owned),
                ..leaf
            }
        };
        all.into_iter().enumerate().map(one).collect()
    })
}

proptest! {
    /// Carried out once, the same incidents ask for nothing more; their order never matters.
    #[test]
    fn correlation_settles_at_once(all in any_leaves().prop_shuffle(), failing in 1..40usize, evaluated in 1..200usize) {
        let population = population(failing, evaluated);
        let mut all = all;
        let first = correlate(&all, &BTreeMap::new(), &population, now());
        let mut sorted = all.clone();
        sorted.sort_by_key(|leaf| leaf.id);
        let in_order = correlate(&sorted, &BTreeMap::new(), &population, now());
        prop_assert_eq!(&first.parents, &in_order.parents);

        let parents = apply(&mut all, &first);
        let second = correlate(&all, &parents, &population, now() + TimeDelta::minutes(1));
        prop_assert!(second.moved.is_empty());
        prop_assert!(second.parents.iter().all(|plan| plan.fate == Fate::Keep), "{:?}", second.parents);
    }

    /// Every parent that is open has a child, and every child's parent is open.
    #[test]
    fn no_parent_without_children(all in any_leaves(), gone in prop::collection::vec(any::<bool>(), 30)) {
        let population = population(5, 40);
        let mut all = all;
        let first = correlate(&all, &BTreeMap::new(), &population, now());
        let parents = apply(&mut all, &first);
        let mut keep = gone.into_iter();
        all.retain(|_| keep.next().unwrap_or(true));
        let second = correlate(&all, &parents, &population, now());
        let parents = apply(&mut all, &second);
        let mut with_children: BTreeSet<Uuid> = all.iter().filter_map(|leaf| leaf.parent).collect();
        with_children.extend(parents.values().filter_map(|parent| parent.parent));
        let open: BTreeSet<Uuid> = parents.values().map(|parent| parent.id).collect();
        prop_assert_eq!(with_children, open);
    }
}

#[test]
fn a_symptom_belongs_to_its_cause_and_is_no_sign_of_a_common_one() {
    let symptom = |cause: &Leaf| Leaf {
        id: Uuid::from_u128(cause.id.as_u128() + 0x100),
        class: "service_has_no_endpoints".to_owned(),
        stage: Stage::RouteReady,
        ..cause.clone()
    };
    let causes: Vec<Leaf> = ["pods_crashlooping", "image_pull_backoff", "oom_killed", "invalid_configuration"]
        .into_iter()
        .enumerate()
        .map(|(number, class)| leaf(1, number as u128, class))
        .collect();
    let symptoms: Vec<Leaf> = causes.iter().map(symptom).collect();
    let all: Vec<Leaf> = causes.iter().chain(&symptoms).cloned().collect();
    let found = correlate(&all, &BTreeMap::new(), &population(4, 20), now());
    assert_eq!(found.parents, [], "four causes, none of them common");
    let under: Vec<(Uuid, Option<Uuid>)> = symptoms
        .iter()
        .zip(&causes)
        .map(|(symptom, cause)| (symptom.id, Some(cause.id)))
        .collect();
    assert_eq!(found.moved, under);

    // Without a cause in sight they are the problem themselves, and their own cause ends with them.
    let alone = correlate(&symptoms, &BTreeMap::new(), &population(4, 20), now());
    assert_eq!((alone.parents.len(), alone.parents[0].instances), (1, 4));
    let other_class: Vec<Leaf> = all
        .iter()
        .map(|leaf| Leaf {
            class: if leaf.stage == Stage::RouteReady {
                "route_not_admitted".to_owned()
            } else {
                leaf.class.clone()
            },
            ..leaf.clone()
        })
        .collect();
    let apart = correlate(&other_class, &BTreeMap::new(), &population(4, 20), now());
    assert_eq!(apart.parents.len(), 1, "a route that is refused has a cause of its own");
}
