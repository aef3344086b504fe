//! The reply's words may be a model's: with a stand-in that lies, nothing of what it changed is ever sent.

use std::time::{Duration, Instant};

use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use local::Options;
use models::llm::ChatModel;
use models::openai::Server;
use serde_json::{Value, json};
use tests::{App, session_of};

const MESSAGE: &str = "fly me from Lahore to Dubai next Friday";
const USED: (u64, u64) = (300, 90);

/// The set whose replies a stand-in words, after a while; it is given our reply.
async fn app(wanted: bool, delay: Duration, word: impl Fn(&str) -> Response + Clone + Send + Sync + 'static) -> App {
    let complete = async move |Json(request): Json<Value>| {
        let asked = request["messages"][1]["content"].as_str().unwrap().to_owned();
        tokio::time::sleep(delay).await;
        word(asked.split_once("\nReply:\n").unwrap().1)
    };
    let url = tests::serve(Router::new().route("/chat/completions", post(complete))).await;
    let model = ChatModel::new(Server::new(&url, None).unwrap(), "stand-in", 600);
    let options = tests::options();
    let respond = respond::Deps::new(options.assistants.clone(), Some(model)).with_model_words(wanted);
    App::with_options(Options { respond, ..options }).await
}

fn says(reply: &str) -> Response {
    let content = json!({"reply": reply}).to_string();
    let choice = json!({"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"});
    let usage = json!({"prompt_tokens": USED.0, "completion_tokens": USED.1});
    Json(json!({"choices": [choice], "usage": usage})).into_response()
}

/// What a stand-in makes of our reply.
type Lie = Box<dyn Fn(&str) -> String + Send + Sync>;

/// What a stream of the message tells: its words, how many bits they came in, and the whole reply.
async fn streamed(app: &App) -> (String, usize, Value) {
    let body = json!({"assistant": "travel", "message": MESSAGE, "client_time": tests::FRIDAY});
    let text = app.request("POST", "/v1/chat/stream").json(&body).send().await.unwrap().text().await.unwrap();
    let data = text
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|data| serde_json::from_str::<Value>(data).unwrap());
    let events: Vec<Value> = data.collect();
    let deltas: Vec<&str> =
        events.iter().filter(|event| event["event"] == "delta").filter_map(|event| event["text"].as_str()).collect();
    (deltas.concat(), deltas.len(), events.last().unwrap()["reply"].clone())
}

#[tokio::test]
async fn a_wording_that_says_the_same_is_sent_streamed_and_whole() {
    let kind = |ours: &str| says(&ours.replace("I found", "Good news! I found"));
    let app = app(true, Duration::ZERO, kind).await;
    let reply = app.say(None, MESSAGE).await;
    assert!(reply["reply"].as_str().unwrap().starts_with("Good news! I found "), "{reply}");
    assert_eq!(reply["written_by"], "model");
    assert_eq!(reply["usage"], json!({"prompt_tokens": USED.0, "completion_tokens": USED.1, "model": "stand-in"}));
    assert!(!reply["offers"].as_array().unwrap().is_empty());

    let (words, bits, done) = streamed(&app).await;
    assert!(words.starts_with("Good news!") && done["reply"] == json!(words), "{words}");
    assert_eq!((bits, &done["written_by"]), (1, &json!("model")), "nothing is sent before it was checked");
}

