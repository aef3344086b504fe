//! What a person does with a message: agree, put right, ask for others, cancel, begin again; and which offer is meant.

use contracts::dialogue::{Act, Pick};

use crate::breaks::{is_cancel, is_handoff, is_start_over};
use crate::numbers::{number, ordinal};
use crate::text::Text;

/// The acts of a message, each once.
pub fn acts(text: &Text) -> Vec<Act> {
    let plain = text.plain(0..text.len());
    let has = |phrases: &[&str]| phrases.iter().any(|phrase| plain.contains(phrase));
    let mut acts = Vec::new();
    let mut add = |found: bool, act: Act| {
        if found {
            acts.push(act);
        }
    };
    add(is_handoff(text), Act::Handoff);
    add(is_start_over(text), Act::StartOver);
    add(is_cancel(text), Act::Cancel);
    add(is_undo(text), Act::Undo);
    add(is_swap(text), Act::Swap);
    add(is_alternatives(&plain), Act::Alternatives);
    let first = plain.split_whitespace().next().unwrap_or_default();
    let negates = matches!(first, "no" | "nope" | "nah" | "not" | "wrong" | "incorrect")
        || has(&[
            " thats not right ",
            " that is not right ",
            " thats wrong ",
            " dont like ",
            " lets say no ",
            " not for now ",
            " no for now ",
        ]);
    add(negates, Act::Negate);
    add(
        !negates
            && (matches!(
                first,
                "yes"
                    | "yeah"
                    | "yep"
                    | "yup"
                    | "sure"
                    | "ok"
                    | "okay"
                    | "correct"
                    | "right"
                    | "exactly"
                    | "perfect"
                    | "great"
                    | "fine"
                    | "alright"
                    | "absolutely"
                    | "definitely"
                    | "y"
                    | "good"
                    | "cool"
                    | "indeed"
                    | "surely"
            ) || has(&[
                " sounds good ",
                " sound good ",
                " sounds great ",
                " sounds fine ",
                " sounds perfect ",
                " works for me ",
                " that works ",
                " go ahead ",
                " thats fine ",
                " that is fine ",
                " that is right ",
                " is correct ",
                " looks good ",
            ])),
        Act::Affirm,
    );
    add(
        has(&[
            " actually ",
            " i meant ",
            " i mean ",
            " make that ",
            " make it ",
            " instead ",
            " scratch that ",
            " correction ",
            " rather ",
            " change ",
            " switch ",
            " sorry ",
            " oops ",
            " wait ",
            " not to ",
            " stick with ",
            " stick to ",
            " stay with ",
            " keep ",
            " after all ",
            " should be ",
            " should have been ",
        ]) || negates && text.len() > 1
            || (0..text.len()).any(|at| text.at(at) == "not" && at + 1 < text.len()),
        Act::Correct,
    );
    add(
        has(&[
            " flight ",
            " flights ",
            " fly ",
            " flying ",
            " ticket ",
            " tickets ",
            " travel ",
            " trip ",
            " search ",
            " find ",
            " fare ",
            " fares ",
            " show me ",
            " plane that ",
            " look for ",
            " back to the list ",
            " the list again ",
            " show them again ",
            " show me them again ",
        ]),
        Act::Search,
    );
    acts
}

/// "Undo that", "change it back", "as it was before".
fn is_undo(text: &Text) -> bool {
    const UNDO: &[&str] = &[
        "undo",
        "revert",
        "take that back",
        "take it back",
        "put it back",
        "put that back",
        "change it back",
        "change that back",
        "change back",
        "go back to before",
        "go back to the previous",
        "go back to what",
        "go back to how",
        "as it was",
        "like it was",
        "as before",
        "like before",
        "the way it was",
        "back to how it was",
        "restore",
        "previous search",
        "what i had before",
        "first dates were",
        "the first dates",
        "the old dates",
        "previous dates",
        "original dates",
        "the dates before",
        "first one was better",
        "before was better",
        "the original one",
    ];
    // "Same as before but a week later" changes something else.
    (0..text.len()).any(|at| text.any_of(at, UNDO).is_some() && !matches!(text.before(at, 1), "same" | "dont"))
}

