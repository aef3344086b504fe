//! Traffic and faults are sent, and each metric moves.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use local::Options;
use models::llm::ChatModel;
use models::openai::Server;
use runtime::meter::{Kind, METRICS};
use serde_json::{Value, json};
use tests::{App, DOCUMENTS_KEY, FRIDAY};

use crate::outside::Outside;

/// What `/metrics` shows.
pub struct Shown {
    types: BTreeMap<String, String>,
    helped: Vec<String>,
    samples: Vec<(String, BTreeMap<String, String>, f64)>,
}

pub async fn shown(app: &App) -> Shown {
    let response = app.request("GET", "/metrics").send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    let text = response.text().await.unwrap();
    let mut shown = Shown { types: BTreeMap::new(), helped: Vec::new(), samples: Vec::new() };
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert_eq!(shown.types.insert(name.to_owned(), kind.to_owned()), None, "{name} twice");
        } else if let Some(rest) = line.strip_prefix("# HELP ") {
            shown.helped.push(rest.split_once(' ').unwrap().0.to_owned());
        } else {
            shown.samples.push(sample(line));
        }
    }
    shown
}

fn sample(line: &str) -> (String, BTreeMap<String, String>, f64) {
    let (series, value) = line.rsplit_once(' ').unwrap();
    let (name, labels) = series.split_once('{').unwrap();
    let labels = labels.strip_suffix("\"}").unwrap().split("\",");
    let labels =
        labels.map(|label| label.split_once("=\"").unwrap()).map(|(key, value)| (key.to_owned(), value.to_owned()));
    (name.to_owned(), labels.collect(), value.parse().unwrap())
}

impl Shown {
    /// The sum of the samples of a name that have all these labels.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let fits = |have: &BTreeMap<String, String>| {
            labels.iter().all(|(key, value)| have.get(*key).is_some_and(|is| is == value))
        };
        self.samples.iter().filter(|(is, have, _)| is == name && fits(have)).map(|(.., value)| value).sum()
    }
}

