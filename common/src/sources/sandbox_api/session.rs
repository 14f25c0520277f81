//! The session: a login token is traded for an access token that lasts an hour, renewed before it ends and when it is refused.

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

use super::wire::RawLogin;
use crate::clock::Clock;
use crate::sources::http::{Client, ClientSettings, Page, Token};
use crate::sources::{Collected, Missing, Run};
use crate::unknown::UnknownReason;

/// An access token is renewed so long before it ends: longer than one request may take.
const BEFORE_END: TimeDelta = TimeDelta::minutes(2);

/// A session that is open.
#[derive(Debug)]
pub(super) struct Session {
    /// Sends the login token, and only to the login.
    login: Client,
    /// Sends the access token.
    api: Client,
    access: Mutex<Access>,
    clock: Clock,
}

/// Which access token is in use.
#[derive(Debug)]
struct Access {
    /// Counts logins: a token that was refused is renewed once, however many requests it was refused to.
    number: u32,
    expires_at: Option<DateTime<Utc>>,
}

impl Session {
    /// Logs in.
    ///
    /// # Errors
    /// There is no login token, or it is not taken.
    pub(super) async fn start(settings: &ClientSettings, token: Option<Token>, run: &Run) -> Result<Self, Missing> {
        let Some(token) = token else {
            return Err(Missing {
                reason: UnknownReason::Unauthorized,
                detail: "it wants a login token: set STARGATE_SANDBOX_API_LOGIN_TOKEN_FILE".into(),
            });
        };
        let of = |token| ClientSettings {
            token: Some(token),
            ..settings.clone()
        };
        let login = Client::new(&of(token), run)?;
        let (access, expires_at) = log_in(&login).await?;
        Ok(Self {
            api: Client::new(&of(Token::Value(access)), run)?,
            login,
            access: Mutex::new(Access { number: 1, expires_at }),
            clock: run.clock.clone(),
        })
    }

    /// Asks for JSON.
    ///
    /// # Errors
    /// What came back instead.
    pub(super) async fn json<T: DeserializeOwned>(&self, path: &str) -> Result<T, Missing> {
        let number = self.fresh().await?;
        let answer = self.api.get_json(path, &[]).await;
        if self.renewed(number, &answer).await? {
            return self.api.get_json(path, &[]).await;
        }
        answer
    }

    /// Asks for text.
    ///
    /// # Errors
    /// What came back instead.
    pub(super) async fn text(&self, path: &str) -> Result<String, Missing> {
        let number = self.fresh().await?;
        let answer = self.api.get_text(path, &[]).await;
        if self.renewed(number, &answer).await? {
            return self.api.get_text(path, &[]).await;
        }
        answer
    }

    /// Asks for a list. It comes whole: nothing of this API that the role may read has pages.
    ///
    /// # Errors
    /// What came back instead.
    pub(super) async fn list(&self, path: &str) -> Result<Page, Missing> {
        let number = self.fresh().await?;
        let answer = self.api.get_list(path, &[], &["accounts", "items"]).await;
        if self.renewed(number, &answer).await? {
            return self.api.get_list(path, &[], &["accounts", "items"]).await;
        }
        answer
    }

    /// Renews the token when it is about to end. The answer is its number.
    async fn fresh(&self) -> Result<u32, Missing> {
        let mut access = self.access.lock().await;
        let soon = self.clock.now() + BEFORE_END;
        if access.expires_at.is_some_and(|expires_at| expires_at <= soon) {
            self.replace(&mut access).await?;
        }
        Ok(access.number)
    }

    /// Renews the token of that number when it was refused, unless somebody has. True: ask again.
    async fn renewed<T>(&self, number: u32, answer: &Result<T, Missing>) -> Result<bool, Missing> {
        if !matches!(answer, Err(missing) if missing.reason == UnknownReason::Unauthorized) {
            return Ok(false);
        }
        let mut access = self.access.lock().await;
        if access.number == number {
            self.replace(&mut access).await?;
        }
        Ok(true)
    }

    async fn replace(&self, access: &mut Access) -> Result<(), Missing> {
        let (token, expires_at) = log_in(&self.login).await?;
        self.api.set_token(token);
        access.number += 1;
        // An end that has passed already is that of a wrong clock, theirs or ours: asking would never stop.
        access.expires_at = expires_at.filter(|expires_at| *expires_at > self.clock.now() + BEFORE_END);
        Ok(())
    }

    /// Adds what its requests cost, and what was seen with them.
    pub(super) fn add_to(&self, collected: &mut Collected) {
        for client in [&self.login, &self.api] {
            let (requests, bytes) = client.tally();
            collected.requests += requests;
            collected.bytes += bytes;
            collected.retry_at = collected.retry_at.max(client.retry_at());
            for problem in client.problems() {
                if !collected
                    .problems
                    .iter()
                    .any(|known| known.subject == problem.subject && known.detail == problem.detail)
                {
                    collected.problems.push(problem);
                }
            }
        }
    }
}

/// Trades the login token for an access token.
async fn log_in(login: &Client) -> Result<(SecretString, Option<DateTime<Utc>>), Missing> {
    let answer: RawLogin = login.get_json("login", &[]).await?;
    let token = answer
        .access_token
        .filter(|token| !token.trim().is_empty())
        .ok_or_else(|| Missing {
            reason: UnknownReason::ParseError,
            detail: "GET /api/v1/login answered no access_token; has its version changed?".into(),
        })?;
    let expires_at = answer.access_token_exp.as_deref().and_then(|text| text.parse().ok());
    Ok((SecretString::from(token), expires_at))
}
