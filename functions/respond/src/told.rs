//! The reply without a model: what the texts say to each question of a message, in their own words, cited.

use std::collections::BTreeSet;

use contracts::api::{Degraded, ReplyRequest};
use contracts::knowledge::{Intent, Passage, QuestionPart};
use runtime::assistants::Assistant;

use crate::about::{self, Rule};
use crate::{extract, language};

/// Whether the texts that answer are still being taken in.
pub(crate) fn is_loading(request: &ReplyRequest) -> bool {
    request.degraded.contains(&Degraded::loading())
}

/// What is said where they would have answered.
pub(crate) const LOADING: &str =
    "My texts are still being loaded, which takes a moment after the first start. Please ask me again shortly.";
/// The most words of an answer, of one of several, and of what another passage adds.
const WORDS: usize = 140;
const WORDS_OF_SEVERAL: usize = 90;
/// A passage of more words is no entry written as an answer: its sentences around the best one are quoted.
const ENTRY: usize = 260;
/// What is said of one question among several whose texts are still being taken in.
const LOADING_TOO: &str = "I can't answer yet: my texts are still being loaded. Please ask that again shortly.";
/// How near the next passage must be to the best one for what it adds to be told as well.
const NEAR: f64 = 0.92;
/// The most passages that a list of sources names.
const SOURCES: usize = 3;

/// A reply: its bits, and the passages it cites.
pub(crate) struct Told {
    pub bits: Vec<String>,
    pub cited: BTreeSet<usize>,
}

/// What the passages say; rules, where they have the word.
pub(crate) fn reply(assistant: &Assistant, request: &ReplyRequest) -> Told {
    let question = request.question.0.as_str();
    let rule = about::rule(question, assistant);
    if let Some(Rule { text, then_texts: false }) = &rule {
        return rules(vec![text.clone()]);
    }
    let parts = parts(request);
    let mut bits: Vec<String> =
        language::apology(question).map(|apology| format!("{apology}\n\n")).into_iter().collect();
    bits.extend(rule.iter().map(|rule| format!("{}\n\n", rule.text)));
    let answers: Vec<Answer> = parts.iter().filter_map(|part| answer(part, request, parts.len() > 1)).collect();
    if answers.is_empty() {
        bits.extend(match () {
            () if parts.is_empty() && rule.is_none() => greeting(question, assistant),
            () if rule.is_some() => assistant.disclaimer.clone().into_iter().collect(),
            () => unknown(&parts, assistant, request),
        });
        return rules(bits);
    }
    let mut cited = BTreeSet::new();
    for (at, answer) in answers.into_iter().enumerate() {
        let gap = if at > 0 { "\n\n" } else { "" };
        bits.push(format!("{gap}{}", answer.text));
        cited.extend(answer.cited);
    }
    let missed: Vec<&QuestionPart> = parts.iter().filter(|part| part.passages.is_empty()).collect();
    if parts.len() > 1 {
        let nothing = if is_loading(request) { LOADING_TOO } else { "my texts have nothing." };
        bits.extend(missed.iter().map(|part| format!("\n\nOn “{}” {nothing}", part.question.0)));
    }
    bits.extend(disclaimer(assistant, request));
    Told { bits, cited }
}

fn rules(bits: Vec<String>) -> Told {
    Told { bits, cited: BTreeSet::new() }
}

/// The questions of the message; where none were told apart, the message itself.
fn parts(request: &ReplyRequest) -> Vec<QuestionPart> {
    if request.parts.is_empty() && !request.passages.is_empty() {
        let passages = (1..=request.passages.len()).collect();
        return vec![QuestionPart { question: request.question.clone(), passages, ..QuestionPart::default() }];
    }
    request.parts.clone()
}

/// What is said to one question.
struct Answer {
    text: String,
    cited: Vec<usize>,
}

