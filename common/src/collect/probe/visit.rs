//! One visit: the requests that a target is asked, and what they say.

use std::error::Error;
use std::io;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, LOCATION};
use reqwest::redirect::Policy;
use reqwest::tls::TlsInfo;
use reqwest::{Client, Response, Url};
use tokio::time::{Instant, sleep, timeout_at};

use super::guard::{Guard, Refused};
use super::{Target, Tls, certificate, kinds, showroom};
use crate::clock::Clock;
use crate::objects::network::{Certificate, Content, ProbeFailure};
use crate::objects::{Probe, ProbeKind};
use crate::unknown::UnknownReason;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long one request may take in all.
const TOTAL: Duration = Duration::from_secs(10);
/// How many bytes of a page are read.
const BODY: usize = 256 << 10;
/// Redirects that are followed, on the same host.
const REDIRECTS: usize = 3;
/// How long to wait before the one more try that a target without an answer gets.
const PAUSE: Duration = Duration::from_secs(1);
/// How much of an error is told.
const TELLING: usize = 200;

pub(super) struct Visitor {
    guard: Guard,
    readiness_path: String,
    /// Verifies certificates.
    strict: Client,
    /// Does not: only to learn whether something answers behind a certificate that was found wanting.
    lenient: Client,
}

/// What one question came to.
#[derive(Debug, Default)]
struct Fetched {
    status: Option<u16>,
    failure: Option<ProbeFailure>,
    duration_ms: Option<u32>,
    content_type: String,
    body: Vec<u8>,
    /// Another host that the answer sends the learner to.
    elsewhere: Option<String>,
    certificate: Option<Certificate>,
}

/// Why there was no answer.
#[derive(Debug)]
enum Silence {
    /// The certificate does not verify.
    Certificate(String),
    /// The host may not be asked.
    Refused,
    /// Something is there that does not speak HTTP.
    NotHttp,
    /// Something is there and says nothing.
    Mute,
    /// Nothing is there, or it does not answer in time.
    Down(String),
}

impl Visitor {
    pub(super) fn new(guard: Guard, readiness_path: &str) -> Result<Self, reqwest::Error> {
        let client = |strict: bool| {
            Client::builder()
                .user_agent(concat!("stargate/", env!("CARGO_PKG_VERSION"), " (probe)"))
                .connect_timeout(CONNECT)
                .timeout(TOTAL)
                .redirect(Policy::none())
                // A proxy would resolve the host for us, and not ask whether it may be asked.
                .no_proxy()
                .dns_resolver(guard.clone())
                .tls_info(true)
                .tls_danger_accept_invalid_certs(!strict)
                .build()
        };
        Ok(Self {
            readiness_path: readiness_path.to_owned(),
            strict: client(true)?,
            lenient: client(false)?,
            guard,
        })
    }

    /// Asks the target everything that there is to ask.
    pub(super) async fn visit(&self, target: &Target, clock: &Clock, deadline: Instant) -> Vec<Probe> {
        let at = clock.now();
        let probe = |kind: ProbeKind, fetched: &Fetched| Probe {
            kind,
            target: target.name.clone(),
            at,
            status: fetched.status,
            duration_ms: fetched.duration_ms,
            failure: fetched.failure.clone(),
            fallback: false,
            content: None,
            certificate: None,
        };
        let mut main = self.ask(target, &target.path, deadline).await;
        if matches!(main.failure, Some(ProbeFailure::Unreachable(_))) && Instant::now() + PAUSE < deadline {
            sleep(PAUSE).await;
            main = self.ask(target, &target.path, deadline).await;
        }
        let mut probes = vec![Probe {
            certificate: main.certificate.clone(),
            ..probe(ProbeKind::Route, &main)
        }];
        if !target.showroom {
            return probes;
        }
        let answered = main.status.is_some();
        let readiness = if answered {
            self.ask(target, &self.readiness_path, deadline).await
        } else {
            Fetched::default()
        };
        let fallback = !showroom::is_readiness(&readiness.body);
        let content = self.content(target, &main, deadline).await;
        for &kind in kinds(target) {
            match kind {
                ProbeKind::ShowroomReadiness => probes.push(Probe {
                    fallback: fallback && answered,
                    ..probe(kind, if fallback { &main } else { &readiness })
                }),
                ProbeKind::ShowroomContent => probes.push(Probe {
                    content,
                    ..probe(kind, &main)
                }),
                ProbeKind::Route | ProbeKind::Inference => {}
            }
        }
        probes
    }

