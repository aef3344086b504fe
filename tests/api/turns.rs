//! The turns of a session, what they cost, and what people say of them.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};
use tests::{Answer, App, session_of};

async fn turns(app: &App, session_id: &str, query: &str) -> Answer {
    app.of_session("GET", &format!("/v1/session/turns{query}"), session_id).await
}

async fn rate(app: &App, turn_id: &str, body: &Value) -> Answer {
    app.send(app.request("POST", &format!("/v1/turns/{turn_id}/feedback")).json(body)).await
}

/// The ratings of all days.
async fn ratings(app: &App, turn_id: &str) -> BTreeMap<String, u128> {
    let day = contracts::turns::day(turn_id.parse().unwrap());
    let days = app.colloquy.totals().days([day]).await.unwrap();
    let counters = days.into_iter().flat_map(|day| day.counters);
    counters.filter(|(name, count)| name.starts_with("rating:") && *count > 0).collect()
}

fn ids(page: &Value) -> Vec<String> {
    let turns = page["turns"].as_array().unwrap();
    turns.iter().map(|turn| turn["turn_id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_turns_of_a_session_are_shown_with_what_they_took() {
    let app = App::start().await;
    let reply = app.say(None, "fly me from Lahore to Dubai next Friday").await;
    let mut page = turns(&app, session_of(&reply), "").await;
    for _ in 0..100 {
        if page.body["turns"][0]["recorded"] == true {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        page = turns(&app, session_of(&reply), "").await;
    }
    assert_eq!((page.status, page.body.get("next")), (200, None));
    let turn = &page.body["turns"][0];
    assert_eq!((&turn["turn_id"], &turn["reply"]), (&reply["turn_id"], &reply["reply"]));
    assert_eq!(turn["message"], "fly me from Lahore to Dubai next Friday");
    assert_eq!((&turn["action"], &turn["written_by"]), (&json!("search_flights"), &json!("rules")));
    assert_eq!((&turn["recorded"], &turn["cost_usd"]), (&json!(true), &json!("0")));
    assert_eq!((&turn["degraded"], &turn["citations"]), (&json!([]), &json!([])));
    let steps: Vec<_> = turn["timings_ms"].as_object().unwrap().keys().collect();
    assert_eq!(steps, ["begin", "flights", "respond", "understand"]);
}

#[tokio::test]
async fn turns_come_in_pages_the_newest_first() {
    let app = App::start().await;
    let first = app.say(None, "hello").await;
    let id = session_of(&first).to_owned();
    let mut said = vec![first["turn_id"].as_str().unwrap().to_owned()];
    for _ in 0..6 {
        said.push(app.say(Some(&id), "hello").await["turn_id"].as_str().unwrap().to_owned());
    }
    said.reverse();

    let mut seen = Vec::new();
    let mut query = "?limit=3".to_owned();
    loop {
        let page = turns(&app, &id, &query).await.body;
        assert!(ids(&page).len() <= 3);
        seen.extend(ids(&page));
        let Some(next) = page.get("next") else { break };
        query = format!("?limit=3&before={}", next.as_str().unwrap());
    }
    assert_eq!(seen, said);
    assert_eq!(ids(&turns(&app, &id, "").await.body), said);

    for (query, field) in [
        ("?limit=0", "limit"),
        ("?limit=101", "limit"),
        ("?limit=many", "limit"),
        ("?limit=", "limit"),
        ("?before=yesterday", "before"),
        ("?before=01m7y5qre1trswegn6cg59hsd5", "before"),
    ] {
        let refused = turns(&app, &id, query).await;
        assert_eq!((refused.status, &refused.body["errors"][0]["field"]), (422, &json!(field)), "{query}");
    }
    assert_eq!(app.of_session("DELETE", "/v1/session", &id).await.status, 204);
    assert_eq!(turns(&app, &id, "").await.body["type"], "urn:colloquy:problem:unknown-session");
    assert_eq!(turns(&app, &"0".repeat(32), "").await.status, 404);
    assert_eq!(turns(&app, "mine", "").await.status, 404);
}

#[tokio::test]
async fn what_is_said_of_a_turn_is_kept_and_counted_once_however_often_it_changes() {
    let app = App::start().await;
    let reply = app.say(None, "hello").await;
    let (id, turn_id) = (session_of(&reply), reply["turn_id"].as_str().unwrap());
    let feedback = async || turns(&app, id, "").await.body["turns"][0].get("feedback").cloned();
    assert_eq!(feedback().await, None);

    let up = json!({"rating": "up", "comment": "Just so"});
    for _ in 0..2 {
        assert_eq!(rate(&app, turn_id, &up).await.status, 204);
        assert_eq!(ratings(&app, turn_id).await, BTreeMap::from([("rating:up".to_owned(), 1)]));
    }
    assert_eq!(feedback().await, Some(up));
    assert_eq!(rate(&app, turn_id, &json!({"rating": "down"})).await.status, 204);
    assert_eq!(feedback().await, Some(json!({"rating": "down"})));
    assert_eq!(ratings(&app, turn_id).await, BTreeMap::from([("rating:down".to_owned(), 1)]));

    let at_once = (0..12).map(|n| if n % 2 == 0 { json!({"rating": "up"}) } else { json!({"rating": "down"}) });
    let answers = join_all(at_once.map(async |body| rate(&app, turn_id, &body).await.status)).await;
    assert!(answers.iter().all(|status| *status == 204), "{answers:?}");
    let last = format!("rating:{}", feedback().await.unwrap()["rating"].as_str().unwrap());
    assert_eq!(ratings(&app, turn_id).await, BTreeMap::from([(last, 1)]));
}

#[tokio::test]
async fn feedback_that_is_wrong_or_of_no_turn_is_refused() {
    let app = App::start().await;
    let reply = app.say(None, "hello").await;
    let turn_id = reply["turn_id"].as_str().unwrap();
    let cases = [
        (json!({}), "rating"),
        (json!({"rating": "sideways"}), "rating"),
        (json!({"rating": "up", "comment": "x".repeat(1_001)}), "comment"),
        (json!({"rating": "up", "comment": 1}), "comment"),
        (json!({"rating": "up", "stars": 5}), "stars"),
    ];
    for (body, field) in cases {
        let refused = rate(&app, turn_id, &body).await;
        assert_eq!((refused.status, &refused.body["errors"][0]["field"]), (422, &json!(field)), "{body}");
    }
    assert_eq!(rate(&app, turn_id, &json!({"rating": "up", "comment": "ا".repeat(1_000)})).await.status, 204);
    for unknown in ["mine", "01M7Y5QRE1TRSWEGN6CG59HSD5", &turn_id.to_lowercase()] {
        let refused = rate(&app, unknown, &json!({"rating": "up"})).await;
        assert_eq!((refused.status, &refused.body["type"]), (404, &json!("urn:colloquy:problem:unknown-turn")));
    }
    app.of_session("DELETE", "/v1/session", session_of(&reply)).await;
    assert_eq!(rate(&app, turn_id, &json!({"rating": "up"})).await.status, 404, "deleted with its session");
}

#[tokio::test]
async fn an_answer_without_a_session_can_be_rated_once_it_is_counted() {
    let app = App::start().await;
    let ask = json!({"assistant": "defi", "question": "hello"});
    let ask = app.send(app.request("POST", "/v1/ask").json(&ask)).await.body;
    let turn_id = ask["turn_id"].as_str().unwrap();
    for _ in 0..100 {
        if rate(&app, turn_id, &json!({"rating": "down"})).await.status == 204 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(ratings(&app, turn_id).await, BTreeMap::from([("rating:down".to_owned(), 1)]));
}