/// "Swap origin and destination", "the wrong way round".
fn is_swap(text: &Text) -> bool {
    const WHOLE: &[&str] = &[
        "other way round",
        "other way around",
        "wrong way round",
        "wrong way around",
        "vice versa",
        "opposite direction",
        "wrong direction",
        "other direction",
        "in reverse",
        "reverse direction",
        "reverse it",
        "swap them",
        "swap it",
    ];
    const ENDS: [&str; 8] =
        ["origin", "destination", "cities", "places", "airports", "direction", "directions", "route"];
    (0..text.len()).any(|at| {
        let turns = matches!(text.at(at), "swap" | "switch" | "reverse" | "flip");
        // "Switch the destination to Oslo" names another.
        let both =
            text.any_of(at + 1, &["origin and", "destination and", "the origin and", "the destination and"]).is_some();
        let pair = (at + 1..at + 4)
            .any(|at| ENDS.contains(&text.at(at)) && text.at(at) != "origin" && text.at(at) != "destination");
        text.any_of(at, WHOLE).is_some() || turns && (both || pair)
    })
}

fn is_alternatives(plain: &str) -> bool {
    const WHOLE: [&str; 9] =
        ["more", "more please", "next", "next please", "show more please", "and more", "keep going", "go on", "others"];
    if WHOLE.contains(&plain.trim()) {
        return true;
    }
    const OTHERS: &[&str] = &[
        " anything else ",
        " something else ",
        " other flight ",
        " other flights ",
        " another flight ",
        " other option",
        " another option ",
        " alternative",
        " more flights ",
        " more options ",
        " any more ",
        " any others ",
        " any other ",
        " some other ",
        " what else ",
        " something different ",
        " other available ",
        " show more ",
        " show me more ",
        " more pls ",
        " more please ",
        " show others ",
        " any more options ",
        " others pls ",
        " different flight",
        " different option",
        " other offers ",
        " more offers ",
        " look at some more ",
        " the rest ",
        " others ",
        " next ones ",
        " additional options ",
        " additional flights ",
        " else is available ",
        " other choices ",
        " more choices ",
        " another one ",
        " see more ",
        " few more ",
        " more results ",
        " other results ",
        " next page ",
    ];
    const NOT_MEANT: &[&str] = &[
        " need anything else ",
        " nothing else ",
        " what else do you need ",
        " anything else you need ",
        " want anything else ",
        " and others ",
        " others and ",
        " anything else to know ",
    ];
    OTHERS.iter().any(|phrase| plain.contains(phrase)) && !NOT_MEANT.iter().any(|phrase| plain.contains(phrase))
}

/// The offer that is meant, by its place or by what sets it apart. What is read is taken.
pub fn pick(text: &mut Text) -> Option<Pick> {
    (0..text.len()).find_map(|at| {
        let (pick, length) = by_place(text, at).or_else(|| by_quality(text, at))?;
        text.take(at..at + length);
        Some(pick)
    })
}

/// "And the 2nd, same airline?" asks of an offer what no day has.
pub fn asks_of_offer(text: &Text) -> bool {
    let asks = (0..text.len()).any(|at| text.at(at) == "?");
    let quality =
        |at: usize| matches!(text.at(at), "airline" | "carrier" | "refundable" | "layover" | "baggage" | "aircraft");
    asks && (0..text.len()).any(quality)
}

fn is_offer(word: &str) -> bool {
    matches!(word, "one" | "flight" | "option" | "offer" | "choice" | "result" | "itinerary")
}

