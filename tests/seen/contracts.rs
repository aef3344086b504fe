//! Deployments are not atomic: for a while one release's functions call another's. So a contract only grows: what the last
//! release wrote is read today, and nothing of it is lost or means something else.
//!
//! `tests/golden/RELEASE.json` holds what went through the steps and the queues in that release, by path. It is written anew
//! by `UPDATE_GOLDEN=1 cargo test -p tests --test seen contracts`, once for each release.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws::knowledge_store::EmbedWork;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use contracts::api::*;
use contracts::dialogue::*;
use contracts::knowledge::{Intent, Retrieval};
use contracts::step::{Step, StreamStep};
use contracts::travel::{Alliance, BookingState, Cabin, LowCost, Trip};
use contracts::turns::Finished;
use contracts::turns::RecordWork;
use runtime::assistants::Assistants;
use runtime::deadline::Deadline;
use runtime::pipeline::Pipeline;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tests::{App, DOCUMENTS_KEY, FRIDAY};
use tower::ServiceExt;

type Golden = BTreeMap<String, Vec<Value>>;
type Check = fn(&Value) -> Result<(), String>;

/// How many things of a list are kept: the others look alike.
const KEPT: usize = 2;

/// Every contract, with what reads both of its sides.
const CONTRACTS: [(&str, Check); 24] = [
    (UNDERSTAND.path, |pair| step(&UNDERSTAND, pair)),
    (SESSION_CLAIM.path, |pair| step(&SESSION_CLAIM, pair)),
    (SESSION_RELEASE.path, |pair| step(&SESSION_RELEASE, pair)),
    (SESSION_BEGIN.path, |pair| step(&SESSION_BEGIN, pair)),
    (SESSION_COMMIT.path, |pair| step(&SESSION_COMMIT, pair)),
    (SESSION_READ.path, |pair| step(&SESSION_READ, pair)),
    (SESSION_DELETE.path, |pair| step(&SESSION_DELETE, pair)),
    (SESSION_TURNS.path, |pair| step(&SESSION_TURNS, pair)),
    (TURN_READ.path, |pair| step(&TURN_READ, pair)),
    (TURN_STOP.path, |pair| step(&TURN_STOP, pair)),
    (TURN_STOPPED.path, |pair| step(&TURN_STOPPED, pair)),
    (TURN_FEEDBACK.path, |pair| step(&TURN_FEEDBACK, pair)),
    (FLIGHTS.path, |pair| step(&FLIGHTS, pair)),
    (FLIGHTS_PRICE.path, |pair| step(&FLIGHTS_PRICE, pair)),
    (FLIGHTS_WARM.path, |pair| step(&FLIGHTS_WARM, pair)),
    (FLIGHTS_HEALTH.path, |pair| checks(&FLIGHTS_HEALTH, pair)),
    (RETRIEVE.path, |pair| step(&RETRIEVE, pair)),
    (RETRIEVE_WARM.path, |pair| step(&RETRIEVE_WARM, pair)),
    (RETRIEVE_HEALTH.path, |pair| checks(&RETRIEVE_HEALTH, pair)),
    (RESPOND.path, |pair| stream(&RESPOND, pair)),
    (RESPOND_HEALTH.path, |pair| checks(&RESPOND_HEALTH, pair)),
    ("queue chunks", kept::<EmbedWork>),
    ("queue turns", kept::<RecordWork>),
    ("idempotency", kept::<ChatReply>),
];

/// Every enum that travels, with what reads a value of it.
const ENUMS: [(&str, Check); 31] = [
    ("Act", unknown::<Act>),
    ("Action", unknown::<Action>),
    ("Alliance", unknown::<Alliance>),
    ("Begun", unknown::<Begun>),
    ("BookingState", unknown::<BookingState>),
    ("Cabin", unknown::<Cabin>),
    ("CircuitState", unknown::<CircuitState>),
    ("DateExpr", unknown::<DateExpr>),
    ("DateRole", unknown::<DateRole>),
    ("Finished", unknown::<Finished>),
    ("Flexible", unknown::<Flexible>),
    ("HealthStatus", unknown::<HealthStatus>),
    ("Holiday", unknown::<Holiday>),
    ("Intent", unknown::<Intent>),
    ("Kind", unknown::<Kind>),
    ("LowCost", unknown::<LowCost>),
    ("Part", unknown::<Part>),
    ("Pick", unknown::<Pick>),
    ("PlaceRole", unknown::<PlaceRole>),
    ("Rating", unknown::<Rating>),
    ("Remark", unknown::<Remark>),
    ("ReplyEvent", unknown::<ReplyEvent>),
    ("Retrieval", unknown::<Retrieval>),
    ("Slot", unknown::<Slot>),
    ("TimeBound", unknown::<TimeBound>),
    ("Topic", unknown::<Topic>),
    ("Trip", unknown::<Trip>),
    ("Trouble", unknown::<Trouble>),
    ("Unmet", unknown::<Unmet>),
    ("Week", unknown::<Week>),
    ("Writer", unknown::<Writer>),
];

