//! What a message asks: about the offers shown, or about the assistant.
//!
//! "Is that for two people?" asks about an offer and says nothing of who travels. So the clauses that ask about offers
//! are found first and taken, and no reader of wishes looks at them.

use std::ops::Range;

use contracts::dialogue::Topic;

use crate::text::Text;
use crate::times;
use crate::topics::{about_offers, standing};

/// What is asked, in the order of the words and each once. The clauses that ask about offers are taken.
pub fn questions(text: &mut Text, routes: &[Range<usize>]) -> Vec<Topic> {
    let mut topics = Vec::new();
    let mut asked = false;
    for sentence in text.sentences() {
        // Two places are a route, whatever question stands around them.
        if routes.iter().any(|route| sentence.contains(&route.start)) {
            topics.extend(standing(&text.plain(sentence.clone()), false));
            continue;
        }
        if is_about_travelling(text, sentence.clone()) {
            topics.push(Topic::Terms);
            text.take(sentence);
            continue;
        }
        let asking = clause_about_offers(text, sentence.clone());
        if let Some(clause) = &asking {
            let plain = text.plain(clause.clone());
            topics.extend(about_offers(&plain));
            text.take(clause.clone());
            asked = true;
        } else if is_judgement(&text.plain(sentence.clone())) {
            text.take(sentence.clone());
        }
        topics.extend(standing(&text.plain(sentence.clone()), asking.is_none()));
    }
    if asked && topics.is_empty() {
        topics.push(Topic::Other);
    }
    topics.extend(in_a_word(text).filter(|_| topics.is_empty()));
    let mut once = Vec::new();
    for topic in topics {
        if !once.contains(&topic) {
            once.push(topic);
        }
    }
    once
}

/// "Prices pp?", "and its price?", "duration?": a question that is little more than its noun.
fn in_a_word(text: &Text) -> Option<Topic> {
    let words: Vec<&str> = (0..text.len()).filter(|at| text.is_word(*at)).map(|at| text.at(at)).collect();
    let asks = (0..text.len()).any(|at| text.at(at) == "?");
    let counts = words.iter().any(|word| word.starts_with(|first: char| first.is_ascii_digit()));
    words.iter().find_map(|word| {
        let topic = match *word {
            "price" | "prices" | "pricing" | "cost" | "costs" => Topic::Price,
            "duration" => Topic::Duration,
            _ => return None,
        };
        (asks && !counts && words.len() <= 4).then_some(topic)
    })
}

/// "Do I need a visa for Dubai?" asks about travelling as such: a place or a time in it is none of a journey.
fn is_about_travelling(text: &Text, sentence: Range<usize>) -> bool {
    const MATTERS: &[&str] = &[
        " visa ",
        " visas ",
        " passport",
        " esta ",
        " etias ",
        " check in ",
        " checkin ",
        " boarding ",
        " at the airport ",
        " at the gate ",
        " liquids ",
        " power bank",
        " powerbank",
        " battery ",
        " batteries ",
        " medicine",
        " medication",
        " hand luggage ",
        " carry on ",
        " hand baggage ",
        " lost luggage ",
        " luggage is lost ",
        " compensation ",
        " overbook",
        " denied boarding ",
        " delayed ",
        " delay ",
        " a connection ",
        " my connection ",
        " miss my ",
        " missed my ",
        " stroller",
        " pram ",
        " car seat ",
        " on my lap ",
        " unaccompanied ",
        " pregnant ",
        " wheelchair",
        " id card ",
        " sample flights ",
    ];
    const HAPPENED: &[&str] = &[" flight was ", " flight is ", " flight got ", " flight has been "];
    const WENT_WRONG: &[&str] = &[
        " cancelled ",
        " canceled ",
        " delayed ",
        " got moved ",
        " been moved ",
        " was moved ",
        " rescheduled ",
        " got changed ",
        " been changed ",
        " was changed ",
    ];
    let plain = text.plain(sentence.clone());
    let has = |phrases: &[&str]| phrases.iter().any(|phrase| plain.contains(phrase));
    let first = sentence.clone().find(|at| !is_filler(text.at(*at)));
    let asks = text.at(sentence.end - 1) == "?" || first.is_some_and(|at| asks_something(text, at));
    let my_flight = || plain.contains(" my flight ") || plain.contains(" our flight ");
    asks && has(MATTERS) || (has(HAPPENED) || my_flight()) && has(WENT_WRONG)
}

