//! Arithmetic of the facts: what a session needs, how heavy an item is, what lasts, what failed in a row.

use chrono::{DateTime, TimeDelta, Utc};

use super::input::Known;
use crate::provisioning::catalog::{Constraints, Wanted};
use crate::unknown::UnknownReason;

/// How many instances a session needs: one an attendee, or as many as it takes where `users` share one.
#[must_use]
pub const fn needed(attendees: i64, users: i64) -> i64 {
    if users <= 1 {
        return attendees;
    }
    attendees / users + (attendees % users > 0) as i64
}

/// How heavy an item is to provision, 0 to 1. Source: readiness-domain 7.4, with the factor keyed by the providers' real names.
#[must_use]
pub fn complexity(item: &Constraints) -> f64 {
    let share = |count: f64, most: f64| (count / most).min(1.0);
    #[expect(clippy::cast_precision_loss, reason = "counts and seconds are far below 2^52")]
    let number = |count: Option<i64>, otherwise: i64| count.unwrap_or(otherwise).max(0) as f64;
    #[expect(clippy::cast_precision_loss, reason = "as above")]
    let length = |length: usize| length as f64;
    let sum = 0.10
        + 0.15 * share(length(item.workloads.len()), 10.0)
        + 0.10 * share(length(item.collections.len()), 8.0)
        + 0.20 * share(number(item.worker_count, 0), 5.0)
        + 0.15 * share(number(item.worker_cores, 0), 64.0)
        + 0.20 * share(number(item.job_timeout_s, DEFAULT_TIMEOUT_S), 14_400.0)
        + 0.10 * share(length(item.components.len()), 5.0);
    (sum * factor(&item.cloud_provider)).min(1.0)
}

/// What a deployer's timeout is where the item does not say, in seconds.
const DEFAULT_TIMEOUT_S: i64 = 3600;

fn factor(provider: &Wanted) -> f64 {
    match provider {
        Wanted::Exactly(name) => match name.as_str() {
            "openshift_cnv" | "cnv" | "openshift_virtualization" => 1.2,
            "shared" | "tenant" | "openshift_tenant" | "namespace" => 0.5,
            // Public clouds, and what nobody has measured.
            _ => 1.0,
        },
        Wanted::Nothing | Wanted::Dynamic => 1.0,
    }
}

/// A measurement at a time.
pub type Sample = (DateTime<Utc>, f64);

/// The lowest of the newest `count` samples, if they are of the time since `oldest`. Samples are in the order of time.
///
/// # Errors
/// There are too few: as yet it cannot be told.
pub fn sustained(samples: &[Sample], count: usize, oldest: DateTime<Utc>) -> Known<f64> {
    let newest = samples.iter().rev().take_while(|(at, _)| *at >= oldest).take(count);
    let (taken, lowest) = newest.fold((0, f64::INFINITY), |(taken, lowest), (_, value)| (taken + 1, lowest.min(*value)));
    if taken == count {
        Ok(lowest)
    } else {
        Err(UnknownReason::Progressing)
    }
}

/// Whether a count is higher than at the beginning of a span that ends with the newest sample, and never sank within.
///
/// # Errors
/// Samples do not reach back that far.
pub fn rising(samples: &[Sample], span: TimeDelta) -> Known<bool> {
    let Some(newest) = samples.last() else {
        return Err(UnknownReason::Progressing);
    };
    let begin = newest.0 - span;
    let Some(first) = samples.iter().rposition(|(at, _)| *at <= begin) else {
        return Err(UnknownReason::Progressing);
    };
    let within = &samples[first..];
    let never_sank = within.windows(2).all(|pair| pair[1].1 >= pair[0].1);
    Ok(never_sank && newest.1 > within[0].1)
}

/// How many of the newest failed, up to the first that did not; the newest is first.
#[must_use]
pub fn failed_in_a_row(newest_first: impl IntoIterator<Item = bool>) -> i64 {
    let count = newest_first.into_iter().take_while(|failed| *failed).count();
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn samples(minutes: &[(i64, f64)]) -> Vec<Sample> {
        minutes
            .iter()
            .map(|(minute, value)| (DateTime::UNIX_EPOCH + TimeDelta::minutes(*minute), *value))
            .collect()
    }

    #[test]
    fn shared_instances_are_needed_less_often() {
        assert_eq!(
            (needed(30, 1), needed(30, 0), needed(30, 20), needed(40, 20), needed(0, 20)),
            (30, 30, 2, 2, 0)
        );
    }

    #[test]
    fn an_item_is_as_heavy_as_its_definition_says() {
        let light = complexity(&Constraints::default());
        assert!((light - 0.15).abs() < 1e-9, "{light}");
        let heavy = Constraints {
            cloud_provider: Wanted::Exactly("openshift_cnv".to_owned()),
            workloads: vec![String::new(); 12],
            collections: (0..8).map(|i| (i.to_string(), String::new())).collect::<BTreeMap<_, _>>(),
            worker_count: Some(5),
            worker_cores: Some(32),
            job_timeout_s: Some(7200),
            components: vec![String::new(); 2],
            ..Constraints::default()
        };
        // 0.1 + 0.15 + 0.1 + 0.2 + 0.075 + 0.1 + 0.04, times 1.2
        assert!((complexity(&heavy) - 0.918).abs() < 1e-9, "{}", complexity(&heavy));
        let tenant = Constraints {
            cloud_provider: Wanted::Exactly("tenant".to_owned()),
            ..heavy.clone()
        };
        assert!((complexity(&tenant) - 0.3825).abs() < 1e-9);
    }

    #[test]
    fn what_is_sustained_held_at_every_newest_sample() {
        let all = samples(&[(0, 50.0), (15, 82.0), (30, 75.0), (45, 90.0)]);
        let oldest = DateTime::UNIX_EPOCH;
        assert_eq!(sustained(&all, 3, oldest), Ok(75.0));
        assert_eq!(sustained(&all, 3, oldest + TimeDelta::minutes(20)), Err(UnknownReason::Progressing));
        assert_eq!(sustained(&all, 5, oldest), Err(UnknownReason::Progressing));
    }

    #[test]
    fn a_queue_rises_when_it_never_sank() {
        let span = TimeDelta::minutes(15);
        assert_eq!(rising(&samples(&[(0, 1.0), (5, 2.0), (10, 2.0), (15, 4.0)]), span), Ok(true));
        assert_eq!(rising(&samples(&[(0, 1.0), (5, 3.0), (10, 2.0), (15, 4.0)]), span), Ok(false));
        assert_eq!(rising(&samples(&[(0, 4.0), (15, 4.0)]), span), Ok(false));
        assert_eq!(rising(&samples(&[(5, 1.0), (15, 4.0)]), span), Err(UnknownReason::Progressing));
        assert_eq!(rising(&[], span), Err(UnknownReason::Progressing));
    }

    #[test]
    fn a_success_ends_the_row() {
        assert_eq!(failed_in_a_row([true, true, false, true]), 2);
        assert_eq!(failed_in_a_row([]), 0);
    }
}
