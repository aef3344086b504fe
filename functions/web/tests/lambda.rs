//! The binary as Lambda runs it, against a stand-in for Lambda's runtime API: what it answers, and what it writes to the log.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by it")]

use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::sync::{Mutex, mpsc};

const TRACE: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
const LIMIT: Duration = Duration::from_secs(30);

/// Hands out one invocation, then none.
struct Runtime {
    event: Mutex<Option<Value>>,
    answers: mpsc::UnboundedSender<Value>,
}

async fn next(State(runtime): State<Arc<Runtime>>) -> Response {
    let Some(event) = runtime.event.lock().await.take() else { return std::future::pending().await };
    let deadline = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap() + LIMIT;
    let headers = [
        ("lambda-runtime-aws-request-id", "one".to_owned()),
        ("lambda-runtime-deadline-ms", deadline.as_millis().to_string()),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-central-1:1:function:web".to_owned()),
        ("lambda-runtime-trace-id", TRACE.to_owned()),
    ];
    (headers, event.to_string()).into_response()
}

async fn answer(State(runtime): State<Arc<Runtime>>, body: Bytes) -> StatusCode {
    runtime.answers.send(serde_json::from_slice(&body).unwrap()).unwrap();
    StatusCode::ACCEPTED
}

/// What the binary answers to an event, and the lines of its standard output until then, `lines` at least.
async fn invoke(event: Value, variables: &[(&str, &str)], lines: usize) -> (Value, Vec<Value>) {
    let (answers, mut answered) = mpsc::unbounded_channel();
    let runtime = Arc::new(Runtime { event: Mutex::new(Some(event)), answers });
    let router = Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{id}/response", post(answer))
        .with_state(runtime);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let mut command = Command::new(env!("CARGO_BIN_EXE_web"));
    command.env_clear().envs(variables.iter().copied()).env("AWS_LAMBDA_RUNTIME_API", address);
    for (name, value) in [("NAME", "web"), ("VERSION", "1"), ("MEMORY_SIZE", "128")] {
        command.env(format!("AWS_LAMBDA_FUNCTION_{name}"), value);
    }
    command.env("AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH", "true");
    command.env("AWS_LAMBDA_LOG_GROUP_NAME", "g").env("AWS_LAMBDA_LOG_STREAM_NAME", "s");
    let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let answer = tokio::time::timeout(LIMIT, answered.recv()).await.expect("an answer in time").unwrap();
    let mut written = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut seen = Vec::new();
    while seen.len() < lines {
        let line = tokio::time::timeout(LIMIT, written.next_line()).await.expect("a line in time").unwrap().unwrap();
        seen.push(serde_json::from_str(&line).unwrap());
    }
    child.kill().await.unwrap();
    // Nothing more may have been written.
    while let Some(line) = written.next_line().await.unwrap() {
        seen.push(serde_json::from_str(&line).unwrap());
    }
    (answer, seen)
}

fn event(path: &str) -> Value {
    let context = json!({"resourcePath": path, "httpMethod": "GET", "path": path, "stage": "prod", "requestId": "one", "identity": {}});
    json!({"resource": path, "path": path, "httpMethod": "GET", "headers": {}, "multiValueHeaders": {},
        "queryStringParameters": null, "multiValueQueryStringParameters": null, "pathParameters": null,
        "stageVariables": null, "requestContext": context, "body": null, "isBase64Encoded": false})
}

#[tokio::test]
async fn the_trace_of_an_answer_is_x_rays() {
    let (answer, _) = invoke(event("/v1/openapi.json"), &[], 0).await;
    assert_eq!(answer["statusCode"], 200);
    assert_eq!(answer["multiValueHeaders"]["x-trace-id"], json!(["5759e988bd862e3fe1be46a994272793"]), "{answer}");
}

/// CloudWatch's embedded metric format: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
#[tokio::test]
async fn what_is_measured_is_written_as_embedded_metrics() {
    let (_, documents) =
        invoke(event("/v1/openapi.json"), &[("METRICS", "true"), ("METRICS_NAMESPACE", "colloquy")], 3).await;
    let mut metrics = Vec::new();
    for document in &documents {
        assert!(document["_aws"]["Timestamp"].as_u64().unwrap() > 1_700_000_000_000);
        for directive in document["_aws"]["CloudWatchMetrics"].as_array().unwrap() {
            assert_eq!(directive["Namespace"], "colloquy");
            let sets = directive["Dimensions"].as_array().unwrap();
            let dimensions: Vec<&str> = sets[0].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
            assert!(sets.len() == 1 && dimensions.len() <= 30);
            let values: Vec<&str> = dimensions.iter().map(|name| document[name].as_str().unwrap()).collect();
            for metric in directive["Metrics"].as_array().unwrap() {
                let (name, unit) = (metric["Name"].as_str().unwrap(), metric["Unit"].as_str().unwrap());
                let value = &document[name];
                assert!(value.is_number() || value["Values"].is_array() || value.is_array(), "{name}: {value}");
                metrics.push(format!("{name} {unit} {}", values.join(" ")));
            }
        }
    }
    metrics.sort();
    assert_eq!(
        metrics,
        [
            "cold_starts_total Count web",
            "request_duration_seconds Seconds web /v1/openapi.json",
            "requests_in_flight Count web",
            "requests_total Count web 2xx",
        ]
    );
    let in_flight = documents.iter().find_map(|document| document["requests_in_flight"].as_f64());
    assert_eq!(in_flight, Some(1.0));
}

#[tokio::test]
async fn without_a_namespace_nothing_is_measured() {
    let (answer, documents) = invoke(event("/"), &[], 0).await;
    assert_eq!((answer["statusCode"].as_u64(), documents), (Some(200), Vec::new()));
}
