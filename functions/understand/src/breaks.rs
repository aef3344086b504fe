//! Where a person breaks the talk off: drops the journey, begins again, or wants somebody else to talk to.
//!
//! What follows cannot be taken back by "no, I didn't mean that", so the words must say it themselves: the verb, and what
//! it is about. "Cancel the trip" drops the journey, "cancel the business class" a wish; "talk to a person" asks for
//! somebody, "500 a person" is a price.

use crate::text::Text;

/// A person is wanted: "can I talk to a human, please", "give me a real agent", "agent".
pub fn is_handoff(text: &Text) -> bool {
    const PERSONS: &[&str] = &[
        "person",
        "human",
        "human being",
        "human help",
        "human support",
        "human agent",
        "agent",
        "travel agent",
        "support agent",
        "representative",
        "rep",
        "operator",
        "advisor",
        "adviser",
        "consultant",
        "colleague",
        "employee",
        "staff",
        "support",
        "support staff",
        "support team",
        "customer service",
        "customer support",
        "customer care",
        "someone",
        "somebody",
        "anyone",
        "anybody",
    ];
    (0..text.len()).any(|at| {
        let Some(length) = text.any_of(at, PERSONS) else { return false };
        let ends = ends_clause(text, at + length)
            || matches!(
                text.at(at + length),
                "who" | "that" | "about" | "to" | "for" | "on" | "at" | "in" | "from" | "here" | "there" | "real"
            );
        ends && (is_asked_for(text, at) || is_named_alone(text, at..at + length))
    })
}

/// "Let me talk to a real …", "I want a …", "is there a …".
fn is_asked_for(text: &Text, at: usize) -> bool {
    const BETWEEN: &[&str] = &[
        "a", "an", "the", "any", "some", "to", "with", "me", "us", "through", "over", "of", "your", "real", "live",
        "actual", "another", "in", "touch", "directly", "please", "just", "up", "one", "human",
    ];
    const TALKS: &[&str] = &[
        "talk", "talking", "speak", "speaking", "chat", "chatting", "connect", "transfer", "contact", "reach", "put",
        "hand", "pass", "switch", "call", "escalate",
    ];
    const WANTS: &[&str] = &["want", "need", "like", "prefer", "give", "get", "have", "bring", "there"];
    let Some(back) = (1..=6).find(|back| !BETWEEN.contains(&text.before(at, *back))) else { return false };
    let (verb, before) = (text.before(at, back), text.before(at, back + 1));
    let somebody = matches!(text.at(at), "someone" | "somebody" | "anyone" | "anybody");
    let asks = TALKS.contains(&verb)
        // "I need someone" and "I'd like support" may be about anything.
        || WANTS.contains(&verb) && !somebody && text.at(at) != "support" && is_one(text, at) && (verb != "there" || before == "is");
    // "Am I talking to a human?" asks something else.
    asks && !is_denied(text, at - back) && !(before == "i" && text.before(at, back + 2) == "am")
}

/// "Need a person", and not "need person" or "want two agents".
fn is_one(text: &Text, at: usize) -> bool {
    matches!(text.before(at, 1), "a" | "an" | "real" | "live" | "actual" | "human" | "another" | "the" | "your")
        || text.at(at) != "person"
}

/// The sentence says little else: "agent please", "a real person".
fn is_named_alone(text: &Text, named: std::ops::Range<usize>) -> bool {
    const BESIDE: [&str; 14] =
        ["a", "an", "the", "real", "live", "actual", "human", "please", "now", "hello", "hi", "hey", "asap", "pls"];
    let sentence = text.sentence(named.start);
    let mut beside = (0..text.len())
        .filter(|at| !named.contains(at) && text.sentence(*at) == sentence && text.is_word(*at))
        .map(|at| text.at(at));
    let mut told_apart = !matches!(
        text.at(named.start),
        "person" | "someone" | "somebody" | "anyone" | "anybody" | "colleague" | "employee" | "staff"
    );
    beside.all(|word| {
        told_apart |= matches!(word, "real" | "live" | "actual" | "please" | "pls");
        BESIDE.contains(&word)
    }) && told_apart
}

