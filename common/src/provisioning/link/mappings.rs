//! Catalog items whose lab people have settled: a reviewed table that decides before anything is guessed.
//!
//! ```yaml
//! mappings:
//!   - item: acme-labs.webshop        # all stages that sessions use; with a stage, that one alone
//!     lab: LB0042
//!     note: shares its item with LB0043, which is not given this year
//! ```

use std::collections::BTreeMap;

use serde::Deserialize;

/// Why a table cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// It is not YAML, or has a field that nobody knows.
    #[error("the table of labs is not one")]
    Yaml(#[source] serde_yaml::Error),
    /// An entry says nothing.
    #[error("entry {0} of the table of labs has no item or no lab")]
    Empty(usize),
    /// An item has two labs.
    #[error("the table of labs names {item:?} twice")]
    Twice {
        /// Which.
        item: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(default)]
    mappings: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    item: String,
    lab: String,
    /// Why, for the next reader of the table.
    #[serde(default, rename = "note")]
    _note: String,
}

/// Lab code by catalog item, which is named with or without its stage.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabMappings(BTreeMap<String, String>);

impl LabMappings {
    /// Reads a table.
    ///
    /// # Errors
    /// It is not one, or it says two things of one item. Whether its items and labs exist is told when they are joined.
    pub fn parse(yaml: &str) -> Result<Self, MappingError> {
        let table: Table = serde_yaml::from_str(yaml).map_err(MappingError::Yaml)?;
        let mut all = BTreeMap::new();
        for (number, Entry { item, lab, .. }) in table.mappings.into_iter().enumerate() {
            let (item, lab) = (item.trim().to_ascii_lowercase(), lab.trim().to_owned());
            if item.is_empty() || lab.is_empty() {
                return Err(MappingError::Empty(number + 1));
            }
            if all.contains_key(&item) {
                return Err(MappingError::Twice { item });
            }
            all.insert(item, lab);
        }
        Ok(Self(all))
    }

    /// The lab code that the table gives to that name.
    pub(super) fn lab(&self, item: &str) -> Option<&str> {
        self.0.get(item).map(String::as_str)
    }

    /// Every entry: item and lab code.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(item, lab)| (item.as_str(), lab.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(yaml: &str) -> String {
        LabMappings::parse(yaml).unwrap_err().to_string()
    }

    #[test]
    fn reads_a_table_and_refuses_one_that_is_wrong() {
        let table = "mappings:\n- item: Acme.Web\n  lab: LB0042\n  note: shared\n";
        assert_eq!(LabMappings::parse(table).unwrap().lab("acme.web"), Some("LB0042"));
        assert_eq!(LabMappings::parse("mappings: []").unwrap(), LabMappings::default());
        assert_eq!(
            error("mappings:\n- item: a\n  lab: x\n- item: A\n  lab: y\n"),
            "the table of labs names \"a\" twice"
        );
        assert_eq!(
            error("mappings:\n- item: a\n  lab: ''\n"),
            "entry 1 of the table of labs has no item or no lab"
        );
        assert_eq!(error("mapping: []"), "the table of labs is not one");
    }
}