fn answer(part: &QuestionPart, request: &ReplyRequest, several: bool) -> Option<Answer> {
    let passages: Vec<(usize, &Passage)> = part
        .passages
        .iter()
        .filter_map(|number| Some((*number, request.passages.get(number.checked_sub(1)?)?)))
        .collect();
    let (first, rest) = passages.split_first()?;
    let told = request.session.turns.iter().rev().find(|turn| !turn.cited.is_empty());
    let is_told = |passage: &Passage| told.is_some_and(|turn| turn.cited.contains(&passage.id));
    let mut answer = match part.intent {
        Intent::Source => sources(&passages),
        Intent::Simpler => {
            let text = extract::short(&part.question, first.1);
            Answer { text: format!("In short: {text} [{}]", first.0), cited: vec![first.0] }
        }
        Intent::Example => example(&passages),
        Intent::More => more(&passages, is_told),
        Intent::FollowUp if is_told(first.1) => follow_up(part, *first, rest),
        _ => whole(part, *first, rest, several),
    };
    if let Some(country) = &part.elsewhere {
        answer.text = format!("I have nothing on {country}; this is about other places. {}", answer.text);
    }
    if part.intent == Intent::Unanswered {
        answer.text = format!("I'm sorry that this did not answer it. The next best that I have:\n\n{}", answer.text);
    }
    if several {
        answer.text = format!("{}\n{}", heading(first.1), answer.text);
    }
    Some(answer)
}

/// The heading right above a passage.
fn heading(passage: &Passage) -> &str {
    passage.heading.rsplit(" › ").next().unwrap_or_default()
}

/// The best passage as it answers, and what the next adds.
fn whole(
    part: &QuestionPart,
    (number, passage): (usize, &Passage),
    rest: &[(usize, &Passage)],
    several: bool,
) -> Answer {
    if passage.text.split_whitespace().count() > ENTRY {
        return quoted(part, (number, passage), rest);
    }
    let words = if several { WORDS_OF_SEVERAL } else { WORDS };
    let mut text = format!("{} [{number}]", extract::entry(&part.question, passage, words));
    let mut cited = vec![number];
    let next = rest.first().filter(|(_, next)| !several && next.score >= NEAR * passage.score);
    if let Some((number, next)) = next
        && next.text.split_whitespace().count() <= ENTRY
        && let Some(addition) = extract::addition(&part.question, next, passage)
    {
        text.push_str(&format!("\n\n{addition} [{number}]"));
        cited.push(*number);
    }
    Answer { text, cited }
}

/// The sentences of long documents that answer best, labelled as quotes.
fn quoted(part: &QuestionPart, first: (usize, &Passage), rest: &[(usize, &Passage)]) -> Answer {
    let all: Vec<(usize, &Passage)> = [first].into_iter().chain(rest.iter().copied()).collect();
    let passages: Vec<Passage> = all.iter().map(|(_, passage)| (*passage).clone()).collect();
    let quotes = extract::quotes(&part.question, &passages);
    let mut text = "Quoted from my texts:".to_owned();
    let mut cited = Vec::new();
    for quote in quotes {
        let number = all.get(quote.number - 1).map_or(first.0, |(number, _)| *number);
        text.push_str(&format!("\n\n“{}” [{number}]", quote.text));
        cited.push(number);
    }
    Answer { text, cited }
}

/// What goes on with the passage that was told: its sentences on that, and what the next says.
fn follow_up(part: &QuestionPart, (number, passage): (usize, &Passage), rest: &[(usize, &Passage)]) -> Answer {
    let (focus, fits) = extract::focus(&part.question, passage);
    let mut answer = Answer { text: String::new(), cited: Vec::new() };
    if fits {
        answer = Answer { text: format!("{focus} [{number}]"), cited: vec![number] };
    }
    if let Some((number, next)) = rest.first().filter(|(_, next)| next.text.split_whitespace().count() <= ENTRY) {
        let gap = if fits { "\n\n" } else { "" };
        let words = if fits { WORDS_OF_SEVERAL } else { WORDS };
        answer.text.push_str(&format!("{gap}{} [{number}]", extract::entry(&part.question, next, words)));
        answer.cited.push(*number);
    }
    if answer.cited.is_empty() {
        answer = whole(part, (number, passage), &[], false);
    }
    answer
}