/// All is to be forgotten and said anew.
pub fn is_start_over(text: &Text) -> bool {
    const AGAIN: &[&str] = &[
        "start over",
        "start all over",
        "start from scratch",
        "start from the beginning",
        "start from zero",
        "start afresh",
        "start anew",
        "start fresh",
        "start again",
        "begin again",
        "begin anew",
        "restart",
        "reset",
        "new search",
        "again from the beginning",
        "from the beginning again",
        "clear everything",
        "clear it all",
        "wipe everything",
        "wipe it all",
        "wipe all",
        "wipe the slate",
        "clean slate",
        "erase everything",
        "delete everything",
        "bin everything",
        "scrap everything",
        "scrap all of that",
        "forget all of that",
        "forget everything",
    ];
    (0..text.len()).any(|at| {
        let Some(length) = text.any_of(at, AGAIN) else { return false };
        // "My holidays start again on the 3rd", "start from the beginning of March".
        let of_time = matches!(text.at(at + length), "of" | "in" | "on" | "at" | "next" | "this");
        !of_time && !is_denied(text, at)
    }) || text.any_of(0, &["from the beginning", "from scratch"]).is_some_and(|length| ends_clause(text, length))
}

/// The journey is dropped: "cancel", "never mind", "forget the whole trip", "I don't need a flight any more".
pub fn is_cancel(text: &Text) -> bool {
    const WHOLE: &[&str] = &[
        "call it off",
        "call the whole thing off",
        "drop it",
        "not going anymore",
        "not going any more",
        "not flying anymore",
        "not travelling anymore",
        "not traveling anymore",
        "dont want to fly anymore",
        "dont want to go anymore",
        "dont want to travel anymore",
        "no longer want to fly",
        "stop the search",
    ];
    const DROPS: &[&str] = &[
        "cancel",
        "never mind",
        "nevermind",
        "forget",
        "drop",
        "scrap",
        "no longer need",
        "dont need",
        "abort",
        "quit",
        "exit",
    ];
    (0..text.len()).any(|at| {
        if text.any_of(at, WHOLE).is_some() {
            return !is_denied(text, at);
        }
        let Some(length) = text.any_of(at, DROPS) else { return false };
        // Alone, "forget" and "drop" say too little.
        let alone = matches!(text.at(at), "cancel" | "never" | "nevermind" | "abort" | "quit" | "exit")
            && ends_clause(text, at + length);
        (alone || is_journey(text, at + length))
            && !is_denied(text, at)
            && !is_asked(text, at)
            && !goes_on_with_a_wish(text, at + length)
    })
}

/// "It", "the whole thing", "my flight to Rome", but not "the flight back" and not "that business class".
fn is_journey(text: &Text, at: usize) -> bool {
    const BEFORE: &[&str] = &["about", "the", "this", "that", "my", "our", "a", "any", "whole", "entire", "of"];
    const JOURNEYS: &[&str] = &[
        "it",
        "everything",
        "all",
        "thing",
        "trip",
        "journey",
        "flight",
        "flights",
        "search",
        "booking",
        "reservation",
        "request",
        "order",
        "plan",
        "plans",
        "ticket",
        "tickets",
    ];
    let Some(next) = (at..at + 6).find(|at| !BEFORE.contains(&text.at(*at))) else { return false };
    // "The Valentine's thing".
    if text.at(at) == "the" && text.at(next + 1) == "thing" && ends_clause(text, next + 2) {
        return true;
    }
    if !JOURNEYS.contains(&text.at(next)) {
        let pointed = matches!(text.before(next, 1), "this" | "that") && next > at;
        return pointed && ends_clause(text, next);
    }
    let needed = text.before(at, 1) == "need";
    // "I don't need a flight with stops" needs another one.
    ends_clause(text, next + 1) || !needed && !matches!(text.at(next + 1), "back" | "home" | "of" | "with" | "in")
}

/// "Forget that, just the regular airport": what was said last is dropped for what follows, not the journey.
fn goes_on_with_a_wish(text: &Text, at: usize) -> bool {
    let pointed = matches!(text.at(at), "that" | "it" | "this") && text.at(at + 1) == ",";
    let wish =
        |at: usize| matches!(text.at(at), "normal" | "regular" | "usual" | "ordinary" | "just" | "only" | "instead");
    pointed && (at + 2..at + 5).any(wish) && text.is_word(at + 3)
}

