//! Stand-ins on loopback for a model's server, and the public description of the real one.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use runtime::config::Secret;
use runtime::deadline::Deadline;
use serde_json::Value;

use super::Server;

/// A server whose answers `answer` makes from the count of earlier requests and the body of each.
pub struct StandIn {
    pub server: Server,
    requests: Arc<Mutex<Vec<Value>>>,
}

impl StandIn {
    pub async fn new(path: &str, answer: impl Fn(usize, &Value) -> Response + Clone + Send + Sync + 'static) -> Self {
        let requests: Arc<Mutex<Vec<Value>>> = Arc::default();
        let seen = requests.clone();
        let handler = async move |request: Request| {
            assert_eq!(request.headers()["authorization"], "Bearer sk-test");
            let body = axum::body::to_bytes(request.into_body(), usize::MAX).await.unwrap();
            let body: Value = serde_json::from_slice(&body).unwrap();
            let mut seen = seen.lock().unwrap();
            let answer = answer(seen.len(), &body);
            seen.push(body);
            answer
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1/", listener.local_addr().unwrap());
        let router = Router::new().route(&format!("/v1{path}"), axum::routing::post(handler));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let key = Secret::new("OPENAI_API_KEY", "sk-test".to_owned());
        Self { server: Server::new(&url, Some(key)).unwrap(), requests }
    }

    pub fn requests(&self) -> Vec<Value> {
        self.requests.lock().unwrap().clone()
    }
}

pub fn answer(status: u16, body: impl Into<Body>) -> Response {
    Response::builder().status(status).body(body.into()).unwrap()
}

pub fn answer_later(status: u16, retry_after: &str) -> Response {
    Response::builder().status(status).header("retry-after", retry_after).body(Body::empty()).unwrap()
}

pub fn in_three_seconds() -> Deadline {
    Deadline::after(Duration::from_secs(3))
}

/// The schemas of OpenAI's public description, from the folder that `COLLOQUY_FIXTURES` names; without it the test is
/// skipped, saying so. A relative folder is seen from the workspace's root.
pub fn schemas() -> Option<Value> {
    let Ok(folder) = std::env::var("COLLOQUY_FIXTURES") else {
        eprintln!("skipped: COLLOQUY_FIXTURES is not set, so OpenAI's description is not read");
        return None;
    };
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let file = std::path::Path::new(root).join(folder).join("openai/openapi.json");
    let description: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    Some(description["components"]["schemas"].clone())
}

/// Says which of `value`'s fields, at any depth, the schema called `name` does not have, as paths.
pub fn unknown_fields(schemas: &Value, name: &str, value: &Value) -> Vec<String> {
    let mut unknown = Vec::new();
    compare(schemas, &schemas[name], value, name, &mut unknown);
    unknown
}

fn compare(schemas: &Value, schema: &Value, value: &Value, path: &str, unknown: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                let path = format!("{path}.{field}");
                let found: Vec<&Value> =
                    variants(schemas, schema).iter().filter_map(|of| of["properties"].get(field)).collect();
                match found.as_slice() {
                    [] => unknown.push(path),
                    // A schema within the request is the caller's own.
                    _ if field == "schema" => {}
                    found => compare(schemas, &serde_json::json!({ "anyOf": found }), value, &path, unknown),
                }
            }
        }
        Value::Array(items) => {
            let found: Vec<&Value> = variants(schemas, schema).into_iter().filter_map(|of| of.get("items")).collect();
            for item in items {
                compare(schemas, &serde_json::json!({ "anyOf": found }), item, &format!("{path}[]"), unknown);
            }
        }
        Value::String(text) => {
            let names: Vec<&Value> =
                variants(schemas, schema).into_iter().filter_map(|of| of["enum"].as_array()).flatten().collect();
            let open = variants(schemas, schema).iter().any(|of| of["type"] == "string" && of.get("enum").is_none());
            if !open && !names.iter().any(|name| *name == text) {
                unknown.push(format!("{path} = {text}"));
            }
        }
        _ => {}
    }
}

/// A schema with its references followed and its alternatives and parts side by side.
fn variants<'a>(schemas: &'a Value, schema: &'a Value) -> Vec<&'a Value> {
    if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()) {
        return variants(schemas, &schemas[name]);
    }
    let parts = ["allOf", "anyOf", "oneOf"].iter().filter_map(|key| schema[*key].as_array()).flatten();
    parts.flat_map(|part| variants(schemas, part)).chain([schema]).collect()
}
