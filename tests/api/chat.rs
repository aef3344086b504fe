//! A traveller writes sentences and gets ranked flights.

use contracts::api::FLIGHTS;
use serde_json::{Value, json};
use tests::{App, FRIDAY, session_of};

use crate::idempotency::Watched;

#[tokio::test]
async fn one_sentence_finds_ranked_flights_there_and_back() {
    let app = App::start().await;

    let reply = app.say(None, "fly me from Lahore to Dubai next Friday, two of us, business, back a week later").await;

    assert_eq!(reply["action"], "search_flights");
    let slots = &reply["slots"];
    assert_eq!(slots["origin"], json!({"name": "Lahore", "iata": "LHE"}));
    assert_eq!(slots["destination"]["name"], "Dubai");
    assert_eq!(slots["departure_date"], "2026-11-27");
    assert_eq!(slots["return_date"], "2026-12-04");
    assert_eq!(slots["passengers"], json!({"adults": 2, "children": 0, "infants": 0}));
    assert_eq!(slots["cabin"], "business");
    let offers = reply["offers"].as_array().unwrap();
    assert!(!offers.is_empty());
    for (index, offer) in offers.iter().enumerate() {
        assert_eq!(offer["rank"], index + 1);
        assert_eq!((&offer["sample"], &offer["provider"]), (&json!(true), &json!("sample")));
        assert_eq!(offer["itineraries"].as_array().unwrap().len(), 2);
        let terms: f64 =
            offer["cost"]["terms"].as_array().unwrap().iter().map(|term| term["amount"].as_f64().unwrap()).sum();
        assert!((terms - offer["cost"]["total"].as_f64().unwrap()).abs() < 0.01);
    }
    let costs: Vec<f64> = offers.iter().map(|offer| offer["cost"]["total"].as_f64().unwrap()).collect();
    assert!(costs.is_sorted(), "{costs:?}");
    assert!(reply["reply"].as_str().unwrap().contains("Friday 27 November"));
    assert_eq!(reply["degraded"], json!([]));
}

#[tokio::test]
async fn what_is_missing_is_asked_for_and_then_searched() {
    let app = App::start().await;

    let first = app.say(None, "I need a flight to Dubai").await;
    assert_eq!(first["action"], "ask");
    let second = app.say(Some(session_of(&first)), "from Lahore").await;
    assert_eq!(second["action"], "ask");
    let third = app.say(Some(session_of(&first)), "tomorrow").await;

    assert_eq!(third["action"], "search_flights");
    assert_eq!(third["slots"]["departure_date"], "2026-11-21");
    assert_eq!(third["session_id"], first["session_id"]);
}

#[tokio::test]
async fn an_offer_shown_before_can_be_looked_at() {
    let app = App::start().await;
    let found = app.say(None, "flights from London to New York next Friday").await;

    let shown = app.say(Some(session_of(&found)), "tell me more about the second one").await;

    assert_eq!(shown["action"], "show_offer");
    assert_eq!(shown["offers"], Value::Array(vec![found["offers"][1].clone()]));
}

#[tokio::test]
async fn a_trace_says_how_long_each_step_took() {
    let app = App::start().await;
    let message = "fly me from Lahore to Dubai tomorrow";

    let traced = app.post_chat(&json!({"assistant": "travel", "message": message, "trace": true})).await;
    let plain = app.post_chat(&json!({"assistant": "travel", "message": message})).await;

    let steps: Vec<&str> = traced.body["timings_ms"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(steps, ["begin", "commit", "flights", "respond", "understand"]);
    assert_eq!(plain.body.get("timings_ms"), None);
}

#[tokio::test]
async fn the_assistants_are_listed() {
    let app = App::start().await;
    let answer = app.get("/v1/assistants").await;
    assert_eq!(answer.body["assistants"][0]["name"], "travel");
    assert!(answer.body["assistants"][0]["suggestions"].as_array().is_some_and(|list| !list.is_empty()));
}

#[tokio::test(flavor = "multi_thread")]
async fn more_offers_are_of_the_search_before_and_nothing_is_searched_again() {
    let app = App::start().await;
    let watched = Watched::start(&app).await;
    let say = async |key: &str, session: &Value, message: &str| -> Value {
        let body = json!({"assistant": "travel", "message": message, "session_id": session, "client_time": FRIDAY});
        let (status, text) = watched.post("/v1/chat", key, &body).await;
        assert_eq!(status, 200, "{text}");
        serde_json::from_str(&text).unwrap()
    };
    let ranks = |reply: &Value| -> Vec<u64> {
        reply["offers"].as_array().unwrap().iter().map(|offer| offer["rank"].as_u64().unwrap()).collect()
    };
    let first = say("a-key-for-the-first-page", &Value::Null, "fly me from Lahore to Dubai next Friday").await;
    let session = &first["session_id"];
    assert_eq!((ranks(&first), watched.called(FLIGHTS.path)), ((1..=5).collect(), 1));

    let second = say("2", session, "show me more flights").await;
    say("3", session, "thanks").await;
    let third = say("4", session, "show me more flights").await;

    assert_eq!((ranks(&second), ranks(&third)), ((6..=10).collect(), (11..=15).collect()));
    assert_eq!(watched.called(FLIGHTS.path), 1);
    let another = say("5", session, "nonstop only").await;
    assert_eq!((&another["action"], watched.called(FLIGHTS.path)), (&json!("search_flights"), 2), "{another}");
    say("6", session, "show me more flights").await;
    assert_eq!(app.of_session("DELETE", "/v1/session", session.as_str().unwrap()).await.status, 204);
    let (client, tables) = app.colloquy.tables();
    let rows = client.scan().table_name(tables.sessions).send().await.unwrap();
    assert!(rows.items().iter().all(|row| !row.contains_key("ranked") && !row.contains_key("state")), "{rows:?}");
}
