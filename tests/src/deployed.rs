//! The conversations of `tests/dialogues/`, held with a Colloquy that runs somewhere, so that a pipeline can stop where it goes
//! otherwise than written.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use reqwest::Client;
use serde_json::{Value, json};
use shared::travel::Slots;

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
        let reply = say(client, url, &body).await.with_context(|| format!("{:?}", turn.you))?;
        check(turn.known.as_ref(), &turn.then, &reply).with_context(|| format!("{:?}", turn.you))?;
        if reply["action"] == "search_flights" {
            offers = Some(reply["offers"].clone());
        }
        session = reply["session_id"].clone();
    }
    Ok(Outcome::Passed)
}

async fn say(client: &Client, url: &str, body: &Value) -> anyhow::Result<Value> {
    let url = format!("{}/v1/chat", url.trim_end_matches('/'));
    let response = client.post(url).json(body).send().await?;
    let (status, trace) = (response.status(), response.headers().get("x-trace-id").cloned());
    let text = response.text().await?;
    if !status.is_success() {
        bail!("{status}, trace {trace:?}: {text}");
    }
    serde_json::from_str(&text).context("the answer is not JSON")
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
        "show" => "show_offer",
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
