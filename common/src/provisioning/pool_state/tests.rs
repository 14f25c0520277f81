use proptest::prelude::*;

use super::*;
use crate::provisioning::ObjectRef;

fn now() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(1000)
}

fn named(name: &str) -> Option<ObjectRef> {
    Some(ObjectRef {
        namespace: "poolboy".into(),
        name: name.into(),
    })
}

fn handle(ready: Option<bool>, healthy: Option<bool>) -> ResourceHandle {
    ResourceHandle {
        pool: named("mesh"),
        ready,
        healthy,
        created_at: Some(now() - TimeDelta::minutes(30)),
        ..ResourceHandle::default()
    }
}

fn condition(ready: Option<bool>, healthy: Option<bool>) -> HandleCondition {
    HandleCondition {
        name: "guid-a".into(),
        healthy,
        ready,
    }
}

fn pool(minimum: i64, available: Option<i64>, ready: Option<i64>, unclaimed: Vec<HandleCondition>) -> ResourcePool {
    ResourcePool {
        namespace: "poolboy".into(),
        name: "mesh".into(),
        min_available: minimum,
        available,
        ready,
        unclaimed,
        ..ResourcePool::default()
    }
}

fn numbers(fill: &Fill) -> (Option<u32>, Option<u32>, Option<u32>) {
    (fill.usable, fill.available, fill.unready)
}

#[test]
fn usable_is_ready_and_not_unhealthy() {
    let (yes, no) = (Some(true), Some(false));
    let unclaimed = vec![
        condition(yes, yes),
        condition(yes, None),
        condition(yes, no),
        condition(no, yes),
        condition(None, None),
    ];
    assert_eq!(
        numbers(&fill(&pool(5, Some(5), Some(3), unclaimed), &[])),
        (Some(2), Some(5), Some(2))
    );
    // As observed: two exist and none is ready.
    let none_ready = vec![condition(no, yes), condition(None, None)];
    assert_eq!(
        numbers(&fill(&pool(2, Some(2), Some(0), none_ready), &[])),
        (Some(0), Some(2), Some(2))
    );
    assert_eq!(
        numbers(&fill(&pool(2, Some(0), Some(0), Vec::new()), &[])),
        (Some(0), Some(0), Some(0))
    );
}

#[test]
fn handles_speak_where_the_pool_does_not_list_them() {
    let deleting = ResourceHandle {
        deleting_since: Some(now()),
        ..handle(Some(true), Some(true))
    };
    let other = ResourceHandle {
        pool: named("another"),
        ..handle(Some(true), None)
    };
    let claimed = ResourceHandle {
        claim: named("order"),
        ..handle(Some(true), Some(true))
    };
    let handles = [
        handle(Some(true), None),
        handle(Some(true), Some(false)),
        handle(None, None),
        deleting,
        other,
        claimed,
    ];
    let full = fill(&pool(3, Some(3), None, Vec::new()), &handles);
    assert_eq!((numbers(&full), full.claimed), ((Some(1), Some(3), Some(1)), 1));
    assert_eq!(full.oldest_unready, Some(now() - TimeDelta::minutes(30)));
    // Nobody lists them: nothing is usable for sure only when none is ready.
    assert_eq!(fill(&pool(3, Some(3), Some(2), Vec::new()), &[]).usable, None);
    assert_eq!(fill(&pool(3, Some(3), Some(0), Vec::new()), &[]).usable, Some(0));
}

#[test]
fn absent_counts_are_unknown() {
    let unknown = fill(&pool(3, None, None, Vec::new()), &[handle(Some(true), Some(true))]);
    assert_eq!(numbers(&unknown), (None, None, None));
    assert_eq!(state(&unknown, &Circumstances::default(), now()).state, PoolState::Unknown);
}

fn filled(usable: u32, available: u32, unready: u32) -> Fill {
    Fill {
        usable: Some(usable),
        available: Some(available),
        unready: Some(unready),
        min_available: 5,
        ..Fill::default()
    }
}