#[tokio::test]
async fn what_a_model_changes_adds_or_drops_is_never_sent() {
    let honest = App::start().await.say(None, MESSAGE).await;
    let ours = honest["reply"].as_str().unwrap().to_owned();
    let price = honest["offers"][0]["total_price"]["amount"].as_str().unwrap().to_owned();
    let airline = honest["offers"][0]["itineraries"][0]["segments"][0]["carrier"]["name"].as_str().unwrap().to_owned();
    let lies: [(&str, Lie); 8] = [
        ("another price", Box::new(move |ours: &str| ours.replace(&price, "1.00"))),
        ("another airline", Box::new(move |ours: &str| ours.replace(&airline, "Qatar Airways"))),
        ("a number more", Box::new(|ours: &str| format!("{ours} Only 3 seats are left."))),
        ("a date less", Box::new(|ours: &str| ours.replace(" on Friday 27 November", ""))),
        ("another date", Box::new(|ours: &str| ours.replace("Friday 27", "Thursday 26"))),
        ("no sample", Box::new(|ours: &str| ours.replace("not for sale", "for sale"))),
        ("a promise", Box::new(|ours: &str| format!("{ours} All are refundable."))),
        ("rubbish", Box::new(|_: &str| "asdf qwer zxcv".to_owned())),
    ];
    for (lie, tell) in lies {
        assert_ne!(tell(&ours), ours, "{lie}");
        let app = app(true, Duration::ZERO, {
            let tell = std::sync::Arc::new(tell);
            move |ours: &str| says(&tell(ours))
        })
        .await;
        let reply = app.say(None, MESSAGE).await;
        assert_eq!((&reply["reply"], &reply["written_by"]), (&json!(ours), &json!("rules")), "{lie}");
        assert_eq!(reply["usage"]["completion_tokens"], USED.1, "{lie}: it is paid all the same");
        assert_eq!(reply["degraded"], json!([]), "{lie}");
        assert_eq!(streamed(&app).await.0, ours, "{lie}");
    }
}

#[tokio::test]
async fn a_model_that_fails_or_is_late_costs_its_share_and_ours_is_sent() {
    let failing = app(true, Duration::ZERO, |_: &str| http::StatusCode::INTERNAL_SERVER_ERROR.into_response()).await;
    assert_eq!(failing.say(None, MESSAGE).await["written_by"], "rules");
    let babbling = app(true, Duration::ZERO, |_: &str| "<html>".into_response()).await;
    assert_eq!(babbling.say(None, MESSAGE).await["written_by"], "rules");

    let late = app(true, Duration::from_secs(60), says).await;
    let body = json!({"assistant": "travel", "message": MESSAGE, "client_time": tests::FRIDAY});
    let request = late.request("POST", "/v1/chat").header("colloquy-deadline-ms", "3000").json(&body);
    let started = Instant::now();
    let reply = late.send(request).await.body;
    assert!(started.elapsed() < Duration::from_millis(2_500), "{:?}", started.elapsed());
    assert_eq!(reply["written_by"], "rules");
    assert!(
        !reply["offers"].as_array().unwrap().is_empty() && reply["reply"].as_str().unwrap().starts_with("I found"),
        "{reply}"
    );
    assert_eq!(reply["usage"]["estimated"], true, "what it was asked is counted");
}

#[tokio::test]
async fn it_is_off_by_default_and_never_asked_for_what_helps_in_danger() {
    let off = app(false, Duration::ZERO, |_: &str| unreachable!("it is off")).await;
    assert_eq!(off.say(None, MESSAGE).await.get("usage"), None);
    let on = app(true, Duration::ZERO, says).await;
    let reply = on.say(None, "I want to kill myself").await;
    assert_eq!((&reply["action"], reply.get("usage")), (&json!("crisis"), None));
    let handed = on.say(None, "let me talk to a human").await;
    assert_eq!((&handed["action"], handed.get("usage")), (&json!("handoff"), None));
}

#[tokio::test]
async fn a_traveller_is_answered_in_their_language_as_far_as_it_can_be_checked() {
    let german = |ours: &str| {
        let words =
            ours.replace("Where would you like to fly to", "Von wo möchten Sie nach").replace(" from?", " fliegen?");
        says(&words)
    };
    let app = app(true, Duration::ZERO, german).await;
    let reply = app.say(None, "ich möchte am 5. Dezember nach Dubai fliegen").await;
    assert_eq!(reply["reply"], "Von wo möchten Sie nach Dubai fliegen?");
    let next = app.say(Some(session_of(&reply)), "ab Lahore bitte").await;
    assert_eq!(next["slots"]["origin"]["iata"], "LHE", "{next}");
}
