//! The SDK's way to the embedded tables: HTTP on loopback, of which some calls are under way at once and the others wait for
//! their turn.
//!
//! The tables do one thing after another, so more calls at once finish no sooner. A thousand would open a thousand connections,
//! two files each.

use std::sync::Arc;

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use tokio::sync::Semaphore;

/// A client of which so many calls are under way at once.
pub(crate) fn http_client(calls: usize) -> SharedHttpClient {
    let http = aws_smithy_http_client::Connector::builder().build_http();
    let connector = SharedHttpConnector::new(Bounded {
        http: SharedHttpConnector::new(http),
        calls: Arc::new(Semaphore::new(calls)),
    });
    http_client_fn(move |_, _| connector.clone())
}

#[derive(Debug)]
struct Bounded {
    http: SharedHttpConnector,
    calls: Arc<Semaphore>,
}

impl HttpConnector for Bounded {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (http, calls) = (self.http.clone(), self.calls.clone());
        HttpConnectorFuture::new(async move {
            let _permit = calls.acquire_owned().await.map_err(|closed| ConnectorError::other(closed.into(), None))?;
            http.call(request).await
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use axum::Router;
    use futures::future::join_all;

    use super::*;

    #[tokio::test]
    async fn more_calls_than_may_be_wait_for_those_under_way() {
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (entered, seen) = (now.clone(), most.clone());
        let answer = async move || {
            seen.fetch_max(entered.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(20)).await;
            entered.fetch_sub(1, Ordering::SeqCst);
        };
        let listener = crate::server::listen(0).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
        let http = aws_smithy_http_client::Connector::builder().build_http();
        let bounded = Bounded { http: SharedHttpConnector::new(http), calls: Arc::new(Semaphore::new(3)) };
        let calls = (0..12).map(|_| bounded.call(HttpRequest::get(&url).unwrap()));
        let answers = join_all(calls).await;
        assert!(answers.iter().all(|answer| answer.as_ref().unwrap().status().as_u16() == 200));
        assert_eq!((now.load(Ordering::SeqCst), most.load(Ordering::SeqCst)), (0, 3));
    }
}