fn activity(created: u32, deleted: u32, became_ready: u32) -> Option<Activity> {
    Some(Activity {
        window: TimeDelta::hours(3),
        created,
        deleted,
        became_ready,
    })
}

#[test]
fn each_state_has_its_reason() {
    let quiet = Circumstances::default();
    let with = |activity| Circumstances {
        activity,
        ..Circumstances::default()
    };
    let wanted = Circumstances { demand: Some(20), ..quiet };
    let disabled = Circumstances {
        provider_disabled: Some(true),
        ..wanted
    };
    let capped = |unready| Fill {
        max_unready: Some(2),
        ..filled(0, unready, unready)
    };
    let overdue = Fill {
        oldest_unready: Some(now() - TimeDelta::minutes(121)),
        ..filled(1, 5, 4)
    };
    let by_design = Fill {
        min_available: 0,
        ..filled(0, 0, 0)
    };
    for (fill, circumstances, expected, reason) in [
        (filled(5, 5, 0), quiet, PoolState::Healthy, "5 of 5 usable"),
        (
            Fill {
                min_available: 0,
                ..filled(1, 1, 0)
            },
            quiet,
            PoolState::Healthy,
            "1 of 0 usable",
        ),
        (filled(1, 5, 4), quiet, PoolState::Filling, "4 are on their way"),
        (capped(1), quiet, PoolState::Filling, "1 are on their way"),
        (capped(2), quiet, PoolState::Blocked, "as many are unready as may be (2)"),
        // A pool that fills in waves is at its cap all the time.
        (capped(2), with(activity(4, 0, 2)), PoolState::Filling, "2 are on their way"),
        (capped(2), with(activity(2, 0, 0)), PoolState::Blocked, "as many are unready"),
        (
            Fill {
                max_unready: Some(0),
                ..filled(0, 0, 0)
            },
            quiet,
            PoolState::Blocked,
            "may be (0)",
        ),
        (overdue, with(activity(0, 0, 0)), PoolState::Blocked, "longer than 120 minutes"),
        (overdue, with(activity(0, 0, 1)), PoolState::Filling, "on their way"),
        (filled(1, 5, 0), quiet, PoolState::Blocked, "unhealthy handles take the places"),
        (filled(1, 2, 0), with(activity(0, 0, 0)), PoolState::Blocked, "none is created"),
        (filled(1, 2, 0), with(activity(1, 0, 0)), PoolState::Filling, "handles are created"),
        (filled(1, 2, 0), quiet, PoolState::Unknown, "not known yet"),
        (
            filled(0, 5, 5),
            with(activity(9, 6, 0)),
            PoolState::Churning,
            "9 handles came, 6 went unclaimed and none became ready",
        ),
        (capped(2), with(activity(3, 3, 0)), PoolState::Churning, "3 handles came"),
        (filled(0, 5, 5), with(activity(9, 6, 1)), PoolState::Filling, "on their way"),
        (
            filled(0, 3, 3),
            wanted,
            PoolState::Exhausted,
            "20 seats are wanted; 3 are on their way",
        ),
        (capped(2), wanted, PoolState::Exhausted, "seats are wanted; as many are unready"),
        (filled(1, 3, 2), wanted, PoolState::Filling, "1 of 5 usable"),
        (by_design, wanted, PoolState::EmptyByDesign, "minAvailable is 0"),
        (
            filled(5, 5, 0),
            disabled,
            PoolState::ProviderDisabled,
            "creation disabled; it holds 5 usable",
        ),
        (
            Fill {
                min_available: 5,
                ..Fill::default()
            },
            disabled,
            PoolState::ProviderDisabled,
            "an unknown number of",
        ),
    ] {
        let verdict = state(&fill, &circumstances, now());
        assert_eq!(verdict.state, expected, "{fill:?} {circumstances:?}: {}", verdict.reason);
        assert!(verdict.reason.contains(reason), "{} has no {reason}", verdict.reason);
    }
}

