//! Every turn is counted once: however often its message comes, whoever dies, whatever is away.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws::queue::Queue;
use aws_config::BehaviorVersion;
use aws_sdk_dynamodb::types::AttributeValue::{N, S};
use aws_sdk_sqs::config::{Credentials, Region};
use axum::Router;
use axum::body::to_bytes;
use axum::routing::post;
use contracts::api::SessionId;
use contracts::turns::RecordWork;
use futures::future::join_all;
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use local::{Options, State};
use models::llm::ChatModel;
use models::openai::Server;
use record::Prices;
use runtime::assistants::Assistants;
use runtime::deadline::Deadline;
use runtime::message::Message;
use runtime::pipeline::Pipeline;
use serde_json::{Value, json};
use tests::{App, FRIDAY, session_of};
use tower::ServiceExt;

use crate::replies::{event_stream, frames};

const QUESTION: &str = "What is impermanent loss?";
const FLIGHT: &str = "fly me from Lahore to Dubai next Friday";

/// Today's counters of an assistant.
async fn totals(app: &App, assistant: &str) -> BTreeMap<String, u128> {
    let today = jiff::Timestamp::now().to_zoned(TimeZone::UTC).date();
    // A test may run over midnight.
    let days = app.colloquy.totals().days([today.yesterday().unwrap(), today]).await.unwrap();
    let mut sum = BTreeMap::new();
    for (name, value) in days.into_iter().filter(|day| day.assistant == assistant).flat_map(|day| day.counters) {
        *sum.entry(name).or_default() += value;
    }
    sum
}

