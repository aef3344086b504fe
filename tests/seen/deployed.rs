//! The check that a pipeline runs after a deployment, against the set as it runs, and against one that has become worse.

use std::path::Path;
use std::process::Command;

use axum::routing::post;
use axum::{Json, Router};
use serde_json::json;
use tests::App;

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
    let files = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("dialogues")).unwrap().count();
    let (code, said) = check(app.colloquy.url()).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.ends_with(&format!("{files} conversations: {files} as written, 0 of them cut short, 0 not\n")),
        "{said}"
    );
}

#[tokio::test]
async fn a_worse_one_fails_the_check() {
    let worse = post(async || Json(json!({"session_id": "1", "action": "handoff", "slots": {}, "offers": []})));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/v1/chat", worse)).await });
    let (code, said) = check(url).await;
    assert_eq!(code, Some(1), "{said}");
}