fn asks_something(text: &Text, at: usize) -> bool {
    const OTHERS: &[&str] = &["what about", "should i", "must i", "may i", "am i", "do i"];
    starts_question(text, at).is_some() || text.any_of(at, OTHERS).is_some()
}

/// "2:25 am is too early" speaks of an offer's time, not of a wish.
fn is_judgement(plain: &str) -> bool {
    const JUDGED: &[&str] = &[
        " is too early ",
        " is too late ",
        " is kind of ",
        " is a bit ",
        " is too expensive ",
        " is very early ",
        " is very late ",
        " is quite ",
    ];
    JUDGED.iter().any(|phrase| plain.contains(phrase))
}

/// The clause of a sentence that asks about offers, to the sentence's end.
fn clause_about_offers(text: &Text, sentence: Range<usize>) -> Option<Range<usize>> {
    let marked = text.at(sentence.end - 1) == "?";
    let mut starts_sentence = true;
    let mut starts_clause = true;
    for at in sentence.clone() {
        if starts_clause && let Some(kind) = starts_question(text, at) {
            let clause = at..condition(text, at, sentence.end);
            let plain = text.plain(clause.clone());
            // "I go to Rome and will be back on the 4th" asks nothing; nor does "that would be Friday".
            let asks = match kind {
                Question::Statement => marked,
                Question::YesOrNo => {
                    marked || starts_sentence && !plain.starts_with(" will be ") && !plain.starts_with(" would be ")
                }
                Question::MayI => PERMITTED.iter().any(|word| plain.contains(word)),
                // "When I return it will be Friday."
                Question::Which => marked || !matches!(text.at(at + 1), "i" | "we" | "im" | "id" | "were" | "ill"),
            };
            // "How many stops" points at what was shown; with a place or a day it would be a request.
            let words = plain.split_whitespace().count();
            let short = kind == Question::Which
                && words <= 5
                && !about_offers(&plain).is_empty()
                && !marked_by_place(text, clause.clone());
            let about = short
                || is_about_offers(&plain)
                || kind == Question::YesOrNo && marked && is_about_flight(text.at(at), &plain);
            if asks && about && !wants_by_time(text, clause.clone()) {
                return Some(clause);
            }
        }
        let filler = is_filler(text.at(at));
        starts_sentence &= filler;
        starts_clause = matches!(text.at(at), "," | "and" | "but" | "so" | "-" | ":") || starts_clause && filler;
    }
    None
}

/// "Which of those gets in before 5pm?" wants those that do.
fn wants_by_time(text: &Text, clause: Range<usize>) -> bool {
    const OF_THOSE: &[&str] = &[
        "which of those",
        "which of these",
        "which of them",
        "which ones",
        "which one",
        "which flights",
        "any of those",
        "do any of",
        "does any of",
        "are any of",
        "which flight",
    ];
    let bounded =
        |at: usize| matches!(text.at(at), "before" | "after" | "by" | "until") && times::sure(text, at + 1).is_some();
    text.any_of(clause.start, OF_THOSE).is_some() && clause.into_iter().any(bounded)
}

/// "What's the cheapest if I go on Friday instead": where what is asked for ends and its condition, a wish, begins.
fn condition(text: &Text, from: usize, end: usize) -> usize {
    let price =
        text.is(from, &["how", "much"]) || matches!(text.at(from), "whats" | "what") && text.at(from + 1) != "time";
    let counts = |at: usize| crate::numbers::number(text, at).is_some_and(|(_, length)| text.is_word(at + length));
    let wishes = |at: &usize| {
        text.at(*at) == "if" && matches!(text.at(*at + 1), "i" | "we" | "im" | "id" | "were")
            // "How much for 3 people?" wants three.
            || price && text.at(*at) == "for" && counts(*at + 1) && !text.is(*at + 2, &["of", "us"])
    };
    (from + 1..end).find(wishes).unwrap_or(end)
}

