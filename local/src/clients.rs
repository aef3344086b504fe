//! How often one client may ask in a minute, where nothing stands in front that bounds it: what API Gateway and WAF do in AWS.
//!
//! The public port is on loopback, so whoever is elsewhere comes through a proxy on this machine, which puts their address at the
//! end of `X-Forwarded-For`. What comes without is this machine's own, and has no limit.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse;
use contracts::problem::Problem;
use governor::clock::Clock;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use http::{HeaderMap, HeaderName, StatusCode};
use runtime::config;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// After so many requests, addresses that did not ask for a while are forgotten.
const TIDY: u32 = 1_024;
/// Who came through a proxy that does not say from where: all of them together are one client.
const NOBODY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// Where a request's connection comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub SocketAddr);

/// How many requests a minute each client address has. The default is no limit.
#[derive(Clone, Default)]
pub struct ClientLimit(Option<Arc<Limiter>>);

struct Limiter {
    rate: DefaultKeyedRateLimiter<IpAddr>,
    requests: AtomicU32,
}

impl ClientLimit {
    /// `CLIENT_REQUESTS_PER_MINUTE`; 0, the default, is no limit.
    ///
    /// # Errors
    /// It is not a whole number.
    pub fn from_env() -> anyhow::Result<Self> {
        Ok(Self::per_minute(config::parsed("CLIENT_REQUESTS_PER_MINUTE", 0)?))
    }

    /// So many requests a minute, at once or spread; 0 is no limit.
    pub fn per_minute(requests: u32) -> Self {
        Self(NonZeroU32::new(requests).map(|requests| {
            let rate = RateLimiter::keyed(Quota::per_minute(requests));
            Arc::new(Limiter { rate, requests: AtomicU32::new(0) })
        }))
    }

    /// Answers those who ask too often with a 429 that says when to come again.
    pub(crate) fn guard(self, router: Router) -> Router {
        let Some(limiter) = self.0 else { return router };
        let guarded = move |request: Request, next: Next| {
            let checked = limiter.check(&request);
            async move {
                match checked {
                    Ok(()) => next.run(request).await,
                    Err(problem) => problem.into_response(),
                }
            }
        };
        router.layer(from_fn(guarded))
    }
}

impl Limiter {
    fn check(&self, request: &Request) -> Result<(), Problem> {
        let peer = request.extensions().get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |peer| peer.0.ip());
        let client = client(peer, request.headers());
        if client.is_loopback() {
            return Ok(());
        }
        if self.requests.fetch_add(1, Ordering::Relaxed) % TIDY == TIDY - 1 {
            self.rate.retain_recent();
        }
        self.rate.check_key(&network(client)).map_err(|not_until| {
            let wait = not_until.wait_time_from(self.rate.clock().now());
            let detail = "This address has asked too often in the last minute.";
            Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-requests", "Too many requests", detail)
                .retry_after(wait)
        })
    }
}

/// Whose request it is. Only what the proxy itself wrote is believed: the last address.
fn client(peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    if !peer.to_canonical().is_loopback() {
        return peer.to_canonical();
    }
    let Some(last) = headers.get_all(FORWARDED_FOR).iter().next_back() else { return peer.to_canonical() };
    let last = last.to_str().ok().and_then(|list| list.rsplit(',').next()).unwrap_or_default().trim();
    let address = last.parse::<IpAddr>().or_else(|_| last.parse::<SocketAddr>().map(|address| address.ip()));
    address.map_or(NOBODY, |address| address.to_canonical())
}

