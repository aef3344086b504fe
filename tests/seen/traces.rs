//! One trace from the edge to the last upstream and worker.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use tests::{App, DOCUMENTS_KEY, FRIDAY};

use crate::log;
use crate::outside::Outside;

const ODD: &str = "whisk my better half and me off from Lahore to where the penguins waddle on 3 December";
const PLAIN: &str = "fly me from Lahore to Dubai next Friday";

fn message(words: &str) -> Value {
    json!({"assistant": "travel", "message": words, "client_time": FRIDAY})
}

fn parent(trace: &str) -> String {
    format!("00-{trace}-00f067aa0ba902b7-01")
}

/// The functions that warned of something in a trace.
fn functions(trace: &str) -> BTreeSet<String> {
    let lines = log::of_trace(trace);
    lines
        .iter()
        .filter(|line| line["level"] != "INFO")
        .map(|line| line["span"]["function"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_trace_goes_through_the_steps_to_what_is_outside_and_into_every_log_line() {
    log::keep();
    let (outside, options) = Outside::start().await;
    let app = App::with_options(options).await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    for words in [ODD, PLAIN] {
        let request = app.request("POST", "/v1/chat").header("traceparent", parent(trace));
        let answer = app.send(request.json(&message(words))).await;
        assert_eq!((answer.status, answer.headers["x-trace-id"].to_str().unwrap()), (200, trace), "{}", answer.body);
    }
    assert_eq!(outside.traces("/chat/completions"), [trace]);
    assert_eq!(outside.traces("/air/offer_requests"), [trace]);
    assert_eq!(functions(trace), BTreeSet::from(["flights".to_owned(), "understand".to_owned()]));
}

#[tokio::test]
async fn a_stream_keeps_its_trace_while_it_is_read() {
    log::keep();
    let (outside, options) = Outside::start().await;
    let app = App::with_options(options).await;
    let trace = "11111111111111111111111111111111";
    let request = app.request("POST", "/v1/chat/stream").header("traceparent", parent(trace));
    let response = request.json(&message(PLAIN)).send().await.unwrap();
    assert_eq!(response.headers()["x-trace-id"], trace);
    let events = response.text().await.unwrap();
    assert!(events.contains("event: done"), "{events}");
    assert_eq!(outside.traces("/air/offer_requests"), [trace]);
    assert_eq!(functions(trace), BTreeSet::from(["flights".to_owned()]));
}

#[tokio::test]
async fn a_worker_goes_on_with_the_trace_of_what_queued_its_message() {
    log::keep();
    let (outside, options) = Outside::start().await;
    let app = App::with_options(options).await;
    let trace = "22222222222222222222222222222222";
    let document =
        json!({"assistant": "defi", "source": "Handbook", "content_type": "text/markdown", "content": "# A\n\nText."});
    let request = app.request("POST", "/v1/documents").bearer_auth(DOCUMENTS_KEY);
    let answer = app.send(request.header("traceparent", parent(trace)).json(&document)).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    for _ in 0..200 {
        if !outside.traces("/embeddings").is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Refused, it asks whether everything is.
    assert_eq!(outside.traces("/embeddings").into_iter().collect::<BTreeSet<_>>(), BTreeSet::from([trace.to_owned()]));
    assert_eq!(functions(trace), BTreeSet::from(["embed".to_owned()]));
}

#[tokio::test]
async fn texts_are_loaded_as_a_part_of_the_trace_that_needs_them() {
    log::keep();
    let app = App::start().await;
    let trace = "33333333333333333333333333333333";
    let question = json!({"assistant": "defi", "question": "What is impermanent loss?"});
    let request = app.request("POST", "/v1/ask").header("traceparent", parent(trace));
    assert_eq!(app.send(request.json(&question)).await.status, 200);
    let lines = log::of_trace(trace);
    let loaded = lines.iter().find(|line| line["fields"]["message"] == "texts loaded");
    assert_eq!(loaded.unwrap_or_else(|| panic!("{lines:?}"))["span"]["function"], "retrieve");
}

#[tokio::test]
async fn a_header_that_cannot_be_read_is_replaced_and_an_error_names_its_trace_too() {
    let app = App::start().await;
    let mut seen = BTreeSet::new();
    for (path, header) in [("/v1/chat", "hello"), ("/v1/chat", "00-0-0-0"), ("/v1/sessions/none", "")] {
        let answer = app.send(app.request("GET", path).header("traceparent", header)).await;
        assert!(answer.status >= 400, "{}", answer.body);
        let trace = answer.headers["x-trace-id"].to_str().unwrap().to_owned();
        assert!(trace.len() == 32 && trace.bytes().all(|byte| byte.is_ascii_hexdigit()), "{trace}");
        seen.insert(trace);
    }
    assert_eq!(seen.len(), 3);
}
