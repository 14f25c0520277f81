//! What a request that changes something must show besides who sent it: that its sender meant it. A page of another site can make a
//! browser send a form with the reader's cookie; it cannot make it send JSON, and cannot hide where it stands.
//!
//! The layer stands before every operation, so that one that changes something cannot forget it.

use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::identity::{Identity, Via};
use crate::problem::ApiError;

/// Why a request that would change something is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    /// It comes from another site, or does not say from where.
    #[error("a request that changes something must come from the dashboard's own pages, or from a program with an API key")]
    Origin,
    /// Its body is not JSON.
    #[error("a request that changes something has a body of application/json")]
    ContentType,
}

impl Doubt {
    /// The HTTP status.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Origin => StatusCode::FORBIDDEN,
            Self::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        }
    }
}

/// Whether a request that would change something was meant by who sent it. `browser`: who asks is recognized by what a browser adds by itself.
///
/// # Errors
/// There is a doubt.
pub fn meant(method: &Method, headers: &HeaderMap, browser: bool) -> Result<(), Doubt> {
    if method.is_safe() {
        return Ok(());
    }
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let origins = headers.get_all(header::ORIGIN).iter().count();
    let site = text(header::HeaderName::from_static("sec-fetch-site"));
    if site.is_some_and(|site| !matches!(site, "same-origin" | "none")) || origins > 1 {
        return Err(Doubt::Origin);
    }
    match (text(header::ORIGIN), text(header::HOST)) {
        (Some(origin), Some(host)) if same(origin, host) => {}
        (None, _) if origins == 0 && !browser => {}
        _ => return Err(Doubt::Origin),
    }
    let kind = text(header::CONTENT_TYPE).unwrap_or_default();
    let media = kind.split(';').next().unwrap_or_default().trim();
    if media.eq_ignore_ascii_case("application/json") {
        Ok(())
    } else {
        Err(Doubt::ContentType)
    }
}

/// Whether an origin is that of the host the request was sent to.
fn same(origin: &str, host: &str) -> bool {
    let Ok(origin) = origin.parse::<Uri>() else {
        return false;
    };
    let Some(authority) = origin.authority() else {
        return false;
    };
    matches!(origin.scheme_str(), Some("http" | "https")) && authority.as_str().eq_ignore_ascii_case(host)
}

/// The layer: inside of the guard, which says who asks.
pub async fn only_meant(request: Request, next: Next) -> Response {
    let browser = request
        .extensions()
        .get::<Identity>()
        .is_none_or(|identity| identity.via != Via::Key);
    match meant(request.method(), request.headers(), browser) {
        Ok(()) => next.run(request).await,
        Err(doubt) => ApiError::Doubtful(doubt).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn ask(headers: &[(&'static str, &'static str)], browser: bool) -> Result<(), Doubt> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        meant(&Method::POST, &map, browser)
    }

    const HOST: (&str, &str) = ("host", "stargate.example.com");
    const JSON: (&str, &str) = ("content-type", "application/json; charset=utf-8");

    #[test]
    fn a_write_of_our_own_page_is_meant() {
        let origin = ("origin", "https://stargate.example.com");
        assert_eq!(ask(&[HOST, JSON, origin, ("sec-fetch-site", "same-origin")], true), Ok(()));
        assert_eq!(ask(&[HOST, JSON, origin], true), Ok(()));
        assert_eq!(ask(&[HOST, JSON], false), Ok(()), "a program has a key and no origin");
        assert_eq!(meant(&Method::GET, &HeaderMap::new(), true), Ok(()), "reading changes nothing");
    }

    #[test]
    fn a_write_of_another_page_is_not() {
        for (headers, why) in [
            (vec![HOST, JSON], "a browser says where it stands"),
            (vec![HOST, JSON, ("origin", "null")], "a sandboxed frame"),
            (vec![HOST, JSON, ("origin", "https://evil.example.com")], "another site"),
            (
                vec![HOST, JSON, ("origin", "https://stargate.example.com.evil.com")],
                "a host that begins alike",
            ),
            (vec![HOST, JSON, ("origin", "file://stargate.example.com")], "no web page"),
            (
                vec![
                    HOST,
                    JSON,
                    ("origin", "https://stargate.example.com"),
                    ("origin", "https://evil.example.com"),
                ],
                "two origins",
            ),
            (
                vec![
                    HOST,
                    JSON,
                    ("origin", "https://stargate.example.com"),
                    ("sec-fetch-site", "cross-site"),
                ],
                "the browser says so itself",
            ),
            (vec![JSON, ("origin", "https://stargate.example.com")], "no host to compare with"),
        ] {
            assert_eq!(ask(&headers, true), Err(Doubt::Origin), "{why}");
        }
        assert_eq!(
            ask(&[HOST, JSON, ("origin", "https://evil.example.com")], false),
            Err(Doubt::Origin)
        );
    }

    #[test]
    fn a_form_is_no_write() {
        let origin = ("origin", "https://stargate.example.com");
        for kind in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp"] {
            assert_eq!(
                ask(&[HOST, origin, ("content-type", kind)], true),
                Err(Doubt::ContentType),
                "{kind}"
            );
        }
        assert_eq!(ask(&[HOST, origin], true), Err(Doubt::ContentType));
    }
}