/// Those that only the public reads or writes, which is told what is allowed; and a wish, which is any or one.
const NOT_GROWING: [&str; 4] = ["Answer", "ContentType", "TurnEvent", "Wish"];

/// What a later release calls a variant: alone, or as the tag of an object.
fn unknown<T: DeserializeOwned>(name: &Value) -> Result<(), String> {
    let tagged = json!({"kind": name, "type": name});
    let read = serde_json::from_value::<T>(name.clone()).or_else(|_| serde_json::from_value(tagged));
    read.map(drop).map_err(|error| error.to_string())
}

#[test]
fn every_enum_that_travels_reads_what_a_later_release_calls_a_variant() {
    for (name, read) in ENUMS {
        assert_eq!(read(&json!("of_a_later_release")), Ok(()), "{name}");
    }
    let source = |path: PathBuf| std::fs::read_to_string(path).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/contracts/src");
    let travels = regex::Regex::new(r"derive\([^)]*Deserialize[^)]*\)\]\n(?:#\[[^\n]*\n)*pub enum (\w+)").unwrap();
    let mut travelling = BTreeSet::new();
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else {
                travelling.extend(travels.captures_iter(&source(entry)).map(|found| found[1].to_owned()));
            }
        }
    }
    let known: BTreeSet<String> = ENUMS.iter().map(|(name, _)| *name).chain(NOT_GROWING).map(str::to_owned).collect();
    assert_eq!(travelling, known);
}

fn step<In, Out>(_: &Step<In, Out>, pair: &Value) -> Result<(), String>
where
    In: Serialize + DeserializeOwned,
    Out: Serialize + DeserializeOwned,
{
    kept::<In>(&pair["in"])?;
    kept::<Out>(&pair["out"])
}

/// Names of their own choice, each with a check.
fn checks(_: &Step<HealthRequest, HealthChecks>, pair: &Value) -> Result<(), String> {
    kept::<HealthRequest>(&pair["in"])?;
    pair["out"].as_object().ok_or("no checks")?.values().try_for_each(kept::<HealthCheck>)
}

fn stream<In, Item>(_: &StreamStep<In, Item>, pair: &Value) -> Result<(), String>
where
    In: Serialize + DeserializeOwned,
    Item: Serialize + DeserializeOwned,
{
    kept::<In>(&pair["in"])?;
    pair["out"].as_array().ok_or("no events")?.iter().try_for_each(kept::<Item>)
}

/// Whether today's type reads what was written and would write all of it again, and passes over what a later one adds.
fn kept<T: Serialize + DeserializeOwned>(written: &Value) -> Result<(), String> {
    let read: T = serde_json::from_value(written.clone()).map_err(|error| error.to_string())?;
    let today = serde_json::to_value(read).map_err(|error| error.to_string())?;
    if let Value::Object(fields) = written {
        let mut later = fields.clone();
        later.insert("of a later release".to_owned(), Value::from(1));
        let read = serde_json::from_value::<T>(Value::Object(later));
        read.map_err(|error| format!("what a later release adds is not passed over: {error}"))?;
    }
    lost(written, &today).map_or(Ok(()), |path| Err(format!("{path} is lost or changed")))
}

