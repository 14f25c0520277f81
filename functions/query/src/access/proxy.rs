//! Identities from forwarded headers. A header is only text: it counts when the request shows what the proxy alone knows.
//!
//! OpenShift's oauth-proxy sets `X-Forwarded-User` and nothing else that
//! could be relied on: it lets a client's own `X-Forwarded-Groups` through. So groups are read only from a proxy that writes them.

use std::collections::BTreeSet;

use axum::http::{HeaderMap, HeaderName, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::ValueEnum;

use super::guard::Refusal;
use super::identity::{Identity, Via};
use super::keys::Hashed;
use super::people::People;

/// Carries the secret that proves a request came through the proxy, where the proxy can add a header of its own.
pub static PROOF: HeaderName = HeaderName::from_static("x-stargate-proxy-secret");
static USER: HeaderName = HeaderName::from_static("x-forwarded-user");
static EMAIL: HeaderName = HeaderName::from_static("x-forwarded-email");
static GROUPS: HeaderName = HeaderName::from_static("x-forwarded-groups");
static PREFERRED: HeaderName = HeaderName::from_static("x-forwarded-preferred-username");

/// The longest name or list of groups that is read, in bytes.
const LONGEST: (usize, usize) = (256, 16 * 1024);

/// Which proxy stands before this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProxyKind {
    /// OpenShift's oauth-proxy: tells the user, no groups.
    Openshift,
    /// oauth2-proxy 7: tells user, mail address, preferred name and groups, and removes a client's own.
    Oauth2Proxy,
}

/// The proxy that signs people in.
#[derive(Debug, Clone)]
pub struct Proxy {
    /// What only it knows.
    pub secret: Hashed,
    /// What it sends.
    pub kind: ProxyKind,
}

/// Whether a request claims to be somebody by forwarded headers.
#[must_use]
pub fn claims(headers: &HeaderMap) -> bool {
    [&USER, &EMAIL, &GROUPS, &PREFERRED]
        .into_iter()
        .any(|name| headers.contains_key(name))
}

impl Proxy {
    /// Where the proxy signs somebody out.
    #[must_use]
    pub const fn sign_out(&self) -> &'static str {
        match self.kind {
            ProxyKind::Openshift => "/oauth/sign_out",
            ProxyKind::Oauth2Proxy => "/oauth2/sign_out",
        }
    }

    /// Who asks, when the request came through the proxy.
    ///
    /// # Errors
    /// It did not, or the headers are not what a proxy writes.
    pub fn identify(&self, headers: &HeaderMap, people: &People) -> Result<Identity, Refusal> {
        if !self.proven(headers) {
            return Err(Refusal::Unproven);
        }
        let user = one(headers, &USER, LONGEST.0)?.ok_or(Refusal::Headers("X-Forwarded-User is missing"))?;
        if user.is_empty() {
            return Err(Refusal::Headers("X-Forwarded-User is empty"));
        }
        let (mut groups, mut name) = (BTreeSet::new(), None);
        if self.kind == ProxyKind::Oauth2Proxy {
            let list = one(headers, &GROUPS, LONGEST.1)?.unwrap_or_default();
            groups = list
                .split(',')
                .map(str::trim)
                .filter(|group| !group.is_empty())
                .map(str::to_owned)
                .collect();
            // Names that their owner may change are for people to read; rights hang on the user alone.
            name = one(headers, &PREFERRED, LONGEST.0)?.filter(|name| !name.is_empty());
        }
        let (roles, scope) = people.of(&user, &groups);
        Ok(Identity {
            display_name: name.unwrap_or_else(|| user.clone()),
            subject: user,
            roles,
            scope,
            via: Via::Proxy,
        })
    }

    /// Whether the request shows the secret: in its own header, or as the password of the basic authentication that both proxies can
    /// pass on. One place that is wrong is not mended by another that is right.
    fn proven(&self, headers: &HeaderMap) -> bool {
        let is_it = |secret: &[u8]| bool::from(self.secret.is(&Hashed::of(secret)));
        let mut shown = headers.get_all(&PROOF).iter();
        match (shown.next(), shown.next()) {
            (Some(secret), None) => is_it(secret.as_bytes()),
            (Some(_), Some(_)) => false,
            (None, _) => basic_password(headers).is_some_and(|password| is_it(&password)),
        }
    }
}

fn basic_password(headers: &HeaderMap) -> Option<Vec<u8>> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (given.next(), given.next()) else {
        return None;
    };
    let (scheme, encoded) = value.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let plain = STANDARD.decode(encoded.trim()).ok()?;
    let colon = plain.iter().position(|&byte| byte == b':')?;
    plain.get(colon + 1..).map(<[u8]>::to_vec)
}

