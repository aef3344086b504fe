//! What is kept of a session, and for whom.

use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::join_all;
use local::{Options, State};
use serde_json::json;
use tests::{App, session_of};

#[tokio::test]
async fn a_session_can_be_read_and_deleted() {
    let app = App::start().await;
    let reply = app.say(None, "I want to fly from Oslo to Rome").await;
    let session = async |method| app.of_session(method, "/v1/session", session_of(&reply)).await;

    let kept = session("GET").await;
    assert_eq!((kept.status, &kept.body["version"]), (200, &json!(1)));
    assert_eq!(kept.body["slots"], reply["slots"]);
    assert_eq!(kept.body["turns"][0]["message"], "I want to fly from Oslo to Rome");
    assert_eq!(kept.body["turns"][0]["reply"], reply["reply"]);

    assert_eq!(session("DELETE").await.status, 204);
    assert_eq!(session("GET").await.status, 404);
    assert_eq!(session("DELETE").await.status, 404);
    let again = json!({"assistant": "travel", "message": "hello", "session_id": session_of(&reply)});
    assert_eq!(app.post_chat(&again).await.status, 404, "a deleted session stays deleted");
}

#[tokio::test]
async fn a_deletion_that_was_broken_off_is_finished_by_the_next() {
    let app = App::start().await;
    let id = session_of(&app.say(None, "I want to fly from Oslo to Rome").await).to_owned();
    let (client, tables) = app.colloquy.tables();
    // The session is gone, as at its end, and what was said in it is not.
    client.delete_item().table_name(tables.sessions).key("id", AttributeValue::S(id.clone())).send().await.unwrap();
    let turns = async || {
        let query = client.query().table_name(&tables.turns).key_condition_expression("session_id = :id");
        query.expression_attribute_values(":id", AttributeValue::S(id.clone())).send().await.unwrap().count
    };
    let delete = async || app.of_session("DELETE", "/v1/session", &id).await.status;

    assert_eq!(turns().await, 1);
    assert_eq!(delete().await, 204);
    assert_eq!(turns().await, 0);
    assert_eq!(delete().await, 404);
}

#[tokio::test]
async fn ten_turns_sent_at_once_to_one_talk_are_all_kept() {
    let app = App::start().await;
    let first = app.say(None, "I want to fly from Oslo to Rome").await;
    let id = session_of(&first);
    let said = [
        "on the 3rd of December",
        "in business class",
        "two adults",
        "nonstop",
        "under 900 euros",
        "hello",
        "thanks",
        "in the morning",
        "with SAS",
        "what can you do?",
    ];

    let replies = join_all(said.map(|words| app.say(Some(id), words))).await;

    assert_eq!(replies.len(), 10);
    let kept = app.of_session("GET", "/v1/session", id).await.body;
    assert_eq!(kept["version"], 11);
    assert_eq!(kept["turns"].as_array().unwrap().len(), 11);
    let slots = &kept["slots"];
    assert_eq!(slots["origin"]["name"], "Oslo");
    assert_eq!(slots["departure_date"], "2026-12-03");
    assert_eq!(slots["cabin"], "business");
    assert_eq!(slots["passengers"]["adults"], 2);
    assert_eq!(slots["max_stops"], 0);
    assert_eq!(slots["max_price"], json!({"amount": "900.00", "currency": "EUR"}));
}

#[tokio::test]
async fn a_session_survives_a_restart() {
    let folder = std::env::temp_dir().join(format!("colloquy-{}", std::process::id()));
    let start = || Options { state: State::Folder(folder.clone()), ..tests::options() };
    let app = App::with_options(start()).await;
    let reply = app.say(None, "I want to fly from Oslo to Rome").await;
    app.colloquy.stop().await;

    let app = App::with_options(start()).await;
    let kept = app.of_session("GET", "/v1/session", session_of(&reply)).await;
    app.colloquy.stop().await;
    std::fs::remove_dir_all(&folder).unwrap();

    assert_eq!((kept.status, &kept.body["slots"]), (200, &reply["slots"]));
}

#[tokio::test]
async fn a_session_stays_small_however_long_it_gets() {
    let app = App::start().await;
    let first = app.say(None, "fly me from London to New York tomorrow, back in a week").await;
    let id = session_of(&first);
    let long = "I would like something else, please. ".repeat(100);

    for _ in 0..20 {
        app.say(Some(id), &long).await;
    }

    let kept = app.of_session("GET", "/v1/session", id).await.body;
    assert_eq!(kept["version"], 21);
    assert!(kept.to_string().len() < 17 * 1024);
    assert_eq!(kept["slots"]["origin"]["iata"], "LON");
}

/// As the releases before had them.
#[tokio::test]
async fn the_paths_with_a_sessions_id_still_answer() {
    let app = App::start().await;
    let reply = app.say(None, "I want to fly from Oslo to Rome").await;
    let path = format!("/v1/sessions/{}", session_of(&reply));
    assert_eq!(app.get(&path).await.body, app.of_session("GET", "/v1/session", session_of(&reply)).await.body);
    let turns = app.of_session("GET", "/v1/session/turns", session_of(&reply)).await;
    assert_eq!((turns.status, turns.body["turns"].as_array().unwrap().len()), (200, 1));
    assert_eq!(app.get(&format!("{path}/turns")).await.body["turns"][0]["turn_id"], reply["turn_id"]);
    for path in ["/v1/session", "/v1/session/turns"] {
        let missing = app.get(path).await;
        assert_eq!((missing.status, &missing.body["errors"][0]["field"]), (422, &json!("Colloquy-Session")));
    }
    assert_eq!(app.send(app.request("DELETE", &path)).await.status, 204);
    assert_eq!(app.of_session("GET", "/v1/session", session_of(&reply)).await.status, 404);
}