/// What was not told yet; where all was, how it is said.
fn more(passages: &[(usize, &Passage)], is_told: impl Fn(&Passage) -> bool) -> Answer {
    let new: Vec<&(usize, &Passage)> = passages.iter().filter(|(_, passage)| !is_told(passage)).take(2).collect();
    let told = || passages.first().into_iter().collect::<Vec<_>>();
    let given = if new.is_empty() { told() } else { new };
    let mut answer = Answer { text: String::new(), cited: Vec::new() };
    for (number, passage) in given {
        let gap = if answer.text.is_empty() { "" } else { "\n\n" };
        let text = extract::entry(heading(passage), passage, WORDS_OF_SEVERAL);
        answer.text.push_str(&format!("{gap}{}\n{text} [{number}]", heading(passage)));
        answer.cited.push(*number);
    }
    answer
}

fn example(passages: &[(usize, &Passage)]) -> Answer {
    let found = passages.iter().find_map(|(number, passage)| Some((*number, extract::example(passage)?)));
    match (found, passages.first()) {
        (Some((number, text)), _) => Answer { text: format!("{text} [{number}]"), cited: vec![number] },
        (None, Some((number, passage))) => Answer {
            text: format!(
                "My texts give no example of it. {} [{number}]",
                extract::entry("", passage, WORDS_OF_SEVERAL)
            ),
            cited: vec![*number],
        },
        (None, None) => Answer { text: String::new(), cited: Vec::new() },
    }
}

fn sources(passages: &[(usize, &Passage)]) -> Answer {
    let mut text = "That is from:".to_owned();
    let mut cited = Vec::new();
    for (number, passage) in passages.iter().take(SOURCES) {
        let address = passage.url.as_ref().map(|url| format!(" – {url}")).unwrap_or_default();
        text.push_str(&format!("\n– {}{address} [{number}]", passage.source));
        cited.push(*number);
    }
    Answer { text, cited }
}

/// What is returned to a message that asks nothing.
fn greeting(message: &str, assistant: &Assistant) -> Vec<String> {
    let message = message.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if has(&["bye", "good night", "see you"]) {
        vec!["Goodbye, and all the best!".to_owned()]
    } else if has(&["thank", "thx", "cheers", "ty", "great", "cool", "nice", "ok", "fine", "good"])
        && !has(&["morning", "evening", "day"])
    {
        vec!["You're welcome! Ask me anything else.".to_owned()]
    } else {
        vec!["Hello! ".to_owned(), assistant.greeting.clone()]
    }
}

/// What the assistant is not: said with the first answer of a session, and with each question that has none.
fn disclaimer(assistant: &Assistant, request: &ReplyRequest) -> Option<String> {
    let is_first = request.session.turns.is_empty();
    assistant.disclaimer.as_ref().filter(|_| is_first).map(|disclaimer| format!("\n\n{disclaimer}"))
}

/// What is said where nothing answers: what was looked for, and what could be asked instead.
fn unknown(parts: &[QuestionPart], assistant: &Assistant, request: &ReplyRequest) -> Vec<String> {
    if is_loading(request) {
        return vec![LOADING.to_owned()];
    }
    let looked: Vec<String> = parts.iter().map(|part| format!("“{}”", part.question.0)).collect();
    let mut bits = vec![match looked.is_empty() {
        true => "I don't know: none of my texts answers that.".to_owned(),
        false => format!("I don't know: I looked for {}, and none of my texts answers that.", looked.join(" and ")),
    }];
    let near = if request.near.is_empty() { &assistant.suggestions } else { &request.near };
    if !near.is_empty() {
        let list: Vec<String> = near.iter().take(3).map(|heading| format!("\n– {heading}")).collect();
        bits.push(format!(" You could ask me, for example:{}", list.concat()));
    }
    bits.extend(disclaimer(assistant, request));
    bits
}

#[cfg(test)]
mod tests {
    use runtime::assistants::Assistants;
    use serde_json::json;