/// A place or a day is named in it.
fn marked_by_place(text: &Text, clause: Range<usize>) -> bool {
    clause
        .into_iter()
        .any(|at| matches!(text.at(at), "to" | "from" | "between") || crate::calendar::expression(text, at).is_some())
}

/// What one may do with an offer: "can I take two bags", but not "can I have Tuesday instead".
const PERMITTED: &[&str] = &[
    " bag ",
    " bags ",
    " luggage ",
    " baggage ",
    " suitcase",
    " refund",
    " cancel ",
    " carry ",
    " check in ",
    " book ",
    " buy ",
    " pay ",
    " know ",
    " bring ",
];

/// "Are you looking for business tickets?", "Is the for two?": asked with a mark, and of what is there.
fn is_about_flight(first: &str, plain: &str) -> bool {
    matches!(first, "is" | "are" | "was" | "does" | "did" | "do")
        && ![" flights ", " possible ", " available "].iter().any(|word| plain.contains(word))
}

/// Words that may stand before a question.
fn is_filler(word: &str) -> bool {
    matches!(
        word,
        "and"
            | "ok"
            | "okay"
            | "oky"
            | "alright"
            | "all"
            | "right"
            | "well"
            | "also"
            | "but"
            | "yes"
            | "yeah"
            | "sure"
            | "cool"
            | "great"
            | "good"
            | "perfect"
            | "thanks"
            | "thank"
            | "you"
            | "hmm"
            | "fine"
            | "please"
            | "nice"
            | "then"
            | "so"
            | "oh"
            | "sounds"
            | "that"
            | "kindly"
            | "now"
            | "exactly"
            | "hey"
            | "hi"
            | "just"
            | "no"
    ) || !word.starts_with(|first: char| first.is_alphanumeric())
}

/// How a question begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Question {
    /// "when", "how much", "tell me".
    Which,
    /// "is", "does".
    YesOrNo,
    /// "can I".
    MayI,
    /// "that would be".
    Statement,
}

fn starts_question(text: &Text, at: usize) -> Option<Question> {
    const WHICH: &[&str] = &[
        "when",
        "where",
        "what",
        "which",
        "how",
        "who",
        "whats",
        "wheres",
        "can you tell",
        "could you tell",
        "can you confirm",
        "could you confirm",
        "tell me",
        "let me know",
        "send me",
        "confirm",
        "from which",
        "for how many",
        "at which",
        "at what",
        "from what",
        "in which",
        "to which",
        "why",
    ];
    const YES_OR_NO: &[&str] = &["is", "are", "was", "does", "do", "did", "will", "would", "has it"];
    const MAY_I: &[&str] = &["can i", "can we", "could i", "could we", "may i"];
    // These ask for flights, not about them.
    const REQUESTS: &[&str] = &[
        "what about",
        "how about",
        "will you",
        "would you",
        "would like",
        "would love",
        "would prefer",
        "would rather",
        "are there",
        "is there",
        "are they any",
        "are any",
        "do you have",
        "do you offer",
        "do you see",
        "what other",
        "what else",
        "which other",
        "is it possible",
        "would it be possible",
        "tell me what else",
        "what do you have",
        "send me to",
        "would want",
        "will need",
        "do it",
        "do that",
        "do the",
    ];
    if text.any_of(at, REQUESTS).is_some() {
        None
    } else if text.any_of(at, WHICH).is_some() {
        Some(Question::Which)
    } else if text.any_of(at, MAY_I).is_some() {
        Some(Question::MayI)
    } else if text.any_of(at, YES_OR_NO).is_some() {
        Some(Question::YesOrNo)
    } else {
        text.any_of(at, &["that would be", "this would be", "you said", "so it is", "this is", "that is"])
            .map(|_| Question::Statement)
    }
}