/// The same, once so many turns are counted. Those that met others again and again wait some seconds in between.
async fn totals_of(app: &App, assistant: &str, turns: u128) -> BTreeMap<String, u128> {
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(90) {
        let totals = totals(app, assistant).await;
        if totals.get("turns") == Some(&turns) {
            return totals;
        }
        // Each look is as many queries as a day has keys, which the turns being counted wait for.
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    panic!("{turns} turns are not counted: {:?}", totals(app, assistant).await);
}

fn counters(expected: &[(&str, u128)]) -> BTreeMap<String, u128> {
    expected.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

async fn asked(app: &App, assistant: &str) -> Vec<(String, u64)> {
    let today = jiff::Timestamp::now().to_zoned(TimeZone::UTC).date();
    app.colloquy.totals().asked(today, assistant).await.unwrap()
}

/// The set's own worker, played by a test.
fn worker(app: &App) -> Arc<record::Deps> {
    let (client, names) = app.colloquy.tables();
    let (queue, _) = app.colloquy.turn_queues();
    let prices = Prices::with(None).unwrap();
    let ttl = SignedDuration::from_hours(24);
    let handoffs = aws::handoffs::Handoffs::new(client.clone(), names.handoffs);
    let tables = (app.colloquy.totals(), handoffs);
    Arc::new(record::Deps::new(client, names.turns, tables, queue, prices, ttl))
}

fn message(work: &RecordWork) -> Message {
    Message {
        id: "1".to_owned(),
        receipt: String::new(),
        body: serde_json::to_string(work).unwrap(),
        tries: 1,
        waited: Duration::ZERO,
        trace: None,
    }
}

async fn work(worker: &Arc<record::Deps>, message: Message) -> Vec<String> {
    record::work(worker.clone(), vec![message], Deadline::after(Duration::from_secs(20))).await
}

async fn sweep(worker: &record::Deps) -> usize {
    let swept = record::sweep_waiting(worker, SignedDuration::ZERO, Deadline::after(Duration::from_secs(20))).await;
    assert!(swept.is_whole(), "{swept:?}");
    swept.counted
}

/// A queue at an address where nobody is, or where nobody answers.
pub(crate) async fn queue_at(url: &str) -> Queue {
    let config = aws_config::defaults(BehaviorVersion::latest())
        .endpoint_url(url)
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .load()
        .await;
    Queue::new(aws_sdk_sqs::Client::new(&config), format!("{url}/queue"))
}

/// A turn that the queue is not told of.
async fn untold(app: &App, queue: Queue, body: &Value) -> Value {
    let pipeline = Pipeline::new(app.colloquy.steps_url()).unwrap();
    let chat = chat::router(chat::Deps::new(pipeline, queue, tests::options().assistants));
    let request = http::Request::post("/v1/chat").header("content-type", "application/json");
    let response = chat.oneshot(request.body(axum::body::Body::from(body.to_string())).unwrap()).await.unwrap();
    assert_eq!(response.status(), 200);
    serde_json::from_slice(&to_bytes(response.into_body(), usize::MAX).await.unwrap()).unwrap()
}

async fn nobody() -> Queue {
    queue_at("http://127.0.0.1:9").await
}

fn flight() -> Value {
    json!({"assistant": "travel", "message": FLIGHT, "client_time": FRIDAY})
}

fn work_of(reply: &Value) -> RecordWork {
    let session_id: SessionId = session_of(reply).parse().unwrap();
    RecordWork::turn(reply["turn_id"].as_str().unwrap(), session_id)
}

#[tokio::test]
async fn a_turn_is_counted_with_what_was_done_in_it() {
    let app = App::start().await;
    let first = app.say(None, "I want to fly to Dubai").await;
    app.say(Some(session_of(&first)), "from Lahore, next Friday").await;
    let expected = [("action:ask", 1), ("action:search_flights", 1), ("turns", 2), ("written_by:rules", 2)];
    assert_eq!(totals_of(&app, "travel", 2).await, counters(&expected));
    assert_eq!(asked(&app, "travel").await, [("route LHE-DXB".to_owned(), 1)]);
}

#[tokio::test]
async fn a_model_is_counted_by_its_price_in_a_session_and_without_one() {
    let stand_in = post(async || event_stream(frames(&["It is a loss [1]."], true)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/v1/chat/completions", stand_in)).await });
    let model = ChatModel::new(Server::new(&url, None).unwrap(), "stand-in", 100);
    let respond = respond::Deps::new(Assistants::embedded().unwrap(), Some(model));
    let prices = Prices::with(Some("stand-in=0.15/0.6")).unwrap();
    let texts = local::knowledge::own_texts(None).unwrap().into_iter();
    let own_texts: Vec<_> = texts.filter(|text| text.assistant == "defi").collect();
    let documents = own_texts.len();
    let app = App::with_options(Options { respond, prices, own_texts, ..tests::options() }).await;
    let store = app.colloquy.knowledge();
    while store.documents("defi").await.unwrap().iter().filter(|document| document.counts.chunks > 0).count()
        < documents
    {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    let chat = app.post_chat(&json!({"assistant": "defi", "message": QUESTION})).await.body;
    let ask = json!({"assistant": "defi", "question": QUESTION});
    let ask = app.send(app.request("POST", "/v1/ask").json(&ask)).await.body;

    let usage = json!({"prompt_tokens": 70, "completion_tokens": 9, "model": "stand-in"});
    assert_eq!((&chat["usage"], &ask["usage"]), (&usage, &usage));
    // 70 × 0.15 + 9 × 0.60 dollars for a million, twice.
    let expected = [
        ("action:answer", 1),
        ("action:question", 1),
        ("completion_tokens", 18),
        ("cost", 2 * 15_900_000),
        ("prompt_tokens", 140),
        ("turns", 2),
        ("written_by:model", 2),
    ];
    assert_eq!(totals_of(&app, "defi", 2).await, counters(&expected));
    let (source, heading) = (&chat["citations"][0]["source"], &chat["citations"][0]["heading"]);
    let passage = format!("passage {} › {}", source.as_str().unwrap(), heading.as_str().unwrap());
    assert_eq!(asked(&app, "defi").await, [(passage, 2)]);
}

#[tokio::test]
async fn turns_that_come_together_count_once_each_whichever_were_counted_before() {
    let app = App::start().await;
    let worker = worker(&app);
    let mut messages = Vec::new();
    for number in 0..13 {
        let reply = untold(&app, nobody().await, &flight()).await;
        let work = RecordWork::kept(&serde_json::from_value(reply).unwrap());
        messages.push(Message { id: number.to_string(), ..message(&work) });
    }
    let at_once = async |some: &[Message]| {
        let failed = record::work(worker.clone(), some.to_vec(), Deadline::after(Duration::from_secs(20))).await;
        assert_eq!(failed, Vec::<String>::new());
        totals(&app, "travel").await["turns"]
    };
    assert_eq!(at_once(&messages[..4]).await, 4);
    assert_eq!(at_once(&messages[2..]).await, 13, "two of them were counted before");
    assert_eq!(at_once(&[&messages[..], &messages[..]].concat()).await, 13, "each of them came twice");
    assert_eq!(asked(&app, "travel").await, [("route LHE-DXB".to_owned(), 13)]);
    assert_eq!(sweep(&worker).await, 0, "all of them are marked");
}

#[tokio::test]
async fn a_message_delivered_ten_times_at_once_counts_once() {
    let app = App::start().await;
    let worker = worker(&app);
    let reply = untold(&app, nobody().await, &flight()).await;
    let question = json!({"turn_id": ulid::Ulid::generate().to_string(), "assistant": "travel", "reply": "", "citations": [],
        "retrieval": "words", "written_by": "rules", "degraded": []});
    let ask = RecordWork::ask(&serde_json::from_value(question).unwrap());
    let works = [work_of(&reply), ask];
    let messages: Vec<Message> = works.iter().cycle().take(20).map(message).collect();

    let failed = join_all(messages.into_iter().map(|message| work(&worker, message))).await;

    assert!(failed.iter().all(Vec::is_empty));
    let expected = [("action:question", 1), ("action:search_flights", 1), ("turns", 2), ("written_by:rules", 2)];
    assert_eq!(totals(&app, "travel").await, counters(&expected));
}

#[tokio::test]
async fn a_worker_killed_anywhere_counts_every_turn_once() {
    let app = App::start().await;
    let worker = worker(&app);
    let mut works = Vec::new();
    for _ in 0..4 {
        works.push(work_of(&untold(&app, nobody().await, &flight()).await));
    }
    for microseconds in (0..20_000).step_by(700) {
        let deliver = join_all(works.iter().map(|turn| work(&worker, message(turn))));
        drop(tokio::time::timeout(Duration::from_micros(microseconds), deliver).await);
    }
    for turn in &works {
        assert!(work(&worker, message(turn)).await.is_empty());
    }
    let expected = [("action:search_flights", 4), ("turns", 4), ("written_by:rules", 4)];
    assert_eq!(totals(&app, "travel").await, counters(&expected));
    assert_eq!(asked(&app, "travel").await, [("route LHE-DXB".to_owned(), 4)]);
}

#[tokio::test]
async fn many_turns_that_meet_in_the_same_sums_are_all_counted() {
    let app = App::start().await;
    join_all((0..60).map(|_| app.say(None, FLIGHT))).await;
    totals_of(&app, "travel", 60).await;
    assert_eq!(asked(&app, "travel").await, [("route LHE-DXB".to_owned(), 60)]);
}

#[tokio::test]
async fn with_the_queue_away_or_hanging_turns_are_answered_and_counted_by_the_sweep() {
    let app = App::start().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hangs = queue_at(&format!("http://{}", listener.local_addr().unwrap())).await;
    let started = Instant::now();
    untold(&app, nobody().await, &flight()).await;
    untold(&app, hangs, &flight()).await;
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    assert_eq!(totals(&app, "travel").await, counters(&[]));

    let worker = worker(&app);
    assert!(record::sweep(worker.clone(), Deadline::after(Duration::from_secs(5))).await);
    assert_eq!(totals(&app, "travel").await, counters(&[]), "their messages may still come");
    let late = record::sweep_waiting(&worker, SignedDuration::ZERO, Deadline::after(Duration::ZERO)).await;
    assert!(late.counted == 0 && !late.is_whole(), "{late:?}");
    assert_eq!(sweep(&worker).await, 2);
    assert_eq!(sweep(&worker).await, 0, "nothing waits any more");
    assert_eq!(totals(&app, "travel").await["turns"], 2);
}

#[tokio::test]
async fn what_waited_at_a_kill_is_counted_after_the_restart() {
    let folder = std::env::temp_dir().join(format!("colloquy-recording-{}", std::process::id()));
    let start = || Options { state: State::Folder(folder.clone()), ..tests::options() };
    let app = App::with_options(start()).await;
    untold(&app, nobody().await, &flight()).await;
    app.colloquy.stop().await;

    let app = App::with_options(start()).await;
    let counted = totals_of(&app, "travel", 1).await;
    app.colloquy.stop().await;
    let app = App::with_options(start()).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(totals(&app, "travel").await, counted);
    app.colloquy.stop().await;
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn a_deleted_talk_is_not_brought_back_by_a_message_about_it() {
    let app = App::start().await;
    let reply = untold(&app, nobody().await, &flight()).await;
    let path = format!("/v1/sessions/{}", session_of(&reply));
    assert_eq!(app.send(app.request("DELETE", &path)).await.status, 204);

    let worker = worker(&app);
    assert!(work(&worker, message(&work_of(&reply))).await.is_empty());
    assert_eq!(sweep(&worker).await, 0);

    assert_eq!(app.get(&path).await.status, 404);
    let (client, names) = app.colloquy.tables();
    assert_eq!(client.scan().table_name(names.turns).send().await.unwrap().count(), 0);
    assert_eq!(totals(&app, "travel").await, counters(&[]), "what is deleted before it is counted is not");
}

#[tokio::test]
async fn a_message_that_cannot_be_read_ends_as_a_dead_letter_and_others_go_through() {
    let app = App::start().await;
    let failed = record::work(
        worker(&app),
        vec![
            Message {
                id: "bad".to_owned(),
                receipt: String::new(),
                body: "{}".to_owned(),
                tries: 1,
                waited: Duration::ZERO,
                trace: None,
            },
            message(&work_of(&untold(&app, nobody().await, &flight()).await)),
        ],
        Deadline::after(Duration::from_secs(5)),
    );
    assert!(failed.await.is_empty());
    let letters = app.colloquy.turn_queues().1.receive(Duration::ZERO).await.unwrap();
    assert_eq!(letters.iter().map(|letter| letter.body.as_str()).collect::<Vec<_>>(), ["{}"]);
    assert_eq!(totals(&app, "travel").await["turns"], 1);
}

#[tokio::test]
async fn a_table_that_is_not_there_gives_up_at_once_and_one_that_is_not_reached_puts_back() {
    let app = App::start().await;
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url("http://127.0.0.1:9")
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .build();
    let (client, names) = app.colloquy.tables();
    let (queue, dead) = app.colloquy.turn_queues();
    let work_at = async |client: aws_sdk_dynamodb::Client, table: &str| {
        let (prices, ttl) = (Prices::with(None).unwrap(), SignedDuration::from_hours(24));
        let handoffs = aws::handoffs::Handoffs::new(client.clone(), "handoffs");
        let tables = (app.colloquy.totals(), handoffs);
        let deps = record::Deps::new(client, table, tables, queue.clone(), prices, ttl);
        let turn = RecordWork::turn("01M7Y5QRE1TRSWEGN6CG59HSD5", SessionId::random());
        let again = work(&Arc::new(deps), message(&turn)).await;
        let letters = dead.receive(Duration::ZERO).await.unwrap();
        dead.delete(&letters).await.unwrap();
        (again.len(), letters.len())
    };
    assert_eq!(work_at(client, "no-such-table").await, (0, 1));
    assert_eq!(work_at(aws_sdk_dynamodb::Client::from_conf(config), &names.turns).await, (1, 0));
}

#[tokio::test]
async fn the_event_of_record_counts_a_question() {
    let app = App::start().await;
    let event: aws_lambda_events::sqs::SqsEvent =
        serde_json::from_str(include_str!("../../events/record.json")).unwrap();
    let messages: Vec<Message> = event.records.into_iter().map(runtime::lambda::message).collect();

    let failed = record::work(worker(&app), messages, Deadline::after(Duration::from_secs(5))).await;

    assert!(failed.is_empty());
    let totals = app.colloquy.totals().days([jiff::civil::date(2026, 11, 21)]).await.unwrap();
    // 1,200 × 0.15 + 150 × 0.60 dollars for a million.
    assert_eq!((totals[0].assistant.as_str(), totals[0].counters["cost"]), ("defi", 270_000_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_who_wants_a_person_is_listed_for_the_operator_and_a_webhook_is_told_without_a_word() {
    let (told, mut heard) = tokio::sync::mpsc::unbounded_channel::<Value>();
    let hook = axum::routing::post(async move |axum::Json(body): axum::Json<Value>| drop(told.send(body)));
    let url = tests::serve(axum::Router::new().route("/hook", hook)).await;
    let notify = record::Notify::by_webhook(format!("{url}/hook"));
    let app = App::with_options(local::Options { notify, ..tests::options() }).await;
    app.say(None, "from Oslo to Rome").await;
    let asked = app.say(None, "I want to talk to a human").await;
    assert_eq!(asked["action"], "handoff", "{asked}");
    assert!(asked["reply"].as_str().unwrap().contains("marked this conversation for a person"));

    let body = tokio::time::timeout(Duration::from_secs(10), heard.recv()).await.unwrap().unwrap();
    assert_eq!(body, json!({"event": "handoff", "turn_id": asked["turn_id"], "assistant": "travel"}));
    let list = |key: &str| app.request("GET", "/v1/admin/handoffs").bearer_auth(key);
    let listed = app.send(list(tests::OPERATOR_KEY)).await;
    let expected = json!([{"turn_id": asked["turn_id"], "assistant": "travel", "session_id": asked["session_id"]}]);
    assert_eq!((listed.status, &listed.body["handoffs"]), (200, &expected));
    assert_eq!(app.send(list("another key")).await.status, 401);
    assert_eq!(app.get("/v1/admin/handoffs").await.status, 401);
}

#[tokio::test]
async fn where_nobody_looks_at_hand_offs_that_is_said() {
    let options = local::Options { operator_key: None, hand_offs_are_read: false, ..tests::options() };
    let app = App::with_options(options).await;
    let asked = app.say(None, "I want to talk to a human").await;
    let reply = asked["reply"].as_str().unwrap();
    assert!(reply.contains("No person reads along here") && reply.contains("airline"), "{reply}");
    assert_eq!(app.get("/v1/admin/handoffs").await.status, 403);
}

#[tokio::test]
async fn a_day_is_on_many_keys_and_what_earlier_releases_counted_on_one_is_added() {
    let app = App::start().await;
    let (client, names) = app.colloquy.tables();
    let add = async |writes: Vec<aws_sdk_dynamodb::types::TransactWriteItem>| {
        client.transact_write_items().set_transact_items(Some(writes)).send().await.unwrap();
    };
    let totals = app.colloquy.totals();
    let moment = 1_795_219_200_000; // 2026-11-21, UTC.
    let counters = [("turns".to_owned(), 1)].into();
    for turn in 0..64 {
        let id = ulid::Ulid::from_parts(moment, turn);
        let asked = totals.add_asked(id, "travel", "route LHE-DXB", 1).unwrap();
        add(vec![totals.add(id, "travel", &counters).unwrap(), asked]).await;
    }
    let old = [("totals#travel#3", "turns", "10"), ("asked#travel#route LHE-DXB#3", "count", "5")];
    for (name, counter, n) in old {
        let put = client.put_item().table_name(&names.totals).item("day", S("2026-11-21".to_owned()));
        put.item("name", S(name.to_owned())).item(counter, N(n.to_owned())).send().await.unwrap();
    }

    let rows = client.scan().table_name(&names.totals).send().await.unwrap().items.unwrap();
    let keys: std::collections::BTreeSet<&str> = rows.iter().map(|row| row["day"].as_s().unwrap().as_str()).collect();
    let expected = (0..8).map(|shard| format!("2026-11-21#{shard}"));
    let expected: std::collections::BTreeSet<String> = expected.chain(["2026-11-21".to_owned()]).collect();
    assert_eq!(keys, expected.iter().map(String::as_str).collect());
    let day = jiff::civil::date(2026, 11, 21);
    assert_eq!(totals.days([day]).await.unwrap()[0].counters["turns"], 74);
    assert_eq!(totals.asked(day, "travel").await.unwrap(), [("route LHE-DXB".to_owned(), 69)]);
}