/// The one value of a header; none when it is not there.
fn one(headers: &HeaderMap, name: &HeaderName, longest: usize) -> Result<Option<String>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Refusal::Headers("a forwarded header is there twice"));
    }
    if value.len() > longest {
        return Err(Refusal::Headers("a forwarded header is longer than any name or list of groups"));
    }
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) if !text.chars().any(char::is_control) => Ok(Some(text.trim().to_owned())),
        _ => Err(Refusal::Headers("a forwarded header holds what no name holds")),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;
    use crate::access::Role;

    const SECRET: &str = "what only the proxy knows";

    fn people() -> People {
        People::parse("groups: [{group: leads, role: team_lead, labs: [LB1]}]\nusers: [{user: alice, role: operator}]").unwrap()
    }

    fn ask(kind: ProxyKind, headers: &[(&HeaderName, &str)]) -> Result<Identity, Refusal> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let proxy = Proxy {
            secret: Hashed::of(SECRET.as_bytes()),
            kind,
        };
        proxy.identify(&map, &people())
    }

    fn basic(text: &str) -> String {
        format!("Basic {}", STANDARD.encode(text))
    }

    #[test]
    fn a_user_without_the_proof_is_refused_however_he_asks() {
        let auth = header::AUTHORIZATION;
        for proof in [
            vec![],
            vec![(&PROOF, "wrong")],
            vec![(&PROOF, "")],
            vec![(&PROOF, SECRET), (&PROOF, SECRET)],
            vec![(&auth, "Basic !")],
            vec![(&auth, "Bearer what only the proxy knows")],
        ] {
            let headers: Vec<_> = proof.iter().copied().chain([(&USER, "alice")]).collect();
            assert_eq!(ask(ProxyKind::Openshift, &headers), Err(Refusal::Unproven), "{proof:?}");
        }
        let (wrong, right) = (basic("alice:wrong"), basic(&format!("alice:{SECRET}")));
        assert_eq!(
            ask(ProxyKind::Openshift, &[(&auth, &wrong), (&USER, "alice")]),
            Err(Refusal::Unproven)
        );
        let both = [(&PROOF, "wrong"), (&auth, right.as_str()), (&USER, "alice")];
        assert_eq!(ask(ProxyKind::Openshift, &both), Err(Refusal::Unproven));
    }

    #[test]
    fn either_proof_lets_the_user_in() {
        let password = basic(&format!("alice:{SECRET}"));
        for proof in [(&PROOF, SECRET), (&header::AUTHORIZATION, password.as_str())] {
            let alice = ask(ProxyKind::Openshift, &[proof, (&USER, "alice")]).unwrap();
            assert_eq!((alice.subject.as_str(), alice.may(Role::Operator)), ("alice", true));
        }
    }

    #[test]
    fn groups_count_only_from_a_proxy_that_writes_them() {
        let headers = [(&PROOF, SECRET), (&USER, "bob"), (&GROUPS, "other, leads"), (&PREFERRED, "alice")];
        let forged = ask(ProxyKind::Openshift, &headers).unwrap();
        assert_eq!((forged.roles.len(), forged.display_name.as_str()), (0, "bob"));
        let told = ask(ProxyKind::Oauth2Proxy, &headers).unwrap();
        assert_eq!((told.may(Role::TeamLead), told.scope.setting().as_str()), (true, r#"["LB1"]"#));
        assert_eq!((told.subject.as_str(), told.display_name.as_str()), ("bob", "alice"));
        assert!(!told.may(Role::Operator), "a preferred name gives no rights");
    }

    #[test]
    fn headers_that_no_proxy_writes_are_refused() {
        let huge = "g,".repeat(LONGEST.1);
        for headers in [
            vec![],
            vec![(&EMAIL, "alice@example.com")],
            vec![(&USER, "")],
            vec![(&USER, "alice"), (&USER, "bob")],
            vec![(&USER, "al\tice")],
            vec![(&USER, "alice"), (&GROUPS, huge.as_str())],
        ] {
            let headers: Vec<_> = std::iter::once((&PROOF, SECRET)).chain(headers).collect();
            let refused = ask(ProxyKind::Oauth2Proxy, &headers);
            assert!(matches!(refused, Err(Refusal::Headers(_))), "{refused:?}");
        }
        assert!(
            HeaderValue::from_bytes(b"alice\r\nx: y").is_err(),
            "a line break cannot even arrive"
        );
    }
}
