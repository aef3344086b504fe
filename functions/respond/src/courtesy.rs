//! What an assistant that answers from texts says when nothing was asked.

use contracts::dialogue::{Action, Topic};
use runtime::assistants::Assistant;

/// The reply, in bits that can be sent one after the other.
pub(crate) fn reply(action: &Action, assistant: &Assistant) -> Vec<String> {
    match action {
        Action::Answer { topic: Topic::Thanks, .. } => vec!["You're welcome! Ask me anything else.".to_owned()],
        Action::Answer { topic: Topic::Goodbye, .. } => vec!["Goodbye, and all the best!".to_owned()],
        Action::Answer { topic: Topic::Help, .. } => help(assistant),
        Action::StartOver => vec!["Let's begin again. ".to_owned(), assistant.greeting.clone()],
        Action::Handoff => vec![
            "I have marked this session for a person to take over; what was said so far stays with it. ".to_owned(),
            "I can't call or write to anybody myself, nor say when somebody will. ".to_owned(),
            "In danger, call your local emergency number.".to_owned(),
        ],
        _ => vec!["Hello! ".to_owned(), assistant.greeting.clone()],
    }
}

fn help(assistant: &Assistant) -> Vec<String> {
    let example = assistant.suggestions.first().map(|question| format!(" For example: “{question}”"));
    let disclaimer = assistant.disclaimer.as_ref().map(|disclaimer| format!(" {disclaimer}"));
    let who = format!("I'm the {}. ", assistant.title);
    [who, assistant.description.clone()].into_iter().chain(example).chain(disclaimer).collect()
}