    /// What the showroom shows: where it says where its instructions are, these; else its main page.
    async fn content(&self, target: &Target, main: &Fetched, deadline: Instant) -> Option<Content> {
        if main.elsewhere.is_some() {
            return Some(Content::Login);
        }
        match main.status? {
            200 => {}
            401 | 403 => return Some(Content::Login),
            _ => return None,
        }
        let own = showroom::page(&main.content_type, &main.body);
        if own == Content::Login {
            return Some(own);
        }
        let base = target.path.trim_end_matches('/');
        for file in showroom::CONFIGS {
            let config = self.ask(target, &format!("{base}/{file}"), deadline).await;
            if config.status != Some(200) {
                continue;
            }
            if let Some(path) = showroom::first_page(file, &config.content_type, &config.body) {
                let page = self.ask(target, &format!("{base}{path}"), deadline).await;
                return match page.status {
                    Some(200) => Some(showroom::page(&page.content_type, &page.body)),
                    // It went away while we asked: the main page stands, and what it is nobody knows.
                    None => None,
                    Some(_) => Some(Content::Missing),
                };
            }
        }
        Some(own)
    }

    /// Asks for one path and follows it on the same host.
    async fn ask(&self, target: &Target, path: &str, deadline: Instant) -> Fetched {
        let plain = target.tls == Tls::None || self.guard.overridden(&target.host).is_some();
        let scheme = if plain { "http" } else { "https" };
        let Some(mut url) = Url::parse(&format!("{scheme}://{}{path}", target.host)).ok().filter(is_named) else {
            let detail = format!("`{}` is not a host name", target.host);
            return Fetched {
                failure: Some(ProbeFailure::Unreachable(detail)),
                ..Fetched::default()
            };
        };
        let begun = Instant::now();
        // The client's own deadline is a little earlier: it can tell whether there was a connection.
        let deadline = deadline.min(begun + TOTAL + PAUSE);
        let overridden = self.guard.overridden(&target.host).is_some();
        let mut fetched = Fetched::default();
        for _ in 0..=REDIRECTS {
            let response = match self.send(&url, deadline, &mut fetched).await {
                Ok(response) => response,
                Err(silence) => {
                    fetched.failure = Some(failure(silence, target.tls));
                    return fetched;
                }
            };
            fetched.status = Some(response.status().as_u16());
            fetched.duration_ms = Some(u32::try_from(begun.elapsed().as_millis()).unwrap_or(u32::MAX));
            let location = response
                .headers()
                .get(LOCATION)
                .filter(|_| response.status().is_redirection())
                .and_then(|location| location.to_str().ok());
            match location.map(|location| follow(&url, location)) {
                Some(Step::Here(next)) => {
                    url = next;
                    if overridden {
                        // What stands in for the router speaks no TLS; this cannot fail between the two.
                        let _ = url.set_scheme("http");
                    }
                }
                Some(Step::Elsewhere(host)) => {
                    fetched.elsewhere = Some(host);
                    return fetched;
                }
                None => {
                    read(response, deadline, &mut fetched).await;
                    return fetched;
                }
            }
        }
        fetched
    }

    async fn send(&self, url: &Url, deadline: Instant, fetched: &mut Fetched) -> Result<Response, Silence> {
        let send = async |client: &Client| match timeout_at(deadline, client.get(url.clone()).send()).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(silence(error)),
            Err(_) => Err(Silence::Down("no answer in time".to_owned())),
        };
        let (answer, trouble) = match send(&self.strict).await {
            Err(Silence::Certificate(detail)) => (send(&self.lenient).await, detail),
            answer => (answer, String::new()),
        };
        if let Ok(response) = &answer
            && let Some(shown) = response.extensions().get::<TlsInfo>().and_then(TlsInfo::peer_certificate)
        {
            fetched.certificate.get_or_insert(Certificate {
                valid: trouble.is_empty(),
                not_after: certificate::not_after(shown),
                detail: trouble,
            });
        } else if !trouble.is_empty() {
            fetched.certificate.get_or_insert(Certificate {
                valid: false,
                not_after: None,
                detail: trouble,
            });
        }
        answer
    }
}

/// A host name, not an address: routes are served by name, and an address would pass by the guard.
fn is_named(url: &Url) -> bool {
    url.domain().is_some()
}

/// Where a redirect leads.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// To this URL on the same host.
    Here(Url),
    /// To another host, or somewhere that is none.
    Elsewhere(String),
}

