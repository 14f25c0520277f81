//! How often somebody may ask, and how many streams he may have open: counted in this process, for each identity.
//!
//! Several copies of the function each count for themselves, so the fleet-wide bound is that of one copy times the copies.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::guard::Refusal;

/// Requests that may come at once: what a page with its lists and details needs, several times.
const BURST: u32 = 3;

/// Streams one identity may have open: an operator's windows, and the screen on the wall.
pub const STREAMS: u32 = 10;

/// After how many seconds a place for a stream is asked for again.
const STREAM_RETRY_S: u32 = 15;

/// More identities than this are swept: those that have not asked lately are forgotten.
const REMEMBERED: usize = 10_000;

#[derive(Debug)]
struct Account {
    /// When all that was asked so far is paid for at the steady rate.
    paid_at: Instant,
    streams: u32,
}

/// The accounts of everybody.
#[derive(Debug, Clone)]
pub struct Limits {
    /// One request at the steady rate.
    each: Duration,
    accounts: Arc<Mutex<HashMap<String, Account>>>,
}

impl Limits {
    /// Limits of so many requests a second; bursts of `BURST` seconds' worth.
    #[must_use]
    pub fn new(per_second: u32) -> Self {
        Self {
            each: Duration::from_secs(1) / per_second.max(1),
            accounts: Arc::default(),
        }
    }

    fn accounts(&self) -> MutexGuard<'_, HashMap<String, Account>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request.
    ///
    /// # Errors
    /// Too many.
    pub fn count(&self, who: &str) -> Result<(), Refusal> {
        let now = Instant::now();
        let ahead = Duration::from_secs(BURST.into()).saturating_sub(self.each);
        let mut accounts = self.accounts();
        if accounts.len() > REMEMBERED {
            accounts.retain(|_, account| account.paid_at > now || account.streams > 0);
        }
        let account = accounts.entry(who.to_owned()).or_insert(Account { paid_at: now, streams: 0 });
        let debt = account.paid_at.saturating_duration_since(now);
        if debt > ahead {
            let wait = (debt - ahead).as_secs_f64().ceil();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most a few seconds")]
            return Err(Refusal::TooOften { retry_s: wait as u32 });
        }
        account.paid_at = now + debt + self.each;
        Ok(())
    }

    /// A place for a stream, until it is dropped.
    ///
    /// # Errors
    /// All are taken.
    pub fn stream(&self, who: &str) -> Result<Place, Refusal> {
        let mut accounts = self.accounts();
        let account = accounts.entry(who.to_owned()).or_insert(Account {
            paid_at: Instant::now(),
            streams: 0,
        });
        if account.streams >= STREAMS {
            return Err(Refusal::TooManyStreams { retry_s: STREAM_RETRY_S });
        }
        account.streams += 1;
        drop(accounts);
        Ok(Place {
            who: who.to_owned(),
            limits: self.clone(),
        })
    }
}

/// A stream that is counted.
#[derive(Debug)]
pub struct Place {
    who: String,
    limits: Limits,
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(account) = self.limits.accounts().get_mut(&self.who) {
            account.streams = account.streams.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_let_through_and_then_the_steady_rate() {
        let limits = Limits::new(20);
        let mut let_through = 0;
        while limits.count("alice").is_ok() {
            let_through += 1;
        }
        assert_eq!(let_through, 60);
        assert_eq!(limits.count("alice"), Err(Refusal::TooOften { retry_s: 1 }));
        limits.count("bob").unwrap();
        tokio::time::advance(Duration::from_millis(50)).await;
        limits.count("alice").unwrap();
        limits.count("alice").unwrap_err();
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(
            (0..100).filter(|_| limits.count("alice").is_ok()).count(),
            60,
            "no more is saved up than a burst"
        );
    }

    #[tokio::test]
    async fn a_stream_that_ends_makes_room() {
        let limits = Limits::new(20);
        let mut places: Vec<Place> = (0..STREAMS).map(|_| limits.stream("alice").unwrap()).collect();
        assert!(matches!(limits.stream("alice"), Err(Refusal::TooManyStreams { .. })));
        limits.stream("bob").unwrap();
        places.pop();
        limits.stream("alice").unwrap();
    }
}
