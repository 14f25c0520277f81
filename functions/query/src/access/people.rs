//! The access file: which group or user has which role, and for which labs.
//!
//! ```yaml
//! groups:
//!   - {group: rhdp-operators, role: operator}
//!   - {group: ai-labs-leads, role: team_lead, labs: [LB1390, "LB2*"]}
//! users:
//!   - {user: alice, role: admin}
//! ```

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, bail};
use serde::Deserialize;

use super::role::Role;
use super::scope::LabScope;

/// Who has which role.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct People {
    #[serde(default)]
    groups: Vec<OfGroup>,
    #[serde(default)]
    users: Vec<OfUser>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfGroup {
    group: String,
    role: Role,
    labs: Option<BTreeSet<String>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfUser {
    user: String,
    role: Role,
    labs: Option<BTreeSet<String>>,
}

/// A role and the labs it is for; none: all of them.
pub(super) type Grant<'a> = (Role, Option<&'a BTreeSet<String>>);

/// Longest code or glob of a lab.
const LAB: usize = 128;

impl People {
    /// Reads the file.
    ///
    /// # Errors
    /// It cannot be read, is no such file (with line and column), or grants something that makes no sense.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("STARGATE_ACCESS_FILE: reading {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("STARGATE_ACCESS_FILE: {}", path.display()))
    }

    /// Reads the file's text.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let people: Self = stargate_common::yaml::from_str(text).map_err(|error| anyhow::anyhow!("{error}"))?;
        for (name, role, labs) in people.all() {
            if name.trim().is_empty() {
                bail!("an entry with role {role} has an empty name");
            }
            check(name, role, labs)?;
        }
        if people.groups.is_empty() && people.users.is_empty() {
            bail!("nobody has a role: give groups or users");
        }
        Ok(people)
    }

    fn all(&self) -> impl Iterator<Item = (&str, Role, Option<&BTreeSet<String>>)> {
        let groups = self.groups.iter().map(|one| (one.group.as_str(), one.role, one.labs.as_ref()));
        let users = self.users.iter().map(|one| (one.user.as_str(), one.role, one.labs.as_ref()));
        groups.chain(users)
    }

    /// Whether any group has a role.
    #[must_use]
    pub fn names_groups(&self) -> bool {
        !self.groups.is_empty()
    }

    /// What this user is, who is in these groups.
    #[must_use]
    pub fn of(&self, user: &str, groups: &BTreeSet<String>) -> (BTreeSet<Role>, LabScope) {
        let by_group = self.groups.iter().filter(|one| groups.contains(&one.group));
        let by_name = self.users.iter().filter(|one| one.user == user);
        let grants = by_group
            .map(|one| (one.role, one.labs.as_ref()))
            .chain(by_name.map(|one| (one.role, one.labs.as_ref())));
        together(grants)
    }
}

/// That a grant makes sense: a team lead leads a team, an admin is not one of some labs.
pub(super) fn check(name: &str, role: Role, labs: Option<&BTreeSet<String>>) -> anyhow::Result<()> {
    match (role, labs) {
        (Role::TeamLead, None) => bail!("{name:?}: a team_lead needs labs: codes or globs"),
        (Role::Operator | Role::Approver | Role::Admin, Some(_)) => bail!("{name:?}: {role} is for all labs; remove labs"),
        (_, Some(labs)) if labs.is_empty() => bail!("{name:?}: labs is empty: name some, or remove it"),
        (_, Some(labs)) => labs
            .iter()
            .find(|lab| lab.trim().is_empty() || lab.len() > LAB || lab.chars().any(char::is_control))
            .map_or(Ok(()), |lab| bail!("{name:?}: {lab:?} is no code or glob of a lab")),
        (_, None) => Ok(()),
    }
}

/// All roles, and all labs of any of them: one role that is for all labs shows all.
pub(super) fn together<'a>(grants: impl Iterator<Item = Grant<'a>>) -> (BTreeSet<Role>, LabScope) {
    let (mut roles, mut all, mut only) = (BTreeSet::new(), false, BTreeSet::new());
    for (role, labs) in grants {
        roles.insert(role);
        match labs {
            None => all = true,
            Some(labs) => only.extend(labs.iter().cloned()),
        }
    }
    (roles, if all { LabScope::All } else { LabScope::Only(only) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "
groups:
  - {group: operators, role: operator}
  - {group: ai-leads, role: team_lead, labs: [LB1390, 'LB2*']}
  - {group: dev, role: developer, labs: [LB7]}
  - {group: everybody, role: viewer}
users:
  - {user: alice, role: approver}
";

    fn of(user: &str, groups: &[&str]) -> (Vec<&'static str>, String) {
        let groups = groups.iter().map(|&group| group.to_owned()).collect();
        let (roles, scope) = People::parse(FILE).unwrap().of(user, &groups);
        (roles.into_iter().map(Role::as_str).collect(), scope.setting())
    }

    #[test]
    fn roles_and_labs_of_several_groups_add_up() {
        assert_eq!(of("bob", &["ai-leads"]), (vec!["team_lead"], r#"["LB1390","LB2*"]"#.to_owned()));
        assert_eq!(
            of("bob", &["ai-leads", "dev"]),
            (vec!["developer", "team_lead"], r#"["LB1390","LB2*","LB7"]"#.to_owned())
        );
        assert_eq!(of("bob", &["dev", "everybody"]), (vec!["viewer", "developer"], "*".to_owned()));
        assert_eq!(of("alice", &[]), (vec!["approver"], "*".to_owned()));
        assert_eq!(of("bob", &["strangers"]), (vec![], "[]".to_owned()), "no role sees nothing");
        assert_eq!(
            of("operators", &[]),
            (vec![], "[]".to_owned()),
            "a user is not the group of his name"
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_place() {
        for (text, part) in [
            ("groups:\n  - {group: a, role: boss}\n", "line 2"),
            ("groups:\n  - {group: a, role: viewer, lab: [x]}\n", "line 2"),
            ("people: []\n", "line 1"),
            ("groups: [{group: a, role: team_lead}]", "needs labs"),
            ("groups: [{group: a, role: team_lead, labs: []}]", "labs is empty"),
            ("groups: [{group: a, role: admin, labs: [x]}]", "is for all labs"),
            ("groups: [{group: ' ', role: viewer}]", "empty name"),
            ("users: [{user: a, role: developer, labs: ['']}]", "no code or glob"),
            ("groups: []", "nobody has a role"),
        ] {
            let error = format!("{:#}", People::parse(text).unwrap_err());
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