/// "Can I cancel it later?", "what if I cancel": asked, not done.
fn is_asked(text: &Text, at: usize) -> bool {
    const ASKING: &[&str] = &[
        "if", "how", "what", "whats", "whether", "when", "possible", "able", "cost", "costs", "fee", "fees", "free",
        "later", "policy", "refund",
    ];
    let sentence = text.sentence(at);
    let may = matches!(text.before(at, 1), "i" | "we" | "one") && matches!(text.before(at, 2), "can" | "could" | "may");
    may || (0..text.len()).any(|at| text.sentence(at) == sentence && ASKING.contains(&text.at(at)))
}

/// Close before, in the same clause, it is said that it is not so: "please don't cancel".
fn is_denied(text: &Text, at: usize) -> bool {
    (1..=4)
        .map(|back| text.before(at, back))
        .take_while(|word| !matches!(*word, "" | "," | "." | ";" | "!" | "?" | "but" | "and" | "so" | "\n"))
        .any(|word| matches!(word, "dont" | "not" | "never" | "didnt" | "wont" | "without" | "need"))
}

/// No word goes on here with what was begun.
fn ends_clause(text: &Text, at: usize) -> bool {
    !text.is_word(at)
        || matches!(
            text.at(at),
            "please"
                | "pls"
                | "then"
                | "now"
                | "instead"
                | "thanks"
                | "thank"
                | "sorry"
                | "again"
                | "anymore"
                | "any"
                | "after"
                | "i"
                | "im"
                | "ill"
                | "id"
                | "we"
                | "lets"
                | "and"
                | "or"
                | "but"
                | "not"
                | "because"
                | "as"
                | "if"
                | "right"
                | "asap"
                | "immediately"
                | "directly"
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(of: fn(&Text) -> bool, cases: &[&str], expected: bool) {
        for words in cases {
            assert_eq!(of(&Text::new(words)), expected, "{words}");
        }
    }

    #[test]
    fn a_person_is_asked_for() {
        let asked = [
            "can I talk to a person please",
            "I want a human",
            "give me a real agent",
            "agent please",
            "human",
            "a real person",
            "I'd rather talk to a human",
            "is there a human I can talk to?",
            "please connect me with customer service",
            "could you put me through to somebody?",
            "transfer me to a live agent now",
            "I don't understand, let me speak to someone",
            "I'd like to speak with a travel agent about this",
            "get me an operator!",
            "this is useless. human agent",
        ];
        all(is_handoff, &asked, true);
        let other = [
            "Oslo to Rome tomorrow for 2, under 500 euros a person please",
            "one person please",
            "a person",
            "500 a person, please",
            "my travel agent told me to fly on Friday, I need two tickets",
            "I'm a human rights lawyer and want to fly to Geneva",
            "I want to travel with a person who uses a wheelchair",
            "I need a seat for one more person",
            "please don't transfer me to an agent",
            "am I talking to a human?",
            "I don't want to talk to an agent",
        ];
        all(is_handoff, &other, false);
    }

    #[test]
    fn a_journey_is_dropped() {
        let dropped = [
            "cancel",
            "never mind",
            "Cancel it, please",
            "please cancel my flight",
            "can you cancel that?",
            "forget the whole thing",
            "forget about it",
            "drop the whole trip",
            "I no longer need the flight",
            "I don't need a flight any more",
            "nevermind I'll stay home",
            "I want to cancel the trip to Rome",
            "cancel everything",
        ];
        all(is_cancel, &dropped, true);
        let kept = [
            "cancel the business class",
            "forget the nonstop",
            "never mind the price",
            "cancel the return flight",
            "cancel the flight back",
            "I don't need a flight with stops",
            "I don't need a flight back",
            "can I cancel it?",
            "what if I cancel my booking",
            "don't cancel it",
            "can I cancel for free later?",
            "is it possible to cancel the ticket",
            "don't forget the flight must be nonstop",
            "no forget that, just the regular airport",
        ];
        all(is_cancel, &kept, false);
    }

    #[test]
    fn a_session_begins_again() {
        all(
            is_start_over,
            &[
                "start over",
                "let's start from the beginning",
                "from the beginning, please",
                "can we start again?",
                "start over with Oslo to Rome",
                "reset",
            ],
            true,
        );
        all(
            is_start_over,
            &[
                "I could leave from the beginning of March",
                "any day from the beginning to the end of March",
                "my holidays start again on 3 May",
                "please don't start over",
            ],
            false,
        );
    }
}
