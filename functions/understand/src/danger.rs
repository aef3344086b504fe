//! A model reads a message for danger, after the guard found none: where an operator switches it on.
//!
//! It can only raise. What is no clear answer in time is none, and the reply is never the model's.

use std::time::Duration;

use contracts::api::Usage;
use contracts::private::Private;
use models::llm::{ChatModel, Message, Role};
use runtime::deadline::Deadline;
use safety::{Class, second_reader};
use serde_json::json;

/// The most time that it may take.
const LONGEST: Duration = Duration::from_secs(3);
/// The share of the time left that it may take.
const SHARE: u32 = 4;

/// The danger that the model sees, and what it used.
pub(crate) async fn read(
    model: &ChatModel,
    words: &Private<String>,
    deadline: Deadline,
) -> (Option<Class>, Option<Usage>) {
    let Some(question) = second_reader::question(words) else { return (None, None) };
    let system = Message { role: Role::System, content: Private(question.system.to_owned()) };
    let user = Message { role: Role::User, content: Private(question.user) };
    let answers: Vec<&str> = second_reader::answers().collect();
    let schema = json!({
        "type": "object", "properties": {"danger": {"type": "string", "enum": answers}},
        "required": ["danger"], "additionalProperties": false,
    });
    let share = (deadline.remaining() / SHARE).min(LONGEST);
    match model.extract(&[system, user], schema, deadline.within(share)).await {
        Ok((value, usage)) => {
            let alarm = value.get("danger").and_then(|danger| second_reader::raised(danger.as_str()?));
            (alarm.map(|alarm| alarm.class), usage)
        }
        Err(failure) => {
            tracing::warn!(reason = failure.reason.as_str(), "the model did not read a message for danger");
            (None, None)
        }
    }
}
