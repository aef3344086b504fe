//! Who may ask: for the public port, whoever calls it by a name it answers for; for the steps, the tables and the queues,
//! whoever knows the key of this start.
//!
//! All of them are on loopback, which keeps other machines out and the pages of a browser on this one not: a page may send
//! requests to any port, and one whose name is pointed at 127.0.0.1 (DNS rebinding) may read the answers.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use contracts::problem::Problem;
use http::uri::Authority;
use http::{HeaderMap, StatusCode, header};
use runtime::config;
use subtle::ConstantTimeEq;

/// Where the SDKs put the token of temporary credentials.
const SECURITY_TOKEN: &str = "x-amz-security-token";
/// The user's name in the address of a guarded server.
const USER: &str = "local";

/// What a caller of the steps, the tables and the queues must show: another one at each start.
#[derive(Clone)]
pub(crate) struct Key(Arc<str>);

impl Key {
    /// 244 random bits.
    pub fn random() -> Self {
        Self(format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple()).into())
    }

    /// The key in an address that [`Key::in_url`] gave; `None` in one without.
    pub fn of_url(url: &reqwest::Url) -> Option<Self> {
        url.password().map(|key| Self(key.into()))
    }

    /// The address of a guarded server with the key, as HTTP clients read it: `http://local:KEY@127.0.0.1:PORT`.
    pub fn in_url(&self, url: &str) -> String {
        url.replacen("http://", &format!("http://{USER}:{}@", self.0), 1)
    }

    /// Credentials by which the SDKs show it.
    pub fn credentials(&self) -> aws_credential_types::Credentials {
        aws_credential_types::Credentials::new("local", "local", Some(self.0.to_string()), None, "local")
    }

    /// Lets those through who show the key, and no page of a browser even then: programs send no `Origin`.
    pub fn guard(self, router: Router) -> Router {
        let guarded = move |request: Request, next: Next| {
            let allowed = !request.headers().contains_key(header::ORIGIN) && self.is_shown(request.headers());
            async move { if allowed { next.run(request).await } else { not_yours() } }
        };
        router.layer(from_fn(guarded))
    }

    fn is_shown(&self, headers: &HeaderMap) -> bool {
        let is = |shown: &[u8], expected: &str| bool::from(shown.ct_eq(expected.as_bytes()));
        let basic = format!("Basic {}", STANDARD.encode(format!("{USER}:{}", self.0)));
        headers.get(SECURITY_TOKEN).is_some_and(|token| is(token.as_bytes(), &self.0))
            || headers.get(header::AUTHORIZATION).is_some_and(|value| is(value.as_bytes(), &basic))
    }
}

fn not_yours() -> Response {
    let detail = "This port is for the process it belongs to.";
    Problem::new(StatusCode::FORBIDDEN, "forbidden", "Forbidden", detail).into_response()
}

/// The host names that the public port answers for: those of the loopback, and these.
#[derive(Debug, Clone, Default)]
pub struct Hosts {
    names: Arc<[String]>,
    any: bool,
}

impl Hosts {
    /// `ALLOWED_HOSTS`: names with commas in between; `*` is any.
    pub fn from_env() -> Self {
        Self::new(&config::optional("ALLOWED_HOSTS").unwrap_or_default())
    }

    /// Names with commas in between, besides those of the loopback; `*` is any.
    pub fn new(names: &str) -> Self {
        let names = names.split(',').map(|name| name.trim().to_ascii_lowercase()).filter(|name| !name.is_empty());
        let names: Arc<[String]> = names.collect();
        Self { any: names.iter().any(|name| name == "*"), names }
    }

    /// Answers requests to these hosts only.
    pub(crate) fn guard(self, router: Router) -> Router {
        let guarded = move |request: Request, next: Next| {
            let allowed = self.allow(&request);
            async move { if allowed { next.run(request).await } else { unknown_host() } }
        };
        router.layer(from_fn(guarded))
    }

    /// Of HTTP/2 the address says the host, of HTTP/1.1 the header; where both do, both must be right.
    fn allow(&self, request: &Request) -> bool {
        let headers = request.headers().get_all(header::HOST).iter();
        let headers = headers.map(|value| value.to_str().ok().and_then(|value| value.parse::<Authority>().ok()));
        let mut named = request.uri().authority().cloned().map(Some).into_iter().chain(headers).peekable();
        self.any || (named.peek().is_some() && named.all(|host| host.is_some_and(|host| self.answers_for(host.host()))))
    }

    fn answers_for(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback()) || self.names.contains(&host)
    }
}

fn unknown_host() -> Response {
    let detail = "This server does not answer for that host name. The variable ALLOWED_HOSTS adds names.";
    Problem::new(StatusCode::MISDIRECTED_REQUEST, "unknown-host", "Unknown host", detail).into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;

    async fn status(router: &Router, headers: &[(&str, &str)]) -> u16 {
        let request = headers.iter().fold(Request::get("/"), |request, (name, value)| request.header(*name, *value));
        router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status().as_u16()
    }

    #[tokio::test]
    async fn only_who_shows_the_key_is_let_in_and_no_page_even_with_it() {
        let key = Key::random();
        let router = key.clone().guard(Router::new().route("/", get(async || "yours")));
        let token = [(SECURITY_TOKEN, &*key.0)];
        let url: reqwest::Url = key.in_url("http://127.0.0.1:1").parse().unwrap();
        let basic = format!("Basic {}", STANDARD.encode(format!("{}:{}", url.username(), url.password().unwrap())));
        assert_eq!(status(&router, &token).await, 200);
        assert_eq!(status(&router, &[("authorization", &basic)]).await, 200);
        for headers in [
            &[][..],
            &[(SECURITY_TOKEN, "")],
            &[(SECURITY_TOKEN, &*Key::random().0)],
            &[("authorization", "AWS4-HMAC-SHA256 Credential=a/20261121/us-east-1/dynamodb/aws4_request")],
            &[token[0], ("origin", "https://example.org")],
            &[token[0], ("origin", "null")],
        ] {
            assert_eq!(status(&router, headers).await, 403, "{headers:?}");
        }
    }

    #[tokio::test]
    async fn a_name_that_was_pointed_at_this_machine_is_not_answered_for() {
        let router = |hosts: &str| Hosts::new(hosts).guard(Router::new().route("/", get(async || "hello")));
        for (hosts, host, expected) in [
            ("", "localhost:3000", 200),
            ("", "127.0.0.1:3000", 200),
            ("", "[::1]:3000", 200),
            ("", "LOCALHOST.", 200),
            ("", "evil.example", 421),
            ("", "localhost.evil.example", 421),
            ("", "192.168.1.7:3000", 421),
            ("", "not a host", 421),
            ("chat.example.org, other.example", "chat.example.org:443", 200),
            ("chat.example.org, other.example", "127.0.0.1", 200),
            ("chat.example.org, other.example", "evil.example", 421),
            ("*", "evil.example", 200),
        ] {
            assert_eq!(status(&router(hosts), &[("host", host)]).await, expected, "{hosts:?} {host:?}");
        }
        assert_eq!(status(&router(""), &[]).await, 421, "without a name");
        let both = [("host", "localhost"), ("host", "evil.example")];
        assert_eq!(status(&router(""), &both).await, 421, "with two of them");
        let other = Request::get("http://evil.example/").header("host", "localhost").body(Body::empty()).unwrap();
        assert_eq!(router("").oneshot(other).await.unwrap().status(), 421, "in the address");
    }
}