fn follow(from: &Url, location: &str) -> Step {
    let Ok(to) = from.join(location) else {
        return Step::Elsewhere(String::new());
    };
    let usual_port = to.port().is_none() || to.port() == from.port();
    if matches!(to.scheme(), "http" | "https") && to.host() == from.host() && usual_port {
        Step::Here(to)
    } else {
        Step::Elsewhere(to.host_str().unwrap_or_default().to_owned())
    }
}

async fn read(mut response: Response, deadline: Instant, fetched: &mut Fetched) {
    let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    fetched.content_type = content_type.unwrap_or_default().to_ascii_lowercase();
    // A body that stalls or breaks is judged by what came of it.
    while let Ok(Ok(Some(chunk))) = timeout_at(deadline, response.chunk()).await {
        let room = BODY - fetched.body.len();
        fetched.body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if fetched.body.len() >= BODY {
            break;
        }
    }
}

/// What reqwest's error says of the target.
fn silence(error: reqwest::Error) -> Silence {
    let error = error.without_url();
    let causes = causes(&error);
    for cause in &causes {
        if cause.is::<Refused>() {
            return Silence::Refused;
        }
        if let Some(rustls::Error::InvalidCertificate(detail)) = cause.downcast_ref::<rustls::Error>() {
            return Silence::Certificate(short(&in_words(detail)));
        }
    }
    match (error.is_connect(), error.is_timeout()) {
        (true, true) => Silence::Down("no connection in time".to_owned()),
        // Connecting, with TLS, has half the time of a request: what is late now was connected.
        (false, true) => Silence::Mute,
        (false, false) if error.is_request() => Silence::NotHttp,
        // The last cause is the one that names the trouble: "Connection refused", "failed to lookup address".
        _ => Silence::Down(short(&causes.last().map_or_else(String::new, ToString::to_string))),
    }
}

/// What is wrong with a certificate, in the words of people.
fn in_words(error: &rustls::CertificateError) -> String {
    use rustls::CertificateError as Wrong;
    match error {
        Wrong::Expired | Wrong::ExpiredContext { .. } => "expired".to_owned(),
        Wrong::NotValidYet | Wrong::NotValidYetContext { .. } => "not valid yet".to_owned(),
        Wrong::NotValidForName | Wrong::NotValidForNameContext { .. } => "made out to another host".to_owned(),
        Wrong::UnknownIssuer => "signed by an authority that is not trusted".to_owned(),
        Wrong::Other(_) => "signed by itself, or not a certificate for a server".to_owned(),
        other => other.to_string(),
    }
}

/// An error and everything that led to it. An `io::Error` around another error passes over it when asked for its source.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> Vec<&'a (dyn Error + 'static)> {
    let mut causes = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        causes.push(error);
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = wrapped.map(|wrapped| wrapped as &(dyn Error + 'static)).or_else(|| error.source());
    }
    causes
}

fn short(text: &str) -> String {
    text.chars().take(TELLING).collect()
}

fn failure(silence: Silence, tls: Tls) -> ProbeFailure {
    match (silence, tls) {
        (Silence::Refused, _) => ProbeFailure::NotProbed(UnknownReason::NotProbed),
        (Silence::NotHttp | Silence::Mute, Tls::Passthrough) => ProbeFailure::NotHttp,
        (Silence::Mute, _) => ProbeFailure::Unreachable("no answer in time".to_owned()),
        (Silence::NotHttp, _) => ProbeFailure::Unreachable("the connection was closed, or what answers does not speak HTTP".to_owned()),
        (Silence::Certificate(detail), _) => ProbeFailure::Unreachable(format!("TLS: {detail}")),
        (Silence::Down(detail), _) => ProbeFailure::Unreachable(detail),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_are_followed_on_the_same_host_only() {
        let from = Url::parse("http://lab.example/a/").unwrap();
        let here = |url: &str| Step::Here(Url::parse(url).unwrap());
        for (location, expected) in [
            ("b", here("http://lab.example/a/b")),
            ("/", here("http://lab.example/")),
            ("https://lab.example/", here("https://lab.example/")),
            ("https://sso.example/login", Step::Elsewhere("sso.example".to_owned())),
            ("http://lab.example:8443/", Step::Elsewhere("lab.example".to_owned())),
            ("file:///etc/passwd", Step::Elsewhere(String::new())),
        ] {
            assert_eq!(follow(&from, location), expected, "{location}");
        }
    }
}
