//! How urgent an incident is: severity of its class, raised when it is systemic or a session is near.

use serde::Serialize;

/// Severity of a failure without class, and of a class that the rubrics in use do not define: the middle of the scale.
pub const DEFAULT_SEVERITY: u8 = 5;

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

/// Priority, 0.0 to 10.0 with one decimal, and the level that follows from it. `severity` is that of the failure class, as its rubric
/// grades it; none counts as [`DEFAULT_SEVERITY`].
#[must_use]
pub fn priority(severity: Option<u8>, spread: Spread, session: Session) -> (f32, Level) {
    let spread = match spread {
        Spread::Single => 1.0,
        Spread::Systemic => 1.5,
    };
    let session = match session {
        Session::None => 1.0,
        Session::WithinTwoHours => 1.5,
        Session::WithinOneHour => 2.0,
    };
    let priority = ((f32::from(severity.unwrap_or(DEFAULT_SEVERITY)) * spread * session).min(10.0) * 10.0).round() / 10.0;
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
    fn priority_is_capped_and_the_level_follows_the_capped_number() {
        let cases = [
            (Some(8), Spread::Single, Session::None, 8.0, Level::Critical),
            (Some(6), Spread::Single, Session::None, 6.0, Level::High),
            (Some(6), Spread::Systemic, Session::None, 9.0, Level::Critical),
            (Some(10), Spread::Systemic, Session::WithinOneHour, 10.0, Level::Critical),
            (Some(2), Spread::Single, Session::None, 2.0, Level::Low),
            (Some(2), Spread::Single, Session::WithinOneHour, 4.0, Level::Medium),
            (Some(3), Spread::Single, Session::WithinTwoHours, 4.5, Level::Medium),
            (None, Spread::Single, Session::None, 5.0, Level::Medium),
            (None, Spread::Systemic, Session::None, 7.5, Level::High),
        ];
        for (severity, spread, session, number, level) in cases {
            let (priority, got) = priority(severity, spread, session);
            assert!((priority - number).abs() < 0.001, "{severity:?} {spread:?} {session:?}: {priority}");
            assert_eq!(got, level, "{severity:?} {spread:?} {session:?}");
        }
    }
}
