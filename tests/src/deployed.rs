//! The conversations of `tests/dialogues/`, held with a Colloquy that runs somewhere, so that a pipeline can stop where it goes
//! otherwise than written.

use std::collections::BTreeMap;

use anyhow::{Context, anyhow, bail};
use contracts::travel::Slots;
use reqwest::Client;
use serde_json::{Value, json};

use crate::conversations::{Conversation, known};

/// What came of a conversation.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It went as written.
    Passed,
    /// It went as written to a turn that needs offers, and there were none: `client_time` lies too far back for those who
    /// search flights, say. So many turns were left out.
    Cut(usize),
}

/// Asks for flights of these days, at once and streamed, and something that is looked up: what no conversation of a fixed day
/// shows where flights are real.
///
/// # Errors
/// What did not come.
pub async fn ask(client: &Client, url: &str) -> anyhow::Result<()> {
    let search = json!({"assistant": "travel", "message": "fly me from London to New York in four weeks"});
    let reply = say(client, url, "/v1/chat", &search).await.context("flights, at once")?;
    has_offers(&reply).context("flights, at once")?;
    let question = json!({"assistant": "travel", "question": "Can I bring a power bank?"});
    say(client, url, "/v1/ask", &question).await.context("a question")?;
    let text = post(client, url, "/v1/chat/stream", &search).await.context("flights, streamed")?;
    let last = text.lines().filter_map(|line| line.strip_prefix("data: ")).next_back().unwrap_or_default();
    let last: Value = serde_json::from_str(last).context("the end of the stream")?;
    if last["event"] != "done" {
        bail!("a stream ended with {}", last["event"]);
    }
    whole(&last["reply"]).and_then(|()| has_offers(&last["reply"])).context("flights, streamed")
}

/// Holds a conversation with the travel agent at `url`.
///
/// # Errors
/// What went otherwise than written, with the words that led there.
pub async fn hold(client: &Client, url: &str, conversation: &Conversation) -> anyhow::Result<Outcome> {
    let (mut session, mut offers) = (Value::Null, None::<Value>);
    let mut now = &conversation.at;
    for (index, turn) in conversation.turn.iter().enumerate() {
        now = turn.at.as_ref().unwrap_or(now);
        let none = offers.as_ref().is_some_and(|offers| offers.as_array().is_none_or(Vec::is_empty));
        if none && needs_offers(&turn.then) {
            return Ok(Outcome::Cut(conversation.turn.len() - index));
        }
        if turn.where_shown.as_ref().is_some_and(|airline| !shows(offers.as_ref(), airline)) {
            continue;
        }
        let body = json!({"assistant": "travel", "message": turn.you, "session_id": session,
            "client_time": now.to_string()});
        let reply = say(client, url, "/v1/chat", &body).await.with_context(|| format!("{:?}", turn.you))?;
        check(turn.known.as_ref(), &turn.then, &reply).with_context(|| format!("{:?}", turn.you))?;
        if reply["action"] == "search_flights" {
            offers = Some(reply["offers"].clone());
        }
        session = reply["session_id"].clone();
    }
    Ok(Outcome::Passed)
}

async fn say(client: &Client, url: &str, path: &str, body: &Value) -> anyhow::Result<Value> {
    let text = post(client, url, path, body).await?;
    let reply = serde_json::from_str(&text).context("the answer is not JSON")?;
    whole(&reply)?;
    Ok(reply)
}

async fn post(client: &Client, url: &str, path: &str, body: &Value) -> anyhow::Result<String> {
    let response = client.post(format!("{}{path}", url.trim_end_matches('/'))).json(body).send().await?;
    let (status, trace) = (response.status(), response.headers().get("x-trace-id").cloned());
    let text = response.text().await?;
    if !status.is_success() {
        bail!("{status}, trace {trace:?}: {text}");
    }
    Ok(text)
}

/// Whether nothing is missing in an answer but, perhaps, a flight provider's offers: these are not ours to deploy, and none
/// sells flights of the past.
fn whole(reply: &Value) -> anyhow::Result<()> {
    let degraded = reply["degraded"].as_array().map(Vec::as_slice).unwrap_or_default();
    let ours = |one: &&Value| !matches!(one["part"].as_str(), Some("duffel" | "amadeus" | "flights"));
    degraded.iter().find(ours).map_or(Ok(()), |one| Err(anyhow!("{} is missing: {}", one["part"], one["reason"])))
}

fn has_offers(reply: &Value) -> anyhow::Result<()> {
    if reply["offers"].as_array().is_none_or(Vec::is_empty) {
        bail!("no offers, and degraded is {}", reply["degraded"]);
    }
    Ok(())
}

fn check(expected: Option<&BTreeMap<String, String>>, then: &str, reply: &Value) -> anyhow::Result<()> {
    if reply["action"] != action(then) {
        bail!("expected {} ({then}), got {}", action(then), reply["action"]);
    }
    let slots: Slots = serde_json::from_value(reply["slots"].clone()).context("the slots")?;
    if let Some(expected) = expected.filter(|expected| **expected != known(&slots)) {
        bail!("expected {expected:?}, got {:?}", known(&slots));
    }
    Ok(())
}

/// The name of an action of which the files have more.
fn action(then: &str) -> &str {
    match then.split(' ').next().unwrap_or_default() {
        "search" => "search_flights",
        "show" | "book" => "show_offer",
        "look" => "answer",
        name => name,
    }
}

/// Whether an airline has an offer among those shown.
fn shows(offers: Option<&Value>, airline: &str) -> bool {
    offers.is_some_and(|offers| offers.to_string().contains(&format!("\"iata\":\"{airline}\"")))
}

fn needs_offers(then: &str) -> bool {
    then.starts_with("show") || then.starts_with("search after") || then.contains(" about ")
}
