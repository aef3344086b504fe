//! The check that a pipeline runs after a deployment, against the set as it runs, and against one that has become worse.

use std::path::Path;
use std::process::Command;

use axum::body::to_bytes;
use axum::extract::Request;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::json;
use tests::{App, serve};

/// How the check ends at `url`, and what it says.
async fn check(url: String) -> (Option<i32>, String) {
    let check =
        tokio::task::spawn_blocking(move || Command::new(env!("CARGO_BIN_EXE_check")).arg(url).output().unwrap());
    let output = check.await.unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

#[tokio::test]
async fn the_conversations_go_as_written_over_http() {
    let app = App::start().await;
    let files = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("dialogues")).unwrap();
    let files = files.filter(|entry| entry.as_ref().unwrap().path().is_file()).count();
    let (code, said) = check(app.colloquy.url()).await;
    assert_eq!(code, Some(0), "{said}");
    let all = format!("{files} conversations: {files} as written, 0 of them cut short, 0 not\n");
    assert!(said.ends_with(&format!("{all}asked today, at once and streamed: answered\n")), "{said}");
}

#[tokio::test]
async fn a_worse_one_fails_the_check() {
    let worse = post(async || Json(json!({"session_id": "1", "action": "handoff", "slots": {}, "offers": []})));
    let (code, said) = check(serve(Router::new().route("/v1/chat", worse)).await).await;
    assert_eq!(code, Some(1), "{said}");
}

#[tokio::test]
async fn one_without_a_part_fails_the_check_though_it_answers() {
    let app = App::start().await;
    let (url, client) = (app.colloquy.url(), reqwest::Client::new());
    for (part, path, expected) in [
        ("respond", "/v1/chat", "\"respond\" is missing"),
        ("embedder", "/v1/ask", "a question: \"embedder\" is missing"),
        ("session", "/v1/chat/stream", "a stream ended with \"error\""),
    ] {
        let (url, client) = (url.clone(), client.clone());
        let without = move |request: Request| async move {
            let (of, asked) =
                (request.uri().path().to_owned(), to_bytes(request.into_body(), usize::MAX).await.unwrap());
            let answer = client.post(format!("{url}{of}")).header("content-type", "application/json").body(asked);
            let mut text = answer.send().await.unwrap().text().await.unwrap();
            if of == path {
                let missing = format!("\"degraded\":[{{\"part\":\"{part}\",\"reason\":\"unavailable\"}}]");
                text = text.replace("\"degraded\":[]", &missing).replace("\"event\":\"done\"", "\"event\":\"error\"");
            }
            text
        };
        let (code, said) = check(serve(Router::new().fallback(without)).await).await;
        assert!(code == Some(1) && said.contains(expected), "{part}: {said}");
    }
}
