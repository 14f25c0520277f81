//! One kind of object of the control plane, read to its end: page after page, each parsed, projected and dropped.

use std::collections::BTreeSet;

use super::wire::{Unfit, Wire};
use crate::collect::KindReport;
use crate::collect::page::{self, Items};
use crate::collect::pager::{Collection, Failure, Pager, Sink, Taken};
use crate::objects::Problem;
use crate::provisioning::Record;
use crate::sources::{Extent, Missing, Reading, redact};

/// Objects that cannot be understood are named up to this many per kind.
const NAMED: usize = 20;
/// Longest description of what is wrong with an object, in characters.
const DETAIL: usize = 200;

/// Where a kind lives.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) group: &'static str,
    pub(super) plural: &'static str,
    pub(super) selector: Option<(&'static str, &'static str)>,
}

impl Place {
    pub(super) fn all(self) -> Collection {
        let Self { group, plural, selector } = self;
        Collection {
            path: format!("/apis/{group}/v1/{plural}"),
            name: format!("{plural}.{group}"),
            namespace: None,
            selector,
            grant: "grant the collector's role get and list on it",
        }
    }
}

/// What a list told, before it is known whether that is the whole truth.
pub(super) struct Listed<K> {
    pub(super) items: Vec<K>,
    pub(super) refused: Vec<Problem>,
    pub(super) missing: Option<Missing>,
    pub(super) report: KindReport,
}

/// Takes pages of one kind.
struct Keeper<'a, W: Wire> {
    place: Place,
    control_plane: &'a str,
    items: Vec<W::Kept>,
    refused: Vec<Problem>,
    more_refused: usize,
}

impl<W: Wire> Keeper<'_, W> {
    fn refuse(&mut self, name: &str, detail: &str) {
        if self.refused.len() == NAMED {
            self.more_refused += 1;
            return;
        }
        let subject = format!("{}/{}/{name}", self.control_plane, self.place.plural);
        self.refused.push(Problem {
            subject: redact::text(&subject, DETAIL),
            detail: format!("cannot be understood: {}", redact::text(&without_values(detail), DETAIL)),
        });
    }
}

impl<W: Wire> Sink for Keeper<'_, W> {
    fn page(&mut self, body: &[u8]) -> Result<Taken, String> {
        let page = page::items::<W>(body).map_err(|error| redact::text(&without_values(&error.to_string()), DETAIL))?;
        let Items {
            items,
            count,
            more,
            refused,
        } = page;
        for (name, detail) in refused {
            self.refuse(&name, &detail);
        }
        for item in items {
            match item.keep() {
                Ok(kept) => self.items.push(kept),
                Err(Unfit { name, detail }) => self.refuse(&name, &detail),
            }
        }
        Ok(Taken { items: count, more })
    }

    fn forget(&mut self) {
        self.items.clear();
        self.refused.clear();
        self.more_refused = 0;
    }
}

/// A parser's error quotes what it found, which may be a secret: nothing between quotes is kept.
fn without_values(error: &str) -> String {
    let quotes = ['"', '`'];
    match (error.find(quotes), error.rfind(quotes)) {
        (Some(first), Some(last)) if first < last => format!("{}…{}", &error[..first], &error[last + 1..]),
        (Some(first), _) => format!("{}…", &error[..first]),
        (None, _) => error.to_owned(),
    }
}

/// Reads all objects of a kind.
pub(super) async fn list<W: Wire>(pager: &Pager, place: Place) -> Listed<W::Kept> {
    let mut report = KindReport::default();
    let control_plane = pager.client.name().to_owned();
    let mut keeper = Keeper::<W> {
        place,
        control_plane: &control_plane,
        items: Vec::new(),
        refused: Vec::new(),
        more_refused: 0,
    };
    let outcome = pager.list(&place.all(), &mut keeper, &mut report).await;
    let Keeper {
        items,
        mut refused,
        more_refused,
        ..
    } = keeper;
    if more_refused > 0 {
        refused.push(Problem {
            subject: format!("{control_plane}/{}", place.plural),
            detail: format!("{more_refused} more cannot be understood"),
        });
    }
    match outcome {
        Ok(()) => Listed {
            items,
            refused,
            missing: None,
            report,
        },
        Err(Failure { reason, detail }) => Listed {
            items: Vec::new(),
            refused: Vec::new(),
            missing: Some(Missing {
                reason,
                detail: redact::text(&detail, 2 * DETAIL),
            }),
            report,
        },
    }
}

impl<R: Record> Listed<R> {
    /// As a reading of everything, or of what `wanted` says: then what else is there stays as it is stored.
    pub(super) fn reading(self, wanted: Option<&(dyn Fn(&R) -> bool + Sync)>) -> Reading<R> {
        let Self {
            mut items,
            refused,
            missing,
            ..
        } = self;
        let mut extent = Extent::Whole;
        if let Some(wanted) = wanted {
            let mut others = BTreeSet::new();
            items.retain(|item| {
                let keep = wanted(item);
                if !keep {
                    others.insert(item.key());
                }
                keep
            });
            extent = Extent::Within { others };
        }
        Reading {
            items,
            refused,
            missing,
            extent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_parser_quotes_is_not_kept() {
        let quoted = r#"invalid type: string "hunter2, a \"secret\"", expected a map at line 1 column 5"#;
        assert_eq!(without_values(quoted), "invalid type: string …, expected a map at line 1 column 5");
        assert_eq!(
            without_values("invalid type: integer `7`, expected a map"),
            "invalid type: integer …, expected a map"
        );
        assert_eq!(without_values("odd \" quote hunter2"), "odd …");
        assert_eq!(without_values("a text was expected"), "a text was expected");
    }
}