fn by_place(text: &Text, at: usize) -> Option<(Pick, usize)> {
    if matches!(text.at(at), "option" | "number" | "offer" | "flight" | "choice" | "#" | "no" | "result" | "book") {
        let next = at + 1 + usize::from(matches!(text.at(at + 1), "number" | "#"));
        let (count, length) = number(text, next).filter(|(count, _)| (1..=50).contains(count))?;
        let ends = !text.tokens.get(next + length).is_some_and(|token| token.is_word())
            || matches!(
                text.at(next + length),
                "please" | "looks" | "sounds" | "is" | "works" | "then" | "details" | "info" | "detail"
            );
        return (ends && (text.at(at) != "no" || next > at + 1)).then_some((Pick::Nth(count), next + length - at));
    }
    if text.at(at) != "the" && !is_offer(text.at(at + 1)) {
        return None;
    }
    let lead = usize::from(text.at(at) == "the");
    if text.at(at + lead) == "last" && (is_offer(text.at(at + lead + 1)) || at + lead + 1 == text.len()) {
        return Some((Pick::Last, lead + 2));
    }
    // "The third one", and "the third one, tell me more".
    let (count, length) = ordinal(text, at + lead)?;
    let next = at + lead + length;
    // "Like the 20th" names a day, "I like the 2nd" an offer.
    let liked = text.before(at, 1) == "like" && matches!(text.before(at, 2), "i" | "we" | "id" | "would" | "really");
    let chosen = liked || matches!(text.before(at, 1), "take" | "choose" | "pick" | "select" | "book");
    let ends = !text.tokens.get(next).is_some_and(|token| token.is_word())
        || matches!(text.at(next), "please" | "then" | "sounds" | "looks");
    let in_words = text.at(at + lead).starts_with(|first: char| first.is_alphabetic()) || asks_of_offer(text);
    if is_offer(text.at(next)) && text.at(next + 1) != "to" && text.at(next + 1) != "from" {
        return Some((Pick::Nth(count), next + 1 - at));
    }
    (lead == 1 && ends && (in_words || chosen)).then_some((Pick::Nth(count), next - at))
}

/// What sets an offer apart, by the words for it.
const QUALITIES: &[(&str, Pick)] = &[
    ("cheapest", Pick::Cheapest),
    ("cheaper", Pick::Cheapest),
    ("least expensive", Pick::Cheapest),
    ("costs the least", Pick::Cheapest),
    ("costs least", Pick::Cheapest),
    ("cost the least", Pick::Cheapest),
    ("lowest price", Pick::Cheapest),
    ("lowest fare", Pick::Cheapest),
    ("lowest fares", Pick::Cheapest),
    ("lowest cost", Pick::Cheapest),
    ("best price", Pick::Cheapest),
    ("cheapest price", Pick::Cheapest),
    ("by price", Pick::Cheapest),
    ("most expensive", Pick::Dearest),
    ("priciest", Pick::Dearest),
    ("shortest flying time", Pick::Fastest),
    ("shortest flight time", Pick::Fastest),
    ("shortest travel time", Pick::Fastest),
    ("shortest duration", Pick::Fastest),
    ("fastest", Pick::Fastest),
    ("quickest", Pick::Fastest),
    ("shortest layover", Pick::ShortestWait),
    ("shortest wait", Pick::ShortestWait),
    ("shortest connection", Pick::ShortestWait),
    ("shortest stopover", Pick::ShortestWait),
    ("least layover", Pick::ShortestWait),
    ("least waiting", Pick::ShortestWait),
    ("shortest", Pick::Fastest),
    ("faster", Pick::Fastest),
    ("shorter", Pick::Fastest),
    ("least travel time", Pick::Fastest),
    ("by duration", Pick::Fastest),
    ("by time", Pick::Fastest),
    ("by departure", Pick::Earliest),
    ("by departure time", Pick::Earliest),
    ("by arrival", Pick::FirstToArrive),
    ("by arrival time", Pick::FirstToArrive),
    ("by stops", Pick::FewestStops),
    ("lands earliest", Pick::FirstToArrive),
    ("lands first", Pick::FirstToArrive),
    ("land earliest", Pick::FirstToArrive),
    ("arrives earliest", Pick::FirstToArrive),
    ("arrives first", Pick::FirstToArrive),
    ("gets there first", Pick::FirstToArrive),
    ("gets there earliest", Pick::FirstToArrive),
    ("gets in earliest", Pick::FirstToArrive),
    ("gets me there first", Pick::FirstToArrive),
    ("gets me there earliest", Pick::FirstToArrive),
    ("earliest arrival", Pick::FirstToArrive),
    ("earliest to arrive", Pick::FirstToArrive),
    ("soonest", Pick::FirstToArrive),
    ("soonest arrival", Pick::FirstToArrive),
    ("earliest", Pick::Earliest),
    ("earlier", Pick::Earliest),
    ("morning", Pick::Earliest),
    ("latest", Pick::Latest),
    ("later", Pick::Latest),
    ("evening", Pick::Latest),
    ("as cheap as possible", Pick::Cheapest),
    ("as late as possible", Pick::Latest),
    ("as late back as possible", Pick::Latest),
    ("latest possible", Pick::Latest),
    ("as early as possible", Pick::Earliest),
    ("earliest possible", Pick::Earliest),
    ("as fast as possible", Pick::Fastest),
    ("as quick as possible", Pick::Fastest),
    ("as quickly as possible", Pick::Fastest),
    ("as short as possible", Pick::Fastest),
    ("fewest stops", Pick::FewestStops),
    ("least stops", Pick::FewestStops),
    ("nonstop", Pick::FewestStops),
    ("non - stop", Pick::FewestStops),
    ("direct", Pick::FewestStops),
    ("one with the fewest stops", Pick::FewestStops),
];