/// A model that answers everything, and says what it used.
async fn model() -> ChatModel {
    let usage = json!({"prompt_tokens": 210, "completion_tokens": 30, "total_tokens": 240});
    let said =
        json!({"intent": "search_flights", "from": "Lahore", "to": "Rome", "adults": 2, "cabin": null}).to_string();
    let choice = json!({"index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": "stop"});
    let answer = json!({"choices": [choice], "usage": usage});
    let router = Router::new().route("/chat/completions", post(async move || Json(answer)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    ChatModel::new(Server::new(&url, None).unwrap(), "gpt-4o-mini", 100)
}

async fn say(app: &App, words: &str) -> u16 {
    let body = json!({"assistant": "travel", "message": words, "client_time": FRIDAY});
    app.send(app.request("POST", "/v1/chat").json(&body)).await.status
}

#[tokio::test]
async fn every_metric_moves_with_what_it_is_of() {
    let (_outside, options) = Outside::start().await;
    let app = App::with_options(Options {
        understand: understand::Deps { model: Some(model().await), ..Default::default() },
        ..options
    })
    .await;
    let before = shown(&app).await;

    assert_eq!(say(&app, "fly me from Lahore to Dubai next Friday").await, 200);
    assert_eq!(say(&app, "fly me from Lahore to Dubai in two weeks, give or take a day").await, 200);
    let odd = "whisk my better half and me off from Lahore to where the Colosseum stands on 3 December";
    assert_eq!(say(&app, odd).await, 200);
    assert_eq!(app.send(app.request("GET", "/v1/chat")).await.status, 405);
    assert_eq!(app.send(app.request("GET", "/v1/sessions/00000000000000000000000000000000")).await.status, 404);
    let document =
        json!({"assistant": "defi", "source": "A", "content_type": "text/markdown", "content": "# A\n\nText."});
    let request = app.request("POST", "/v1/documents").bearer_auth(DOCUMENTS_KEY);
    assert_eq!(app.send(request.json(&document)).await.status, 202);
    // Both turns are counted in batches of their own or in one.
    let mut after = shown(&app).await;
    for _ in 0..200 {
        let batches =
            |shown: &Shown| shown.sum("request_duration_seconds_count", &[("route", "batch"), ("function", "embed")]);
        let cost = |shown: &Shown| shown.sum("cost_usd_total", &[("function", "record")]);
        if cost(&after) > cost(&before) && batches(&after) > batches(&before) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        after = shown(&app).await;
    }

    for (name, labels, least) in [
        ("requests_total", &[("function", "chat"), ("status", "2xx")][..], 2.0),
        ("requests_total", &[("function", "chat"), ("status", "4xx")], 2.0),
        ("requests_total", &[("function", "understand"), ("status", "2xx")], 2.0),
        ("request_duration_seconds_count", &[("function", "chat"), ("route", "/v1/chat")], 3.0),
        ("request_duration_seconds_count", &[("function", "chat"), ("route", "/v1/sessions/{id}")], 1.0),
        ("request_duration_seconds_count", &[("function", "flights"), ("route", "/steps/flights")], 1.0),
        ("turns_total", &[("function", "chat"), ("outcome", "degraded")], 1.0),
        ("turn_duration_seconds_count", &[("function", "chat"), ("model", "no")], 1.0),
        ("turn_duration_seconds_count", &[("function", "chat"), ("model", "yes")], 1.0),
        ("upstream_calls_total", &[("function", "flights"), ("endpoint", "duffel"), ("outcome", "unauthorized")], 1.0),
        (
            "upstream_calls_total",
            &[("function", "understand"), ("endpoint", "chat/completions"), ("outcome", "ok")],
            1.0,
        ),
        ("day_searches_total", &[("function", "flights"), ("provider", "duffel")], 2.0),
        ("upstream_duration_seconds_count", &[("function", "flights"), ("endpoint", "duffel")], 1.0),
        ("tokens_total", &[("function", "understand"), ("model", "gpt-4o-mini"), ("kind", "prompt")], 210.0),
        ("tokens_total", &[("function", "understand"), ("model", "gpt-4o-mini"), ("kind", "completion")], 30.0),
        ("cost_usd_total", &[("function", "record"), ("assistant", "travel")], 0.000_049),
        ("queue_age_seconds_count", &[("function", "record")], 1.0),
        ("queue_age_seconds_count", &[("function", "embed")], 1.0),
    ] {
        let moved = after.sum(name, labels) - before.sum(name, labels);
        assert!(moved >= least, "{name} {labels:?} moved by {moved}, and not by {least}");
    }
    assert!(after.sum("cold_starts_total", &[("function", "chat")]) >= 1.0);
    let swept = after.sum("request_duration_seconds_count", &[("function", "embed"), ("route", "schedule")]);
    assert!(swept >= 1.0, "what stayed pending was looked for at the start");
}

#[tokio::test]
async fn requests_in_flight_rise_while_they_wait_and_fall_again() {
    let (waiting, go_on) =
        (std::sync::Arc::new(tokio::sync::Notify::new()), std::sync::Arc::new(tokio::sync::Notify::new()));
    let (told, held) = (waiting.clone(), go_on.clone());
    let hang = post(async move || {
        told.notify_one();
        held.notified().await;
        StatusCode::BAD_GATEWAY
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/air/offer_requests", hang)).await });
    let app = App::with_flights(tests::duffel_flights([&url])).await;
    let of_flights = [("function", "flights")];
    let (answer, while_waiting) = tokio::join!(say(&app, "fly me from Lahore to Dubai next Friday"), async {
        waiting.notified().await;
        let shown = shown(&app).await;
        go_on.notify_one();
        shown
    });
    assert_eq!(answer, 200);
    assert!(while_waiting.sum("requests_in_flight", &of_flights) >= 1.0);
    for _ in 0..100 {
        if shown(&app).await.sum("requests_in_flight", &of_flights) == 0.0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("requests stay in flight");
}

/// The rules that `promtool check metrics` has for names, types and help texts, and ours for labels.
#[tokio::test]
async fn what_is_shown_is_as_prometheus_wants_it() {
    let app = App::start().await;
    assert_eq!(say(&app, "fly me from Lahore to Dubai next Friday").await, 200);
    assert_eq!(app.send(app.request("GET", "/v1/sessions/somebody")).await.status, 404);
    let shown = shown(&app).await;
    let kinds: BTreeMap<&str, &str> = METRICS
        .iter()
        .map(|metric| {
            (
                metric.name,
                match metric.kind {
                    Kind::Counter => "counter",
                    Kind::Gauge => "gauge",
                    Kind::Histogram => "histogram",
                },
            )
        })
        .collect();
    for (name, kind) in &shown.types {
        assert_eq!(kinds.get(name.as_str()), Some(&kind.as_str()), "{name}");
        assert!(shown.helped.contains(name), "{name} has no help");
    }
    let suffixes = ["_bucket", "_count", "_sum"];
    for (name, labels, value) in &shown.samples {
        let base = suffixes.iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name);
        let metric =
            METRICS.iter().find(|metric| metric.name == base).unwrap_or_else(|| panic!("{name} is not described"));
        let split: Vec<&str> = labels.keys().map(String::as_str).filter(|label| *label != "le").collect();
        let mut expected = metric.labels.to_vec();
        expected.sort_unstable();
        assert_eq!(split, expected, "{name}");
        assert!(value.is_finite() && *value >= 0.0, "{name} {value}");
    }
    // Whatever is asked, a route is a template.
    let routes: Vec<Value> =
        shown.samples.iter().filter_map(|(_, labels, _)| labels.get("route").map(|route| json!(route))).collect();
    assert!(!routes.iter().any(|route| route.as_str().unwrap().contains("somebody")), "{routes:?}");
}
