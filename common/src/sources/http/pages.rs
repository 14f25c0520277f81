//! Walking through pages without walking in circles.

use std::collections::BTreeSet;

use reqwest::Url;

use super::Client;
use crate::sources::Missing;
use crate::unknown::UnknownReason;

/// Which pages of one list were seen. A page that comes again means that the rest will never come.
#[derive(Debug, Default)]
pub struct Pages {
    links: BTreeSet<String>,
    ids: BTreeSet<String>,
}

impl Pages {
    /// Where the next page is, unless it leads elsewhere or was seen before.
    ///
    /// # Errors
    /// The list cannot be read to its end.
    pub fn follow(&mut self, client: &Client, link: &str) -> Result<Url, Missing> {
        let url = client.link(link)?;
        if self.links.insert(url.as_str().to_owned()) {
            return Ok(url);
        }
        Err(repeats(&format!("{} links to a page that was read before", url.path())))
    }

    /// Notes the ids of a page. Some may have been on the page before, when rows were added meanwhile; all of them is a repeat.
    ///
    /// # Errors
    /// Every item of the page was seen before.
    pub fn take(&mut self, path: &str, ids: impl IntoIterator<Item = String>) -> Result<(), Missing> {
        let (mut any, mut new) = (false, false);
        for id in ids {
            any = true;
            new |= self.ids.insert(id);
        }
        if any && !new {
            return Err(repeats(&format!("{path} answered a page that was read before")));
        }
        Ok(())
    }

    /// Different items so far.
    #[must_use]
    pub fn seen(&self) -> usize {
        self.ids.len()
    }
}

fn repeats(what: &str) -> Missing {
    Missing {
        reason: UnknownReason::Truncated,
        detail: format!("{what}: the pages repeat, so the list cannot be read to its end; its paging is broken"),
    }
}