/// The quality that is named at a token, and how many tokens name it.
fn quality(text: &Text, at: usize) -> Option<(Pick, usize)> {
    QUALITIES
        .iter()
        .filter_map(|(phrase, pick)| text.any_of(at, &[*phrase]).map(|length| (pick.clone(), length)))
        .max_by_key(|(_, length)| *length)
}

/// A word that can only set one apart: "cheapest", "soonest", "lowest fare".
fn is_superlative(text: &Text, at: usize) -> bool {
    text.at(at).ends_with("est")
        || matches!(text.at(at), "least" | "most" | "fewest" | "lands" | "land" | "arrives" | "gets" | "costs" | "cost")
        || text.at(at) == "as" && text.any_of(at, &["as possible"]).is_none()
}

/// The two offers that are to be compared: "compare 1 and 3", "which is faster, 1 or 2?". What is read is taken.
pub fn compare(text: &mut Text) -> Vec<u32> {
    let asked = (0..text.len()).any(|at| {
        matches!(text.at(at), "compare" | "difference" | "vs" | "versus" | "better")
            // "Anything between 17 and 21" compares nothing.
            || text.at(at) == "between"
                && !matches!(text.before(at, 1), "anything" | "something" | "back" | "out" | "flight" | "flights" | "time")
            || text.at(at) == "which"
            || quality(text, at).is_some()
    });
    let pair = (0..text.len()).find_map(|at| {
        let hash = usize::from(text.at(at) == "#");
        let (one, length) = number(text, at + hash).or_else(|| ordinal(text, at + hash))?;
        let joint = at + hash + length;
        if !matches!(text.at(joint), "or" | "and" | "vs" | "versus" | "with") {
            return None;
        }
        let next = joint + 1 + usize::from(matches!(text.at(joint + 1), "#" | "the" | "number"));
        let (other, length) = number(text, next).or_else(|| ordinal(text, next))?;
        let end = next + length;
        let ends = !text.is_word(end) || matches!(text.at(end), "please" | "is" | "one" | "then");
        (ends && one != other && one <= 50 && other <= 50 && text.all_free(at..end))
            .then_some((vec![one, other], at..end))
    });
    // "Compare the first two".
    let first_two = (0..text.len()).find_map(|at| {
        text.any_of(at, &["first two", "first 2", "top two", "top 2"]).map(|length| (vec![1, 2], at..at + length))
    });
    match pair.or(first_two).filter(|_| asked) {
        Some((offers, at)) => {
            text.take(at);
            offers
        }
        None => Vec::new(),
    }
}