/// The first place whose value is not there any more; what came new is no loss.
fn lost(written: &Value, today: &Value) -> Option<String> {
    let below = |name: String, path: String| format!("{name}/{path}");
    match (written, today) {
        (Value::Object(written), Value::Object(today)) => written.iter().find_map(|(name, value)| {
            lost(value, today.get(name).unwrap_or(&Value::Null)).map(|path| below(name.clone(), path))
        }),
        (Value::Array(written), Value::Array(today)) if written.len() == today.len() => {
            let mut pairs = written.iter().zip(today).enumerate();
            pairs.find_map(|(index, (value, today))| lost(value, today).map(|path| below(index.to_string(), path)))
        }
        _ => (written != today).then(String::new),
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden")
}

#[tokio::test]
async fn contracts_read_what_the_last_release_wrote() {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let text = serde_json::to_string_pretty(&traffic().await).unwrap();
        std::fs::write(folder().join(concat!(env!("CARGO_PKG_VERSION"), ".json")), text + "\n").unwrap();
    }
    let mut releases = 0;
    for file in std::fs::read_dir(folder()).unwrap() {
        let path = file.unwrap().path();
        let golden: Golden = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        for (contract, all) in &golden {
            let check = CONTRACTS.iter().find(|(name, _)| name == contract).map(|(_, check)| check);
            let check = check.unwrap_or_else(|| panic!("{contract} is gone, and {} used it", path.display()));
            for written in all {
                check(written).unwrap_or_else(|wrong| panic!("{contract} of {}: {wrong}", path.display()));
            }
        }
        releases += 1;
    }
    assert!(releases > 0, "there is no golden file");
}

#[test]
fn what_is_lost_is_seen_and_what_is_new_is_no_loss() {
    let written = json!({"a": 1, "b": [{"c": "x"}], "n": null});
    assert_eq!(lost(&written, &json!({"a": 1, "b": [{"c": "x", "new": 1}], "more": 2})), None);
    for today in [
        json!({"b": [{"c": "x"}]}),
        json!({"a": 2, "b": [{"c": "x"}]}),
        json!({"a": 1, "b": [{}]}),
        json!({"a": 1, "b": []}),
    ] {
        assert!(lost(&written, &today).is_some(), "{today}");
    }
}

/// The whole way of some messages, as the steps and the queues see it.
async fn traffic() -> Golden {
    let app = App::start().await;
    let (seen, url) = between(app.colloquy.steps_url()).await;
    let pipeline = || Pipeline::new(&url).unwrap();
    let (chunks, turns) = (app.colloquy.chunk_queues().0, app.colloquy.turn_queues().0);
    let assistants = Assistants::embedded().unwrap();
    let chat = chat::router(chat::Deps::new(pipeline(), turns.clone(), assistants));

    let document = json!({"assistant": "defi", "source": "Handbook", "content_type": "text/markdown",
        "content": "# Impermanent loss\n\nImpermanent loss is what a liquidity pool loses against holding both coins."});
    let added = app.send(app.request("POST", "/v1/documents").bearer_auth(DOCUMENTS_KEY).json(&document)).await;
    assert_eq!(added.status, 202, "{}", added.body);
    tokio::time::sleep(Duration::from_secs(1)).await;

    let say = async |session: Option<&str>, message: &str| {
        let body = json!({"assistant": "travel", "message": message, "session_id": session, "client_time": FRIDAY});
        ask(&chat, "POST", "/v1/chat", Some(body)).await
    };
    let first = say(None, "fly me from Lahore to Dubai next Friday, two of us, business, back a week later").await;
    let id = first["session_id"].as_str().unwrap();
    say(Some(id), "the second one").await;
    say(Some(id), "book it").await;
    let question = json!({"assistant": "defi", "message": "What is impermanent loss?", "client_time": FRIDAY});
    ask(&chat, "POST", "/v1/chat", Some(question)).await;
    let question = json!({"assistant": "defi", "question": "What is impermanent loss?"});
    let answer = ask(&chat, "POST", "/v1/ask", Some(question)).await;
    ask(&chat, "GET", &format!("/v1/sessions/{id}"), None).await;
    ask(&chat, "GET", &format!("/v1/sessions/{id}/turns"), None).await;
    let rated = format!("/v1/turns/{}/feedback", first["turn_id"].as_str().unwrap());
    ask(&chat, "POST", &rated, Some(json!({"rating": "up"}))).await;
    of_turns(&pipeline(), &first).await;
    ask(&chat, "DELETE", &format!("/v1/sessions/{id}"), None).await;
    warm::warm(
        Arc::new(warm::Deps::new(pipeline(), app.colloquy.url()).unwrap()),
        Deadline::after(Duration::from_secs(9)),
    )
    .await;
    let (tables, names) = app.colloquy.tables();
    let health = health::router(health::Deps::new(pipeline(), tables, local::health_tables(&names), chunks, turns));
    ask(&health, "GET", "/v1/health", None).await;

    let reply: AskReply = serde_json::from_value(answer).unwrap();
    let session_id = id.parse().unwrap();
    let works = [RecordWork::turn(&reply.turn_id, session_id), RecordWork::ask(&reply)];
    let works = works.iter().map(|work| serde_json::to_value(work).unwrap()).collect();
    let document = added.body["id"].as_str().unwrap();
    let embed = json!({"document": document, "chunks": ["0123456789abcdef01234567"], "put_back": 1});
    let mut golden = seen.lock().unwrap().clone();
    golden.insert("queue turns".to_owned(), works);
    golden.insert("queue chunks".to_owned(), vec![embed]);
    golden.insert("idempotency".to_owned(), vec![first]);
    golden.values_mut().flatten().for_each(shorten);
    let of_steps: BTreeSet<&str> = golden.keys().map(String::as_str).collect();
    assert_eq!(of_steps, CONTRACTS.iter().map(|(name, _)| *name).collect(), "every contract is used");
    golden
}

