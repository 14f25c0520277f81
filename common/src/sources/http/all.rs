//! A whole list, over all of its pages, or the reason why that cannot be had.

use serde_json::value::RawValue;

use super::{Client, Pages};
use crate::sources::Missing;
use crate::unknown::UnknownReason;

/// What is asked for when a list seems to end at its limit.
const RAISED: usize = 10_000;

impl Client {
    /// Reads a list over all the pages that it links to.
    ///
    /// # Errors
    /// It was not read to its end: what came back instead, pages that repeat, fewer items than it says it has.
    pub async fn get_all(&self, path: &str, query: &[(&str, &str)], names: &[&str]) -> Result<Vec<Box<RawValue>>, Missing> {
        let mut pages = Pages::default();
        let mut page = self.get_list(path, query, names).await?;
        let mut items = Vec::new();
        loop {
            pages.take(path, page.items.iter().map(|item| item.get().to_owned()))?;
            items.append(&mut page.items);
            let Some(mut link) = page.next else { break };
            if link.starts_with('?') {
                // Of the page it is on, not of the base address.
                link.insert_str(0, self.url(path, &[]).path());
            }
            pages.follow(self, &link)?;
            page = self.get_list_link(&link, names).await?;
        }
        match page.count.map(|count| usize::try_from(count).unwrap_or(usize::MAX)) {
            Some(count) if items.len() < count => Err(truncated(format!(
                "GET {path} says that there are {count} and answered {}: the rest is missing",
                items.len()
            ))),
            _ => Ok(items),
        }
    }

    /// Reads a list that is cut at `limit` without a word. A list as long as the limit is asked on: what comes after it, then with a larger
    /// limit.
    ///
    /// # Errors
    /// As [`Self::get_all`]; also when nothing shows that the list has an end.
    pub async fn get_limited(
        &self,
        path: &str,
        query: &[(&str, &str)],
        names: &[&str],
        limit: usize,
    ) -> Result<Vec<Box<RawValue>>, Missing> {
        let ask = |limit: usize, offset: usize| {
            let mut all: Vec<(String, String)> = query
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect();
            all.push(("limit".to_owned(), limit.to_string()));
            if offset > 0 {
                // It is not known which of the two it understands; the other one is ignored.
                all.extend(["offset", "skip"].map(|name| (name.to_owned(), offset.to_string())));
            }
            async move {
                let query: Vec<(&str, &str)> = all.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                self.get_all(path, &query, names).await
            }
        };
        let mut items = ask(limit, 0).await?;
        let mut last = items.len();
        while last == limit {
            let rest = ask(limit, items.len()).await?;
            if rest.iter().any(|new| items.iter().any(|old| old.get() == new.get())) {
                // It does not know how to go on.
                let raised = ask(RAISED, 0).await?;
                if raised.len() > limit && raised.len() < RAISED {
                    return Ok(raised);
                }
                return Err(truncated(format!(
                    "GET {path} answered {} for limit={limit}, as many for limit={RAISED}, and the same from offset={}: it may have more than it tells",
                    items.len(),
                    items.len()
                )));
            }
            last = rest.len();
            items.extend(rest);
        }
        Ok(items)
    }
}

fn truncated(detail: String) -> Missing {
    Missing {
        reason: UnknownReason::Truncated,
        detail,
    }
}
