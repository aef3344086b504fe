//! Every file in `events/` is executed through the router of its function, as Lambda would hand it over.

use std::path::{Path, PathBuf};

use axum::Router;
use axum::body::to_bytes;
use lambda_http::request::from_str;
use runtime::assistants::Assistants;
use runtime::config::Secret;
use runtime::pipeline::Pipeline;
use serde_json::Value;
use tests::App;
use tower::ServiceExt;

fn events() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../events")
}

/// The routers as the functions' binaries build them, with the steps of `app`.
async fn router(function: &str, app: &App) -> Router {
    let pipeline = || Pipeline::new(app.colloquy.steps_url()).unwrap();
    match function {
        "chat" => chat::router(chat::Deps::new(pipeline(), app.colloquy.turn_queues().0, tests::options().assistants)),
        "understand" => understand::router(understand::Deps::default()),
        "session" => session::router(session::Deps::new(app.colloquy.store())),
        "flights" => flights::router(tests::sample_flights()),
        "respond" => respond::router(respond::Deps::new(Assistants::embedded().unwrap(), None)),
        "retrieve" => {
            let assistants = Assistants::embedded().unwrap();
            retrieve::router(retrieve::Deps::new(app.colloquy.knowledge(), None, assistants, 1024))
        }
        "health" => {
            let (tables, names) = app.colloquy.tables();
            let (chunks, turns) = (app.colloquy.chunk_queues().0, app.colloquy.turn_queues().0);
            health::router(health::Deps::new(pipeline(), tables, local::health_tables(&names), chunks, turns))
        }
        "ingest" => ingest::router(std::sync::Arc::new(ingest::Deps {
            store: app.colloquy.knowledge(),
            queue: app.colloquy.chunk_queues().0,
            assistants: Assistants::embedded().unwrap(),
            spaces: aws::knowledge_store::Spaces::default(),
            key: Some(Secret::new("DOCUMENTS_API_KEY", tests::DOCUMENTS_KEY.to_owned())),
            pdfs: tests::pdf_reader(),
        })),
        "web" => web::router(),
        other => panic!("events/{other}.json belongs to no function"),
    }
}

pub(crate) async fn invoke(function: &str, app: &App) -> (u16, String) {
    let event = std::fs::read_to_string(events().join(format!("{function}.json"))).unwrap();
    let request = from_str(&event).unwrap();
    let response = router(function, app).await.oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn every_event_is_answered_by_its_function() {
    let app = App::start().await;
    let mut functions: Vec<String> = std::fs::read_dir(events())
        .unwrap()
        .map(|file| file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    functions.sort();
    let expected = [
        "chat",
        "embed",
        "flights",
        "health",
        "ingest",
        "record",
        "respond",
        "retrieve",
        "session",
        "understand",
        "warm",
        "web",
    ];
    assert_eq!(functions, expected);
    // What SQS and schedules hand over is no request: it is executed where its function is tried.
    for function in functions.iter().filter(|function| !["embed", "record", "warm"].contains(&function.as_str())) {
        let (status, body) = invoke(function, &app).await;
        assert_eq!(status, if function == "ingest" { 202 } else { 200 }, "{function}: {body}");
    }
}

#[tokio::test]
async fn the_events_of_the_steps_make_a_turn() {
    let app = App::start().await;
    let (_, understood) = invoke("understand", &app).await;
    let understood: Value = serde_json::from_str(&understood).unwrap();
    assert_eq!(understood["places"].as_array().unwrap().len(), 2);
    let (_, begun) = invoke("session", &app).await;
    assert_eq!(serde_json::from_str::<Value>(&begun).unwrap()["kind"], "turn");
    let (_, found) = invoke("flights", &app).await;
    assert!(!serde_json::from_str::<Value>(&found).unwrap()["offers"].as_array().unwrap().is_empty());
    let (_, said) = invoke("respond", &app).await;
    assert!(said.starts_with("data: ") && said.contains("\"type\":\"done\""), "{said}");
    let (_, answered) = invoke("chat", &app).await;
    assert_eq!(serde_json::from_str::<Value>(&answered).unwrap()["assistant"], "travel");
}