/// Which order the offers are wanted in: "show cheapest first", "sort by price".
pub fn order(text: &Text) -> Option<Pick> {
    (0..text.len()).find_map(|at| {
        let (pick, length) = quality(text, at)?;
        let sorts = (at.saturating_sub(5)..at)
            .any(|at| matches!(text.at(at), "sort" | "order" | "sorted" | "rank" | "arrange" | "list" | "filter"));
        let leads = text.at(at + length) == "first" && is_superlative(text, at);
        let by = text.at(at) == "by";
        (leads || by && sorts || sorts && is_superlative(text, at)).then_some(pick)
    })
}

fn by_quality(text: &Text, at: usize) -> Option<(Pick, usize)> {
    if let Some(length) = text.any_of(at, &["that one", "this one"]) {
        return Some((Pick::That, length));
    }
    // "That's too expensive" wants to see what is not.
    if let Some(length) = text.any_of(
        at,
        &[
            "too expensive",
            "so expensive",
            "too pricey",
            "so pricey",
            "cant afford",
            "too dear",
            "a rip off",
            "daylight robbery",
            "costs a fortune",
            "cost a fortune",
            "costs a bomb",
            "prices are killing me",
            "price is killing me",
            "over my budget",
            "out of my budget",
            "a bit steep",
            "too steep",
            "pretty steep",
        ],
    ) {
        return Some((Pick::Cheapest, length));
    }
    if text.at(at) != "the" {
        return by_comparison(text, at, QUALITIES).or_else(|| bare(text, at));
    }
    // "6 at the earliest" is a time.
    if text.before(at, 1) == "at" {
        return None;
    }
    let (pick, length) = quality(text, at + 1)?;
    let next = at + 1 + length;
    let superlative = is_superlative(text, at + 1);
    let ends = !text.tokens.get(next).is_some_and(|token| token.is_word())
        || matches!(
            text.at(next),
            "please"
                | "lol"
                | "haha"
                | "tho"
                | "though"
                | "mate"
                | "then"
                | "you"
                | "youve"
                | "available"
                | "there"
                | "among"
                | "now"
                | "of"
                | "price"
                | "fare"
        );
    if matches!(text.at(next), "one" | "option" | "offer")
        || superlative && matches!(text.at(next), "trip" | "journey" | "duration")
        || superlative && matches!(text.at(next), "way" | "route" | "routing") && !text.is_word(next + 1)
    {
        return Some((pick, next + 1 - at));
    }
    let flight = text.at(next) == "flight"
        && !matches!(text.at(next + 1), "to" | "from" | "on" | "for" | "in" | "out" | "leaving");
    (superlative && (ends || flight)).then_some((pick, next - at + usize::from(flight)))
}

/// "Cheapest?", "cheapest option", "lowest fare", "soonest": a message that is little more.
fn bare(text: &Text, at: usize) -> Option<(Pick, usize)> {
    let (pick, length) = quality(text, at)?;
    let comparative = text.at(at).ends_with("er") && !matches!(text.at(at), "later" | "earlier");
    if text.before(at, 2) == "at" && text.before(at, 1) == "the" {
        return None;
    }
    if !is_superlative(text, at) && !comparative || !text.all_free(at..at + length) {
        return None;
    }
    let next = at + length;
    let noun = usize::from(matches!(
        text.at(next),
        "one" | "ones" | "flight" | "flights" | "option" | "options" | "fare" | "fares" | "price" | "ticket" | "1"
    ));
    let ends = !text.is_word(next + noun)
        || matches!(
            text.at(next + noun),
            "please" | "first" | "then" | "now" | "available" | "is" | "you" | "u" | "of" | "out" | "and" | "possible"
        );
    let words = (0..text.len()).filter(|at| text.is_word(*at)).count();
    // "Cheapest flight to Rome" wishes for a search.
    (ends && (words <= 9 || is_superlative(text, at))).then_some((pick, length + noun))
}