fn samples(usable: &[u32], minutes: i64) -> Vec<Sample> {
    let at = |index: usize| now() + TimeDelta::minutes(minutes) * i32::try_from(index).unwrap();
    let sample = |(index, usable): (usize, &u32)| Sample {
        at: at(index),
        usable: *usable,
        available: 10,
        unready: 0,
        claimed: 0,
        min_available: 10,
    };
    usable.iter().enumerate().map(sample).collect()
}

#[test]
fn a_velocity_needs_samples_and_time() {
    assert_eq!(velocity(&samples(&[10, 9, 8, 7, 6], 30)), None, "five samples");
    assert_eq!(velocity(&samples(&[10, 9, 8, 7, 6, 5], 11)), None, "55 minutes");
    let falls = velocity(&samples(&[10, 9, 8, 7, 6, 5], 12)).unwrap();
    assert_eq!(
        (falls.per_hour, falls.trend, falls.hours_to_empty),
        (-5.0, Trend::Depleting, Some(1.0))
    );
    let rises = velocity(&samples(&[0, 0, 1, 1, 2, 2], 12)).unwrap();
    assert_eq!((rises.per_hour, rises.trend, rises.hours_to_empty), (2.0, Trend::Recovering, None));
    let steady = velocity(&samples(&[5, 4, 5, 4, 5, 4], 60)).unwrap();
    assert_eq!((steady.trend, steady.hours_to_empty), (Trend::Steady, None));
}

#[test]
fn what_is_claimed_became_ready_before() {
    let mut fleet = samples(&[3, 2, 2, 4], 5);
    fleet[1].claimed = 1;
    fleet[2].claimed = 2;
    fleet[3].claimed = 1;
    assert_eq!(became_ready(&fleet), 2, "one that was claimed at once, one more");
    fleet.reverse();
    assert_eq!(became_ready(&fleet), 2);
}

proptest! {
    /// Nothing that is unknown becomes healthy, and no more is usable than what exists and is ready.
    #[test]
    fn unknown_never_becomes_healthy(
        minimum in 0_i64..6, available in prop::option::of(-1_i64..6), ready in prop::option::of(0_i64..6),
        listed in prop::collection::vec((prop::option::of(any::<bool>()), prop::option::of(any::<bool>())), 0..6),
        known in prop::collection::vec((prop::option::of(any::<bool>()), prop::option::of(any::<bool>())), 0..6),
        cap in prop::option::of(0_i64..4), demand in prop::option::of(0_u32..4), moves in prop::option::of((0_u32..5, 0_u32..5, 0_u32..5)),
    ) {
        let mut pool = pool(minimum, available, ready, listed.iter().map(|(ready, healthy)| condition(*ready, *healthy)).collect());
        pool.max_unready = cap;
        let handles: Vec<_> = known.iter().map(|(ready, healthy)| handle(*ready, *healthy)).collect();
        let fill = fill(&pool, &handles);
        let circumstances = Circumstances { demand, activity: moves.and_then(|(c, d, r)| activity(c, d, r)), ..Circumstances::default() };
        let verdict = state(&fill, &circumstances, now());
        prop_assert!(!verdict.reason.is_empty());
        if available.is_none() {
            prop_assert_eq!(verdict.state, PoolState::Unknown);
        }
        if let Some(usable) = fill.usable {
            prop_assert!(usable <= fill.available.unwrap());
            let good = |all: &[(Option<bool>, Option<bool>)]| all.iter().filter(|(r, h)| *r == Some(true) && *h != Some(false)).count();
            let judged = if listed.is_empty() { &known } else { &listed };
            prop_assert!(usable as usize <= good(judged));
        }
        if verdict.state == PoolState::Healthy {
            prop_assert!(fill.usable.unwrap() >= fill.min_available);
        } else if let Some(usable) = fill.usable {
            prop_assert!(usable < fill.min_available || (usable == 0 && fill.min_available == 0) || fill.unready.is_none());
        }
    }
}
