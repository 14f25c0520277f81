//! The query API as the command line reads it.

use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use serde_json::Value;

/// Where the API is, and how much to ask for.
#[derive(Debug, Args)]
pub struct Server {
    /// Address of the query function
    #[arg(long, env = "STARGATE_URL", default_value = "http://127.0.0.1:8090", value_name = "URL")]
    server: Url,
    /// What proves who asks.
    #[arg(skip)]
    key: Option<HeaderValue>,
}

/// How many rows one request asks for; the API's own maximum.
const PAGE: usize = 200;

impl Server {
    /// The API at an address, with a key if it wants one. The key is never shown.
    ///
    /// # Errors
    /// The address is none, or the key has characters that no header may have.
    pub fn at(address: &str, key: Option<&str>) -> anyhow::Result<Self> {
        let server: Url = address.parse().with_context(|| format!("--api {address} is not an address"))?;
        if !matches!(server.scheme(), "http" | "https") {
            bail!("--api {address} is not an http address");
        }
        let bearer = |key: &str| {
            let mut header =
                HeaderValue::from_str(&format!("Bearer {}", key.trim())).context("the API key has characters that no key has")?;
            header.set_sensitive(true);
            Ok::<_, anyhow::Error>(header)
        };
        Ok(Self {
            server,
            key: key.map(bearer).transpose()?,
        })
    }

    /// One object.
    ///
    /// # Errors
    /// When the API cannot be reached, or says no: the problem's own words.
    pub fn get(&self, path: &str, query: &[(&str, String)]) -> anyhow::Result<Value> {
        runtime()?.block_on(self.fetch(&client()?, path, query))
    }

    /// All rows of a list, page by page, up to `limit` when there is one.
    ///
    /// # Errors
    /// As [`Server::get`].
    pub fn list(&self, path: &str, query: &[(&str, String)], limit: Option<usize>) -> anyhow::Result<Vec<Value>> {
        Ok(self.list_with_meta(path, query, limit)?.0)
    }

    /// As [`Server::list`], with what the last page says its answer rests on.
    ///
    /// # Errors
    /// As [`Server::get`].
    pub fn list_with_meta(&self, path: &str, query: &[(&str, String)], limit: Option<usize>) -> anyhow::Result<(Vec<Value>, Value)> {
        runtime()?.block_on(async {
            let client = client()?;
            let mut rows = Vec::new();
            let mut cursor: Option<String> = None;
            loop {
                let wanted = limit.map_or(PAGE, |limit| PAGE.min(limit - rows.len()));
                let mut query = query.to_vec();
                query.push(("limit", wanted.to_string()));
                query.extend(cursor.take().map(|cursor| ("cursor", cursor)));
                let mut page = self.fetch(&client, path, &query).await?;
                if let Some(Value::Array(data)) = page.get_mut("data").map(Value::take) {
                    rows.extend(data);
                }
                cursor = page.pointer("/page/next_cursor").and_then(Value::as_str).map(str::to_owned);
                if cursor.is_none() || limit.is_some_and(|limit| rows.len() >= limit) {
                    return Ok((rows, page["meta"].take()));
                }
            }
        })
    }

    async fn fetch(&self, client: &reqwest::Client, path: &str, query: &[(&str, String)]) -> anyhow::Result<Value> {
        let mut url = self.server.clone();
        url.path_segments_mut()
            .map_err(|()| anyhow::anyhow!("--server {} is not an http address", self.server))?
            .pop_if_empty()
            .extend(["api", "v1"].into_iter().chain(path.split('/')));
        url.query_pairs_mut().extend_pairs(query);
        let mut request = client.get(url);
        if let Some(key) = &self.key {
            request = request.header(AUTHORIZATION, key.clone());
        }
        let response = request.send().await.with_context(|| {
            format!(
                "asking {}: is `stargate up` running there? Set --server or STARGATE_URL otherwise",
                self.server
            )
        })?;
        let status = response.status();
        let body: Value = response
            .json()
            .await
            .with_context(|| format!("{} answered {status} with something that is not JSON", self.server))?;
        if status.is_success() {
            return Ok(body);
        }
        let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let details: Vec<String> = body
            .get("errors")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|error| error.get("detail").and_then(Value::as_str).map(str::to_owned))
            .collect();
        let said = if details.is_empty() { text("/detail") } else { details.join("; ") };
        bail!("{} ({status}): {said}", text("/title"))
    }
}

fn client() -> anyhow::Result<reqwest::Client> {
    Ok(reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(5))
        .timeout(Duration::from_secs(30))
        .build()?)
}

/// A runtime for one command; commands that only read need no more.
///
/// # Errors
/// When the system refuses to start it.
pub fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}
