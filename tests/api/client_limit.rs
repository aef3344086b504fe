//! Off AWS, one client address may ask only so often.

use local::{ClientLimit, Options};
use tests::App;

#[tokio::test]
async fn a_client_behind_a_proxy_is_limited_and_this_machine_is_not() {
    let client_limit = ClientLimit::per_minute(2);
    let app = App::with_options(Options { client_limit, ..tests::options() }).await;
    let asked_by = async |address: &str| {
        let request = app.request("GET", "/v1/assistants").header("x-forwarded-for", address);
        app.send(request).await
    };
    for address in ["203.0.113.7", "203.0.113.8"] {
        assert_eq!(asked_by(address).await.status, 200);
        assert_eq!(asked_by(address).await.status, 200);
        let refused = asked_by(address).await;
        assert_eq!((refused.status, &refused.body["type"]), (429, &"urn:colloquy:problem:too-many-requests".into()));
        assert!(refused.headers.contains_key("retry-after"), "{:?}", refused.headers);
    }
    for _ in 0..10 {
        assert_eq!(app.get("/v1/assistants").await.status, 200);
    }
}