/// The steps that only requests with a key, and those about a turn by its id, go through.
async fn of_turns(pipeline: &Pipeline, reply: &Value) {
    let soon = || Deadline::after(Duration::from_secs(5));
    let turn = json!({"session_id": reply["session_id"], "turn_id": reply["turn_id"]});
    let turn: TurnKey = serde_json::from_value(turn).unwrap();
    pipeline.call(&TURN_READ, &turn, soon()).await.unwrap();
    pipeline.call(&TURN_STOP, &turn, soon()).await.unwrap();
    pipeline.call(&TURN_STOPPED, &turn, soon()).await.unwrap();
    let key = json!({"turn_id": reply["turn_id"], "session_id": reply["session_id"],
        "idempotency": {"key": "1", "body_hash": "0", "lease_ms": 1_000}});
    let key: ClaimKey = serde_json::from_value(key).unwrap();
    pipeline.call(&SESSION_CLAIM, &key, soon()).await.unwrap();
    pipeline.call(&SESSION_RELEASE, &key, soon()).await.unwrap();
}

fn shorten(value: &mut Value) {
    match value {
        Value::Array(values) => {
            // What a stream says of a reply is different from one event to the next.
            if !values.iter().any(|value| value.get("type").is_some()) {
                values.truncate(KEPT);
            }
            values.iter_mut().for_each(shorten);
        }
        Value::Object(values) => values.values_mut().for_each(shorten),
        _ => {}
    }
}

async fn ask(router: &Router, method: &str, path: &str, body: Option<Value>) -> Value {
    let request = http::Request::builder().method(method).uri(path).header("content-type", "application/json");
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    let response = router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
    let status = response.status();
    let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    assert!(status.is_success(), "{method} {path}: {status} {}", String::from_utf8_lossy(&bytes));
    if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() }
}

/// A server between `chat` and the steps, which keeps what succeeded.
async fn between(steps: String) -> (Arc<Mutex<Golden>>, String) {
    let seen = Arc::new(Mutex::new(Golden::new()));
    let keeping = seen.clone();
    let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let forward = async move |request: Request| -> Response {
        let path = request.uri().path().to_owned();
        let asked = to_bytes(request.into_body(), usize::MAX).await.unwrap();
        let call = client.post(format!("{steps}{path}")).header("content-type", "application/json").body(asked.clone());
        let answer = call.send().await.unwrap();
        let (status, kind) = (answer.status(), answer.headers()["content-type"].clone());
        let text = answer.text().await.unwrap();
        if status.is_success() {
            let events = || {
                text.lines()
                    .filter_map(|line| line.strip_prefix("data: "))
                    .map(|data| serde_json::from_str::<Value>(data).unwrap())
            };
            let out: Value = if kind.as_bytes().starts_with(b"text/event-stream") {
                events().collect()
            } else {
                serde_json::from_str(&text).unwrap()
            };
            let pair = json!({"in": serde_json::from_slice::<Value>(&asked).unwrap(), "out": out});
            keeping.lock().unwrap().entry(path).or_default().push(pair);
        }
        (status, [("content-type", kind)], text).into_response()
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(forward)).await });
    (seen, url)
}
