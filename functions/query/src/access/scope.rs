//! Which labs somebody sees. PostgreSQL enforces it: every reading begins with saying so, and says nothing of other labs' rows.

use std::collections::BTreeSet;

/// The labs that somebody sees.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LabScope {
    /// All of them, and what belongs to no lab.
    All,
    /// Those whose code is one of these, or fits one of these globs (`*` any text, `?` one character).
    Only(BTreeSet<String>),
}

impl LabScope {
    /// The value of the setting `stargate.lab_scope`, which the policies on the tables read: `*`, or the codes as a JSON array.
    #[must_use]
    pub fn setting(&self) -> String {
        match self {
            Self::All => "*".to_owned(),
            // A set of texts always becomes JSON.
            Self::Only(labs) => serde_json::to_string(labs).unwrap_or_else(|_| "[]".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_of_no_labs_is_not_the_scope_of_all() {
        assert_eq!(LabScope::All.setting(), "*");
        assert_eq!(LabScope::Only(BTreeSet::new()).setting(), "[]");
        let star = LabScope::Only(BTreeSet::from(["*".to_owned(), "a\"b".to_owned()]));
        assert_eq!(star.setting(), r#"["*","a\"b"]"#);
    }
}
