//! What travellers ask about besides flights: bags, seats, visas, refunds; and what they say that asks nothing.
//!
//! The phrases are in `data/services.txt`, so that a new one is a word in a line. Questions about offers that were shown are
//! read elsewhere.

use std::collections::HashMap;
use std::sync::LazyLock;

use contracts::dialogue::Topic;

use crate::numbers::number_or_one;
use crate::text::Text;

struct Phrase {
    words: Vec<&'static str>,
    /// The last word may go on ("refund*").
    open: bool,
    topic: Topic,
}

/// By their first word; open phrases of one word apart.
/// Phrases by their first word, and open ones of one word.
type Phrases = (HashMap<&'static str, Vec<Phrase>>, Vec<Phrase>);

static PHRASES: LazyLock<Phrases> = LazyLock::new(|| {
    let (mut closed, mut open) = (HashMap::<_, Vec<_>>::new(), Vec::new());
    for line in include_str!("../data/services.txt").lines().filter(|line| !line.starts_with('#')) {
        let Some((topic, phrases)) = line.split_once(": ") else { continue };
        let Some(topic) = topic_of(topic) else { continue };
        for phrase in phrases.split('|') {
            let is_open = phrase.ends_with('*');
            let words: Vec<&str> = phrase.trim_end_matches('*').split(' ').collect();
            let Some(first) = words.first().copied() else { continue };
            let alone = words.len() == 1;
            let phrase = Phrase { words, open: is_open, topic };
            if is_open && alone {
                open.push(phrase);
            } else {
                closed.entry(first).or_default().push(phrase);
            }
        }
    }
    (closed, open)
});

fn topic_of(name: &str) -> Option<Topic> {
    Some(match name {
        "baggage" => Topic::Baggage,
        "lost" => Topic::LostBaggage,
        "seats" => Topic::Seats,
        "meals" => Topic::Meals,
        "pets" => Topic::Pets,
        "assistance" => Topic::Assistance,
        "health" => Topic::Health,
        "amenities" => Topic::Amenities,
        "aircraft" => Topic::Aircraft,
        "emissions" => Topic::Emissions,
        "hold" => Topic::Hold,
        "entry" => Topic::Entry,
        "insurance" => Topic::Insurance,
        "refunds" => Topic::Refunds,
        "compensation" => Topic::Compensation,
        "status" => Topic::Status,
        "mybooking" => Topic::MyBooking,
        "checkin" => Topic::CheckIn,
        "forbidden" => Topic::Forbidden,
        "alerts" => Topic::Alerts,
        "weather" => Topic::Weather,
        "sending" => Topic::Sending,
        "transport" => Topic::OtherTransport,
        "currency" => Topic::Currency,
        "nearest" => Topic::NearestAirport,
        "childfare" => Topic::ChildFare,
        "total" => Topic::Total,
        "identity" => Topic::Identity,
        "insult" => Topic::Insult,
        "praise" => Topic::Praise,
        "chatter" => Topic::Chatter,
        "apology" => Topic::Apology,
        "sympathy" => Topic::Sympathy,
        "nonsense" => Topic::Nonsense,
        _ => return None,
    })
}

/// The topics that a message touches, in the order of its words, each once; of phrases at one place the longest.
pub fn services(text: &Text) -> Vec<Topic> {
    let (closed, open) = &*PHRASES;
    let mut topics = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let word = text.at(at);
        let of = closed.get(word).into_iter().flatten().filter(|phrase| fits(text, at, phrase));
        let starts = |phrase: &&Phrase| phrase.words.first().is_some_and(|first| word.starts_with(first));
        let longest = of.chain(open.iter().filter(starts)).max_by_key(|phrase| phrase.words.len());
        // "2 seats to Rome" counts travellers.
        let counts = matches!(word, "seat" | "seats")
            && (at > 0
                && (number_or_one(text, at - 1).is_some()
                    || matches!(text.before(at, 1), "class" | "economy" | "business" | "way")));
        let weight = word.strip_suffix("kg").or_else(|| word.strip_suffix("kgs"));
        if weight.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit()))
            && !topics.contains(&Topic::Baggage)
        {
            topics.push(Topic::Baggage);
        }
        if let Some(phrase) = longest.filter(|_| !counts) {
            if !topics.contains(&phrase.topic) {
                topics.push(phrase.topic);
            }
            at += phrase.words.len();
        } else {
            at += 1;
        }
    }
    topics
}

fn fits(text: &Text, at: usize, phrase: &Phrase) -> bool {
    let last = phrase.words.len() - 1;
    phrase.words.iter().enumerate().all(|(offset, word)| {
        let said = text.at(at + offset);
        said == *word || phrase.open && offset == last && said.starts_with(word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_has_a_topic() {
        for line in include_str!("../data/services.txt").lines().filter(|line| !line.starts_with('#')) {
            let (topic, _) = line.split_once(": ").expect("a topic and its phrases");
            assert!(topic_of(topic).is_some(), "{topic}");
        }
    }

    #[test]
    fn each_message_touches_its_topics() {
        for line in
            include_str!("../examples/services.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
        {
            let (words, expected) = line.split_once(" => ").expect("words => topics");
            let found: Vec<String> =
                services(&Text::new(words)).iter().map(|topic| format!("{topic:?}").to_lowercase()).collect();
            assert_eq!(found.join(" "), expected, "{words}");
        }
    }
}
