//! Counting instances by state. What was not read recently enough counts as unknown, whatever it was when it was last seen.

use serde::Serialize;
use utoipa::ToSchema;

/// Live instances by state. `total` is the sum of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, ToSchema)]
pub struct Counts {
    /// Live instances.
    #[schema(minimum = 0, example = 403)]
    pub total: i64,
    /// Every stage that applies passes.
    #[schema(minimum = 0, example = 371)]
    pub ready: i64,
    /// Ready, with something to look at.
    #[schema(minimum = 0)]
    pub warning: i64,
    /// A required criterion of a stage is known to be false.
    #[schema(minimum = 0, example = 12)]
    pub failing: i64,
    /// Not finished yet, and in time.
    #[schema(minimum = 0)]
    pub provisioning: i64,
    /// Stopped on purpose.
    #[schema(minimum = 0)]
    pub stopped: i64,
    /// Being deleted.
    #[schema(minimum = 0)]
    pub terminating: i64,
    /// Not known: never ready, never failing.
    #[schema(minimum = 0, example = 9)]
    pub unknown: i64,
}

impl Counts {
    /// Adds `n` instances of a state; as unknown when their cluster is `blind` or the state is a word we do not know.
    pub fn add(&mut self, state: &str, n: i64, blind: bool) {
        let slot = match effective(state, blind) {
            "ready" => &mut self.ready,
            "warning" => &mut self.warning,
            "failing" => &mut self.failing,
            "provisioning" => &mut self.provisioning,
            "stopped" => &mut self.stopped,
            "terminating" => &mut self.terminating,
            "gone" => return,
            _ => &mut self.unknown,
        };
        *slot += n;
        self.total += n;
    }
}

/// The state to show for a stored one.
#[must_use]
pub fn effective(state: &str, blind: bool) -> &str {
    if blind && state != "gone" { "unknown" } else { state }
}

/// Outcomes of stages: the latest of each instance and stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, ToSchema)]
pub struct Outcomes {
    /// Every required criterion holds.
    #[schema(minimum = 0)]
    pub pass: i64,
    /// And an optional one fails.
    #[schema(minimum = 0)]
    pub warn: i64,
    /// A required criterion is known to be false.
    #[schema(minimum = 0)]
    pub fail: i64,
    /// A required criterion is not known.
    #[schema(minimum = 0)]
    pub indeterminate: i64,
    /// The stage does not apply.
    #[schema(minimum = 0)]
    pub skipped: i64,
}

impl std::ops::AddAssign for Outcomes {
    fn add_assign(&mut self, other: Self) {
        let Self {
            pass,
            warn,
            fail,
            indeterminate,
            skipped,
        } = other;
        self.pass += pass;
        self.warn += warn;
        self.fail += fail;
        self.indeterminate += indeterminate;
        self.skipped += skipped;
    }
}

impl Outcomes {
    /// Adds `n` results; as indeterminate when their cluster is `blind` or the outcome is a word we do not know.
    pub fn add(&mut self, outcome: &str, n: i64, blind: bool) {
        match outcome {
            "skipped" => self.skipped += n,
            _ if blind => self.indeterminate += n,
            "pass" => self.pass += n,
            "warn" => self.warn += n,
            "fail" => self.fail += n,
            _ => self.indeterminate += n,
        }
    }

    /// (pass + warn) / (pass + warn + fail); `None` when nothing is known. Indeterminate is in neither part.
    #[must_use]
    pub fn health_rate(&self) -> Option<f64> {
        let known = self.pass + self.warn + self.fail;
        #[expect(clippy::cast_precision_loss, reason = "counts of instances are far below 2^52")]
        (known > 0).then(|| (self.pass + self.warn) as f64 / known as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_never_ready() {
        let mut counts = Counts::default();
        for (state, blind) in [
            ("ready", false),
            ("ready", true),
            ("failing", true),
            ("a-new-word", false),
            ("gone", true),
        ] {
            counts.add(state, 2, blind);
        }
        assert_eq!((counts.ready, counts.failing, counts.unknown, counts.total), (2, 0, 6, 8));
    }

    #[test]
    fn the_health_rate_leaves_out_what_is_not_known() {
        let mut outcomes = Outcomes::default();
        assert_eq!(outcomes.health_rate(), None);
        for (outcome, n, blind) in [
            ("pass", 6, false),
            ("warn", 2, false),
            ("fail", 2, false),
            ("indeterminate", 40, false),
            ("fail", 9, true),
        ] {
            outcomes.add(outcome, n, blind);
        }
        assert_eq!(outcomes.health_rate(), Some(0.8));
        assert_eq!(outcomes.indeterminate, 49);
    }
}