    use super::*;

    fn request(question: &str, parts: serde_json::Value, turns: serde_json::Value) -> ReplyRequest {
        let passage = |id: &str, heading: &str, text: &str, score: f64| json!({"id": id, "text": text, "heading": heading, "source": "NHS", "url": "https://www.nhs.uk", "score": score});
        let json = json!({
            "assistant": "fertility", "action": {"type": "retrieve"}, "session": {"turns": turns},
            "client_time": "2026-11-20T09:00:00Z", "question": question, "parts": parts,
            "passages": [
                passage("a", "Basics › What is IVF?", "IVF is a treatment with eggs. It costs 5 coins, because eggs are rare.", 0.9),
                passage("b", "Basics › How long does IVF take?", "A cycle takes three weeks or more.", 0.5),
            ],
        });
        serde_json::from_value(json).unwrap()
    }

    fn said(request: &ReplyRequest) -> String {
        let assistants = Assistants::embedded().unwrap();
        reply(assistants.get("fertility").unwrap(), request).bits.concat()
    }

    #[test]
    fn a_message_is_answered_part_by_part() {
        let parts = json!([
            {"question": "what is IVF", "passages": [1]},
            {"question": "how long does it take", "passages": [2]},
            {"question": "does it rain", "passages": []},
        ]);
        let text = said(&request("what is IVF, how long does it take and does it rain", parts, json!([])));
        assert!(text.starts_with("What is IVF?\nIVF is a treatment with eggs."), "{text}");
        assert!(text.contains("How long does IVF take?\nA cycle takes three weeks or more. [2]"), "{text}");
        assert!(text.contains("On “does it rain” my texts have nothing."), "{text}");
    }

    #[test]
    fn what_is_wanted_of_the_last_answer_is_said_of_it() {
        let turns = json!([{"message": "what is IVF", "reply": "…", "cited": ["a"]}]);
        for (intent, question, begins) in [
            ("source", "source?", "That is from:\n– NHS – https://www.nhs.uk [1]"),
            ("simpler", "simpler", "In short: IVF is a treatment with eggs."),
            ("follow_up", "why?", "It costs 5 coins, because eggs are rare. [1]"),
            ("more", "tell me more", "How long does IVF take?\nA cycle takes"),
            ("unanswered", "that does not answer it", "I'm sorry"),
        ] {
            let parts = json!([{"question": question, "intent": intent, "passages": [1, 2]}]);
            let text = said(&request(question, parts, turns.clone()));
            assert!(text.starts_with(begins) || text.contains(begins), "{intent}: {text}");
        }
    }

    #[test]
    fn what_is_not_known_is_named_with_what_could_be_asked() {
        let mut request = request("what is rain", json!([{"question": "what is rain", "passages": []}]), json!([]));
        request.near = vec!["What is IVF?".to_owned()];
        let text = said(&request);
        assert!(text.starts_with("I don't know: I looked for “what is rain”"), "{text}");
        assert!(text.contains("\n– What is IVF?"), "{text}");
    }

    #[test]
    fn while_texts_are_loaded_nothing_is_said_to_be_unknown() {
        let missed = json!({"question": "what is rain", "passages": []});
        let mut request = request("what is rain", json!([missed]), json!([]));
        request.near = vec!["What is IVF?".to_owned()];
        request.degraded = vec![contracts::api::Degraded::loading()];
        assert_eq!(said(&request), LOADING);

        request.parts.push(QuestionPart {
            question: "what is IVF".to_owned().into(),
            passages: vec![1],
            ..request.parts[0].clone()
        });
        let text = said(&request);
        assert!(text.contains("IVF is a treatment") && text.contains("On “what is rain” I can't answer yet"), "{text}");
    }

    #[test]
    fn another_country_is_named() {
        let parts = json!([{"question": "what is it in Peru", "passages": [1], "elsewhere": "Peru"}]);
        assert!(said(&request("what is it in Peru", parts, json!([]))).starts_with("I have nothing on Peru;"));
    }
}