/// What counts as one client: of IPv6 the /64, for whoever has one address of it has them all.
fn network(client: IpAddr) -> IpAddr {
    match client {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        IpAddr::V4(_) => client,
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::response::Response;
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;

    async fn ask(router: &Router, peer: &str, forwarded_for: &[&str]) -> Response {
        let request = Request::get("/").extension(Peer(format!("{peer}:4000").parse().unwrap()));
        let request = forwarded_for.iter().fold(request, |request, list| request.header(FORWARDED_FOR, *list));
        router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    fn router(per_minute: u32) -> Router {
        ClientLimit::per_minute(per_minute).guard(Router::new().route("/", get(async || "hello")))
    }

    #[tokio::test]
    async fn each_address_has_its_own_requests_and_is_told_when_to_come_again() {
        let router = router(3);
        for _ in 0..3 {
            assert_eq!(ask(&router, "127.0.0.1", &["203.0.113.7"]).await.status(), 200);
        }
        let refused = ask(&router, "127.0.0.1", &["203.0.113.7"]).await;
        assert_eq!(refused.status(), 429);
        assert_eq!(refused.headers()["content-type"], "application/problem+json");
        let wait: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((19..=20).contains(&wait), "{wait}");
        assert_eq!(ask(&router, "127.0.0.1", &["203.0.113.8"]).await.status(), 200);
    }

    #[tokio::test]
    async fn this_machine_has_no_limit_and_no_variable_means_none() {
        let (limited, unlimited) = (router(1), router(0));
        for _ in 0..5 {
            assert_eq!(ask(&limited, "127.0.0.1", &[]).await.status(), 200);
            assert_eq!(ask(&limited, "127.0.0.1", &["::1"]).await.status(), 200);
            assert_eq!(ask(&unlimited, "127.0.0.1", &["203.0.113.7"]).await.status(), 200);
        }
    }

    #[tokio::test]
    async fn what_a_client_writes_itself_gives_it_no_other_address() {
        let router = router(1);
        assert_eq!(ask(&router, "127.0.0.1", &["198.51.100.1", "10.0.0.1, 203.0.113.7"]).await.status(), 200);
        assert_eq!(ask(&router, "127.0.0.1", &["127.0.0.1", "198.51.100.9,203.0.113.7"]).await.status(), 429);
        assert_eq!(ask(&router, "192.0.2.5", &["127.0.0.1"]).await.status(), 200);
        assert_eq!(ask(&router, "192.0.2.5", &["198.51.100.2"]).await.status(), 429);
        assert_eq!(ask(&router, "127.0.0.1", &["unknown"]).await.status(), 200);
        assert_eq!(ask(&router, "127.0.0.1", &["_hidden"]).await.status(), 429);
    }

    #[test]
    fn a_network_of_ipv6_is_one_client() {
        for (one, other, same) in [
            ("2001:db8:0:1::1", "2001:db8:0:1:ffff::9", true),
            ("2001:db8:0:1::1", "2001:db8:0:2::1", false),
            ("203.0.113.7", "203.0.113.8", false),
            ("::ffff:203.0.113.7", "203.0.113.7", true),
        ] {
            let of = |text: &str| {
                let headers = HeaderMap::from_iter([(FORWARDED_FOR, text.parse().unwrap())]);
                network(client(IpAddr::V4(Ipv4Addr::LOCALHOST), &headers))
            };
            assert_eq!(of(one) == of(other), same, "{one} {other}");
        }
        let headers = HeaderMap::from_iter([(FORWARDED_FOR, "[2001:db8::5]:443".parse().unwrap())]);
        assert_eq!(network(client(IpAddr::V4(Ipv4Addr::LOCALHOST), &headers)), "2001:db8::".parse::<IpAddr>().unwrap());
    }

    #[test]
    fn addresses_that_did_not_ask_for_a_while_are_forgotten() {
        let limiter = ClientLimit::per_minute(60_000).0.unwrap();
        for address in 1..=3 * TIDY {
            let request = Request::get("/").header(FORWARDED_FOR, Ipv4Addr::from_bits(address << 8).to_string());
            limiter.check(&request.body(Body::empty()).unwrap()).unwrap();
            if address % TIDY == TIDY - 1 {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
        }
        assert!(limiter.rate.len() <= TIDY as usize + 1, "{}", limiter.rate.len());
    }
}