/// "Anything cheaper?", "is there a later flight", "which is fastest".
fn by_comparison(text: &Text, at: usize, qualities: &[(&str, Pick)]) -> Option<(Pick, usize)> {
    const LEADS: &[&str] = &[
        "so which was",
        "which was",
        "which one was",
        "which ones",
        "whichs",
        "whats",
        "what is",
        "got anything",
        "anything",
        "something",
        "any",
        "is there a",
        "is there an",
        "are there any",
        "do you have a",
        "have you got a",
        "which is",
        "which one is",
        "which flight is",
        "which option is",
    ];
    if let Some(lead) = text.any_of(
        at,
        &[
            "which",
            "which one",
            "which flight",
            "which of them",
            "which of those",
            "which has the",
            "which one has the",
            "which flight has the",
        ],
    ) && let Some((pick, length)) = quality(text, at + lead).filter(|_| is_superlative(text, at + lead))
        && !text.is_word(at + lead + length)
    {
        return Some((pick, lead + length));
    }
    let lead = text.any_of(at, LEADS)?;
    let (pick, length) = qualities
        .iter()
        .filter(|(phrase, _)| phrase.ends_with("er") || phrase.ends_with("est"))
        .filter_map(|(phrase, pick)| text.any_of(at + lead, &[*phrase]).map(|length| (pick.clone(), length)))
        .max_by_key(|(_, length)| *length)?;
    let next = at + lead + length;
    let noun = usize::from(matches!(text.at(next), "one" | "ones" | "flight" | "flights" | "option" | "options"));
    // "Anything cheaper than 300 euros" and "a later flight on Friday" wish for others.
    (!text.is_word(next + noun) || matches!(text.at(next + noun), "please" | "available"))
        .then_some((pick, lead + length + noun))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acts_are_told_apart() {
        let cases: &[(&str, &[Act])] = &[
            ("yes please", &[Act::Affirm]),
            ("No, Oslo", &[Act::Negate, Act::Correct]),
            ("actually Rome", &[Act::Correct]),
            ("not Paris, Rome", &[Act::Negate, Act::Correct]),
            ("never mind", &[Act::Cancel]),
            ("let's start over", &[Act::StartOver]),
            ("swap origin and destination", &[Act::Swap]),
            ("the other way round, please", &[Act::Swap]),
            ("switch the destination to Oslo", &[Act::Correct]),
            ("I want to talk to a human", &[Act::Handoff]),
            ("agent please", &[Act::Handoff]),
            ("anything else?", &[Act::Alternatives]),
            ("no, I don't need anything else", &[Act::Negate, Act::Correct]),
            ("find me a flight", &[Act::Search]),
            ("one person", &[]),
        ];
        for (words, expected) in cases {
            assert_eq!(acts(&Text::new(words)), *expected, "{words}");
        }
    }

    #[test]
    fn an_offer_is_picked_by_place_or_quality() {
        let cases = [
            ("the second one", Some(Pick::Nth(2))),
            ("I'll take the 2nd", Some(Pick::Nth(2))),
            ("option 3", Some(Pick::Nth(3))),
            ("book 2 please", Some(Pick::Nth(2))),
            ("book 2 seats to Rome", None),
            ("the third", Some(Pick::Nth(3))),
            ("the last one", Some(Pick::Last)),
            ("the cheapest", Some(Pick::Cheapest)),
            ("the earlier one", Some(Pick::Earliest)),
            ("the direct one", Some(Pick::FewestStops)),
            ("anything cheaper?", Some(Pick::Cheapest)),
            ("is there a later flight", Some(Pick::Latest)),
            ("which is fastest", Some(Pick::Fastest)),
            ("and which costs least?", Some(Pick::Cheapest)),
            ("which one lands first", Some(Pick::FirstToArrive)),
            ("what's the cheapest you've got?", Some(Pick::Cheapest)),
            ("anything cheaper than 300 euros?", None),
            ("is there a later flight on Friday", None),
            ("that one", Some(Pick::That)),
            ("the cheapest flight to Rome", None),
            ("on the 3rd", None),
            ("first class", None),
            ("one way", None),
        ];
        for (words, expected) in cases {
            assert_eq!(pick(&mut Text::new(words)), expected, "{words}");
        }
    }
}
