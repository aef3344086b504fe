//! Writes that meet a transaction: DynamoDB refuses them at once, and a table in the process never does.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{Config, Credentials, Region};
use axum::Router;
use axum::http::HeaderMap;
use axum::routing::post;
use serde_json::{Value, json};

use super::*;
use crate::{Store, store::Tables};

const TURN: &str = "01JCZV5W9GQ2N5X7K3T8R4M6PA";
const SESSION: &str = "0123456789abcdef0123456789abcdef";

/// What DynamoDB answers to each operation, in this order; the last answer stays.
struct Script(Mutex<HashMap<&'static str, VecDeque<(u16, Value)>>>);

impl Script {
    fn answer(&self, headers: &HeaderMap) -> (StatusCode, String) {
        let operation = headers["x-amz-target"].to_str().unwrap().rsplit('.').next().unwrap();
        let mut script = self.0.lock().unwrap();
        let answers = script.get_mut(operation).unwrap_or_else(|| panic!("{operation} is not in the script"));
        let (status, body) = if answers.len() > 1 { answers.pop_front().unwrap() } else { answers[0].clone() };
        (StatusCode::from_u16(status).unwrap(), body.to_string())
    }
}

/// The steps over a stand-in for DynamoDB.
async fn deps<const N: usize>(script: [(&'static str, Vec<(u16, Value)>); N]) -> Arc<Deps> {
    let script = Script(Mutex::new(script.map(|(operation, answers)| (operation, answers.into())).into()));
    let script = Arc::new(script);
    let router = Router::new().route("/", post(async move |headers: HeaderMap| script.answer(&headers)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let config = Config::builder()
        .behavior_version_latest()
        .endpoint_url(url)
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .retry_config(RetryConfig::disabled());
    let tables = Tables {
        sessions: "sessions".to_owned(),
        turns: "turns".to_owned(),
        idempotency: "idempotency".to_owned(),
        totals: "totals".to_owned(),
        handoffs: "handoffs".into(),
        session_ttl: jiff::SignedDuration::from_hours(1),
        turn_ttl: jiff::SignedDuration::from_hours(1),
    };
    Arc::new(Deps::new(Store::new(Client::from_conf(config.build()), tables)))
}

fn refused(kind: &str) -> Value {
    json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{kind}"), "message": "Refused."})
}

fn held() -> (u16, Value) {
    (400, refused("TransactionConflictException"))
}

fn canceled(codes: [&str; 2]) -> (u16, Value) {
    let mut body = refused("TransactionCanceledException");
    body["CancellationReasons"] = codes.map(|code| json!({"Code": code})).into();
    (400, body)
}

fn session() -> Value {
    json!({"Item": {
        "id": {"S": SESSION}, "assistant": {"S": "travel"}, "version": {"N": "1"}, "state": {"S": "{}"},
        "expires_at": {"N": "9999999999"},
    }})
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(2))
}

async fn begun(claims: Vec<(u16, Value)>) -> Result<Begun, Problem> {
    let reply =
        json!({"session_id": SESSION, "turn_id": TURN, "assistant": "travel", "reply": "Before.", "action": "ask"});
    let body = json!({"message": "hi", "reply": reply, "timings_ms": {}}).to_string();
    let kept = json!({"Item": {"body": {"S": body}}});
    let script = [("GetItem", vec![(200, kept)]), ("PutItem", claims)];
    let turn = json!({
        "turn_id": "01JCZV5W9GQ2N5X7K3T8R4M6PB", "assistant": "travel", "kind": "travel",
        "client_time": "2026-11-20T09:00:00+05:00[Asia/Karachi]", "understanding": {},
        "idempotency": {"key": "0123456789abcdef0123456789abcdef", "body_hash": "b", "lease_ms": 1_000},
    });
    begin(deps(script).await, serde_json::from_value(turn).unwrap(), soon()).await
}

#[tokio::test]
async fn a_repeated_request_that_meets_the_commit_is_answered_after_it() {
    let mut taken = refused("ConditionalCheckFailedException");
    taken["Item"] = json!({
        "key": {"S": "k"}, "body_hash": {"S": "b"}, "session_id": {"S": SESSION}, "turn_id": {"S": TURN},
    });
    let begun = begun(vec![held(), held(), (400, taken)]).await.unwrap();
    assert!(matches!(begun, Begun::Replay { reply } if reply.reply.0 == "Before."));
}

#[tokio::test]
async fn a_key_that_a_commit_holds_is_still_running() {
    let problem = begun(vec![held()]).await.unwrap_err();
    assert_eq!((problem.status(), problem.to_string().as_str()), (StatusCode::CONFLICT, "409 still-running"));
}

#[tokio::test]
async fn a_session_is_deleted_after_the_commit_that_holds_it() {
    let script = [
        ("GetItem", vec![(200, session())]),
        ("PutItem", vec![held(), (200, json!({}))]),
        ("Query", vec![(200, json!({"Items": [], "Count": 0}))]),
    ];
    let key = SessionKey { session_id: SESSION.parse().unwrap() };
    delete(deps(script).await, key, soon()).await.unwrap();
}

/// What becomes of the first turn of a session of which nothing is there, where its writes are answered so.
async fn committed(writes: Vec<(u16, Value)>) -> Result<Committed, Problem> {
    let reply =
        json!({"session_id": SESSION, "turn_id": TURN, "assistant": "travel", "reply": "Words.", "action": "ask"});
    let turn = json!({
        "version": 0, "session": {}, "kind": "travel", "understanding": {}, "message": "hi", "reply": reply,
        "client_time": "2026-11-20T09:00:00+05:00[Asia/Karachi]", "timings_ms": {},
    });
    let deps = deps([("TransactWriteItems", writes), ("GetItem", vec![(200, json!({}))])]).await;
    commit(deps, serde_json::from_value(turn).unwrap(), soon()).await
}

#[tokio::test]
async fn a_first_turn_whose_write_meets_another_is_written_again() {
    let busy = canceled(["TransactionConflict", "None"]);
    assert_eq!(committed(vec![busy.clone(), busy.clone(), (200, json!({}))]).await.unwrap().version, 1);
    assert_eq!(committed(vec![busy]).await.unwrap_err().to_string(), "503 busy-session");
}

#[tokio::test]
async fn a_first_turn_of_a_session_deleted_meanwhile_is_not_kept() {
    let deleted = canceled(["ConditionalCheckFailed", "None"]);
    assert_eq!(committed(vec![deleted]).await.unwrap_err().to_string(), "404 unknown-session");
}

/// What becomes of deleting a session with two turns, where the deletion of these is answered so.
async fn deleted(writes: Vec<(u16, Value)>) -> Result<Deleted, Problem> {
    let turn = |id: &str| json!({"session_id": {"S": SESSION}, "turn_id": {"S": id}});
    let turns = json!({"Items": [turn(TURN), turn("01JCZV5W9GQ2N5X7K3T8R4M6PB")], "Count": 2});
    let none = json!({"Items": [], "Count": 0});
    let waits = writes.iter().filter(|(status, _)| *status == 400).count();
    let pages = std::iter::repeat_n((200, turns), waits + 1).chain([(200, none)]).collect();
    let script = [
        ("GetItem", vec![(200, session())]),
        ("PutItem", vec![(200, json!({}))]),
        ("Query", pages),
        ("TransactWriteItems", writes),
    ];
    let key = SessionKey { session_id: SESSION.parse().unwrap() };
    tokio::time::timeout(Duration::from_secs(2), delete(deps(script).await, key, soon())).await.expect("it ends")
}

#[tokio::test]
async fn turns_are_deleted_after_what_holds_them_and_never_over_and_over() {
    let busy = canceled(["None", "TransactionConflict"]);
    let slow = canceled(["ThrottlingError", "TransactionConflict"]);
    deleted(vec![busy, slow, (200, json!({}))]).await.unwrap();
    for codes in [["ValidationError", "None"], ["TransactionConflict", "ValidationError"], ["None", "None"]] {
        assert_eq!(deleted(vec![canceled(codes)]).await.unwrap_err().status(), 503, "{codes:?}");
    }
}
