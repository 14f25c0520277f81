//! What somebody may do.

use std::fmt;

use serde::Deserialize;

/// What somebody may do. Every role may read; which labs is a matter of its scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// All reads.
    Viewer,
    /// Reads, and judging again of his own labs.
    Developer,
    /// What a developer may, for the labs of a team, and their settings.
    TeamLead,
    /// Runs the event: asks for scans, takes incidents on.
    Operator,
    /// Decides on actions that need a second person.
    Approver,
    /// Everything.
    Admin,
    /// A program: reads.
    Service,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 7] = [
        Self::Viewer,
        Self::Developer,
        Self::TeamLead,
        Self::Operator,
        Self::Approver,
        Self::Admin,
        Self::Service,
    ];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Developer => "developer",
            Self::TeamLead => "team_lead",
            Self::Operator => "operator",
            Self::Approver => "approver",
            Self::Admin => "admin",
            Self::Service => "service",
        }
    }

    /// The role of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }

    /// Whether whoever has this role may do what asks for `wanted`.
    #[must_use]
    pub fn covers(self, wanted: Self) -> bool {
        match self {
            Self::Admin => true,
            Self::TeamLead => matches!(wanted, Self::Viewer | Self::Developer | Self::TeamLead),
            Self::Viewer | Self::Developer | Self::Operator | Self::Approver | Self::Service => wanted == Self::Viewer || wanted == self,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_reads_and_only_an_admin_is_everything() {
        for role in Role::ALL {
            assert!(role.covers(Role::Viewer) && role.covers(role), "{role}");
            assert!(Role::Admin.covers(role), "{role}");
            assert_eq!(role.covers(Role::Admin), role == Role::Admin, "{role}");
            assert_eq!(Role::parse(role.as_str()), Some(role));
            let named: Role = serde_json::from_value(role.as_str().into()).unwrap();
            assert_eq!(named, role, "configuration and answers use the same names");
        }
        assert!(!Role::Operator.covers(Role::Approver), "who asks for an action does not approve it");
        assert!(Role::TeamLead.covers(Role::Developer) && !Role::Developer.covers(Role::TeamLead));
    }
}