/// A question is about an offer when it points at one.
fn is_about_offers(plain: &str) -> bool {
    const POINTING: &[&str] = &[
        " it ",
        " its ",
        " this ",
        " that ",
        " these ",
        " those ",
        " they ",
        " them ",
        " the flight ",
        " the flights ",
        " the fight ",
        " the ticket ",
        " the tickets ",
        " the plane ",
        " the return ",
        " the outbound ",
        " the onward ",
        " the departing ",
        " the returning ",
        " my flight ",
        " my return ",
        " my outbound ",
        " the first ",
        " the second ",
        " the third ",
        " the fourth ",
        " the fifth ",
        " the last ",
        " the cheapest ",
        " the fastest ",
        " the wait ",
        " the layover ",
        " the stop ",
        " the connection ",
        " the journey ",
        " the departure ",
        " the arrival ",
        " the departing ",
        " i arrive ",
        " i land ",
        " i flying ",
        " i fly into ",
        " you looking ",
        " you checked ",
        " the price ",
        " the airport ",
        " the airports ",
        " the reaching ",
        " one ",
        " flight arrive ",
    ];
    const SEARCHING: &[&str] = &[
        " to fly ",
        " anything else ",
        " something else ",
        " other flights ",
        " another flight ",
        " other options ",
        " do they have ",
        " flights do ",
        " more flights ",
        " is the cheapest flight from ",
    ];
    // "This month" points at no offer, and "one way" is no offer.
    const NOT_POINTING: &[&str] = &[
        " flights that ",
        " flight that ",
        " tickets that ",
        " this month ",
        " this week ",
        " this weekend ",
        " this year ",
        " this morning ",
        " this evening ",
        " this afternoon ",
        " one way ",
        " that day ",
    ];
    let plain = NOT_POINTING.iter().fold(plain.to_owned(), |plain, phrase| plain.replace(phrase, " "));
    POINTING.iter().any(|phrase| plain.contains(phrase)) && !SEARCHING.iter().any(|phrase| plain.contains(phrase))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &str) -> (Vec<Topic>, bool) {
        let mut text = Text::new(words);
        let topics = questions(&mut text, &[]);
        (topics, text.free(text.len().saturating_sub(2)))
    }

    #[test]
    fn questions_about_offers_are_told_from_requests() {
        let cases: &[(&str, &[Topic], bool)] = &[
            ("Is that for two people?", &[Topic::Summary], false),
            ("How much is it?", &[Topic::Price], false),
            ("When does the flight land in Rome?", &[Topic::Arrival], false),
            ("Which airport does it leave from?", &[Topic::Airports], false),
            ("Okay, how long does it take?", &[Topic::Duration], false),
            ("Who flies that one?", &[Topic::Airline], false),
            ("Can I bring two bags on it?", &[Topic::Terms], false),
            ("How are these ranked?", &[Topic::Ranking], false),
            ("Are there flights to Rome on Friday?", &[], true),
            ("Can you find two tickets to Rome?", &[], true),
            ("How much would it cost to fly to Rome?", &[], true),
            ("Will you find me a flight to Rome?", &[], true),
            ("What about Friday?", &[], true),
            ("hello there", &[Topic::Greeting], true),
            ("thanks, that's all", &[Topic::Thanks, Topic::Goodbye], true),
            ("what can you do?", &[Topic::Help], true),
            ("Do I need a visa for Dubai?", &[Topic::Terms], false),
            ("what about liquids in hand luggage", &[Topic::Terms], false),
            ("how early should I be at the airport", &[Topic::Terms], false),
            ("My flight was cancelled, what are my rights?", &[Topic::Terms], false),
            ("I want to check in two bags and fly to Rome", &[], true),
        ];
        for (words, topics, free) in cases {
            assert_eq!(read(words), (topics.to_vec(), *free), "{words}");
        }
    }
}
