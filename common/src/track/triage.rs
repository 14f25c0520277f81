//! How urgent an incident is: severity of its class, raised when it is systemic or a session is near.

use serde::Serialize;

/// Severity of a class nobody graded.
pub const DEFAULT_SEVERITY: f32 = 5.0;

/// Severity per failure class, 0 to 10. Source: the grades operators have worked with, plus those for the classes added since.
const SEVERITY: [(&str, f32); 33] = [
    ("cluster_critical_alerts", 9.0),
    ("cluster_overloaded", 10.0),
    ("cluster_unreachable", 10.0),
    ("datavolume_failed", 7.0),
    ("datavolume_not_ready", 5.0),
    ("deployment_missing", 6.0),
    ("guest_agent_not_connected", 2.0),
    ("health_check_failed", 3.0),
    ("image_pull_backoff", 7.0),
    ("inference_failed", 6.0),
    ("inferenceservice_not_ready", 6.0),
    ("namespace_missing", 7.0),
    ("node_not_ready", 8.0),
    ("oom_killed", 7.0),
    ("operator_version_drift", 3.0),
    ("pods_crashlooping", 8.0),
    ("pods_not_ready", 6.0),
    ("provision_failed", 8.0),
    ("pvc_not_bound", 6.0),
    ("route_missing", 4.0),
    ("route_not_admitted", 5.0),
    ("scheduling_failed", 7.0),
    ("service_has_no_endpoints", 5.0),
    ("service_missing", 5.0),
    ("showroom_content_missing", 4.0),
    ("showroom_not_reachable", 6.0),
    ("showroom_not_ready", 5.0),
    ("showroom_pod_down", 6.0),
    ("smoke_test_failed", 6.0),
    ("teardown_stuck", 4.0),
    ("unexpected_response", 4.0),
    ("vmi_not_running", 7.0),
    ("vmi_paused_error", 8.0),
];

/// How near the next session of the lab is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Session {
    /// None within two hours, or nobody knows of any.
    #[default]
    None,
    /// It starts in one to two hours.
    WithinTwoHours,
    /// It starts within the hour.
    WithinOneHour,
}

/// Whether an incident stands for many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spread {
    /// One instance or one cluster.
    Single,
    /// A parent of correlated incidents.
    Systemic,
}

/// How soon somebody should look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each variant says itself")]
pub enum Level {
    Low,
    Medium,
    High,
    Critical,
}

impl Level {
    /// The stable snake-case name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// Severity of a class, 0 to 10; unclassified failures count like an ungraded class.
#[must_use]
pub fn severity(class: Option<&str>) -> f32 {
    let found = class.and_then(|class| SEVERITY.binary_search_by(|(name, _)| (*name).cmp(class)).ok());
    found
        .and_then(|index| SEVERITY.get(index))
        .map_or(DEFAULT_SEVERITY, |(_, severity)| *severity)
}

/// Priority, 0.0 to 10.0 with one decimal, and the level that follows from it.
#[must_use]
pub fn priority(class: Option<&str>, spread: Spread, session: Session) -> (f32, Level) {
    let spread = match spread {
        Spread::Single => 1.0,
        Spread::Systemic => 1.5,
    };
    let session = match session {
        Session::None => 1.0,
        Session::WithinTwoHours => 1.5,
        Session::WithinOneHour => 2.0,
    };
    let priority = ((severity(class) * spread * session).min(10.0) * 10.0).round() / 10.0;
    let level = match priority {
        p if p >= 8.0 => Level::Critical,
        p if p >= 6.0 => Level::High,
        p if p >= 4.0 => Level::Medium,
        _ => Level::Low,
    };
    (priority, level)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_so_that_every_class_is_found() {
        assert!(SEVERITY.is_sorted_by(|a, b| a.0 < b.0));
        for (class, grade) in SEVERITY {
            assert_eq!(severity(Some(class)).to_bits(), grade.to_bits(), "{class}");
        }
    }

    #[test]
    fn priority_is_capped_and_the_level_follows_the_capped_number() {
        let cases = [
            (Some("pods_crashlooping"), Spread::Single, Session::None, 8.0, Level::Critical),
            (Some("pods_not_ready"), Spread::Single, Session::None, 6.0, Level::High),
            (Some("pods_not_ready"), Spread::Systemic, Session::None, 9.0, Level::Critical),
            (
                Some("cluster_unreachable"),
                Spread::Systemic,
                Session::WithinOneHour,
                10.0,
                Level::Critical,
            ),
            (Some("guest_agent_not_connected"), Spread::Single, Session::None, 2.0, Level::Low),
            (
                Some("guest_agent_not_connected"),
                Spread::Single,
                Session::WithinOneHour,
                4.0,
                Level::Medium,
            ),
            (
                Some("operator_version_drift"),
                Spread::Single,
                Session::WithinTwoHours,
                4.5,
                Level::Medium,
            ),
            (Some("nobody_graded_this"), Spread::Single, Session::None, 5.0, Level::Medium),
            (None, Spread::Systemic, Session::None, 7.5, Level::High),
        ];
        for (class, spread, session, number, level) in cases {
            let (priority, got) = priority(class, spread, session);
            assert!((priority - number).abs() < 0.001, "{class:?} {spread:?} {session:?}: {priority}");
            assert_eq!(got, level, "{class:?} {spread:?} {session:?}");
        }
    }
}
