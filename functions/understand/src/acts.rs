//! What a person does with a message: agree, put right, ask for others, cancel, begin again; and which offer is meant.

use shared::dialogue::{Act, Pick};

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
    add(is_swap(text), Act::Swap);
    add(is_alternatives(&plain), Act::Alternatives);
    let first = plain.split_whitespace().next().unwrap_or_default();
    let negates = matches!(first, "no" | "nope" | "nah" | "not" | "wrong" | "incorrect")
        || has(&[" thats not right ", " that is not right ", " thats wrong ", " dont like "]);
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
            " look for ",
        ]),
        Act::Search,
    );
    acts
}

/// "Swap origin and destination", "the wrong way round".
fn is_swap(text: &Text) -> bool {
    const WHOLE: [&str; 13] = [
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
        text.any_of(at, &WHOLE).is_some() || turns && (both || pair)
    })
}

fn is_alternatives(plain: &str) -> bool {
    const OTHERS: [&str; 38] = [
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
    const NOT_MEANT: [&str; 8] = [
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

fn is_offer(word: &str) -> bool {
    matches!(word, "one" | "flight" | "option" | "offer" | "choice" | "result" | "itinerary")
}

fn by_place(text: &Text, at: usize) -> Option<(Pick, usize)> {
    if matches!(text.at(at), "option" | "number" | "offer" | "flight" | "choice" | "#" | "no" | "result") {
        let next = at + 1 + usize::from(matches!(text.at(at + 1), "number" | "#"));
        let (count, length) = number(text, next).filter(|(count, _)| (1..=50).contains(count))?;
        let ends = !text.tokens.get(next + length).is_some_and(|token| token.is_word())
            || matches!(text.at(next + length), "please" | "looks" | "sounds" | "is" | "works" | "then");
        return (ends && (text.at(at) != "no" || next > at + 1)).then_some((Pick::Nth(count), next + length - at));
    }
    if text.at(at) != "the" && !is_offer(text.at(at + 1)) {
        return None;
    }
    let lead = usize::from(text.at(at) == "the");
    if text.at(at + lead) == "last" && (is_offer(text.at(at + lead + 1)) || at + lead + 1 == text.len()) {
        return Some((Pick::Last, lead + 2));
    }
    let (count, length) = ordinal(text, at + lead)?;
    let next = at + lead + length;
    let chosen = matches!(text.before(at, 1), "take" | "choose" | "pick" | "select" | "like" | "book");
    let ends = !text.tokens.get(next).is_some_and(|token| token.is_word())
        || matches!(text.at(next), "please" | "then" | "sounds" | "looks");
    let in_words = text.at(at + lead).starts_with(|first: char| first.is_alphabetic());
    if is_offer(text.at(next)) && text.at(next + 1) != "to" && text.at(next + 1) != "from" {
        return Some((Pick::Nth(count), next + 1 - at));
    }
    (lead == 1 && ends && (in_words || chosen)).then_some((Pick::Nth(count), next - at))
}

fn by_quality(text: &Text, at: usize) -> Option<(Pick, usize)> {
    const QUALITIES: [(&str, Pick); 22] = [
        ("cheapest", Pick::Cheapest),
        ("cheaper", Pick::Cheapest),
        ("least expensive", Pick::Cheapest),
        ("lowest price", Pick::Cheapest),
        ("fastest", Pick::Fastest),
        ("quickest", Pick::Fastest),
        ("shortest", Pick::Fastest),
        ("faster", Pick::Fastest),
        ("shorter", Pick::Fastest),
        ("earliest", Pick::Earliest),
        ("earlier", Pick::Earliest),
        ("morning", Pick::Earliest),
        ("latest", Pick::Latest),
        ("later", Pick::Latest),
        ("evening", Pick::Latest),
        ("fewest stops", Pick::FewestStops),
        ("least stops", Pick::FewestStops),
        ("nonstop", Pick::FewestStops),
        ("non - stop", Pick::FewestStops),
        ("direct", Pick::FewestStops),
        ("one with the fewest stops", Pick::FewestStops),
        ("one with the lowest price", Pick::Cheapest),
    ];
    if let Some(length) = text.any_of(at, &["that one", "this one"]) {
        return Some((Pick::That, length));
    }
    if text.at(at) != "the" {
        return by_comparison(text, at, &QUALITIES);
    }
    let (pick, length) = QUALITIES
        .iter()
        .filter_map(|(phrase, pick)| text.any_of(at + 1, &[*phrase]).map(|length| (pick.clone(), length)))
        .max_by_key(|(_, length)| *length)?;
    let next = at + 1 + length;
    let superlative = text.at(at + 1).ends_with("est") || text.at(at + 1) == "least";
    let ends = !text.tokens.get(next).is_some_and(|token| token.is_word())
        || matches!(text.at(next), "please" | "then" | "you" | "youve" | "available" | "there" | "among");
    if matches!(text.at(next), "one" | "option" | "offer") {
        return Some((pick, next + 1 - at));
    }
    let flight = text.at(next) == "flight"
        && !matches!(text.at(next + 1), "to" | "from" | "on" | "for" | "in" | "out" | "leaving");
    (superlative && (ends || flight)).then_some((pick, next - at + usize::from(flight)))
}

/// "Anything cheaper?", "is there a later flight", "which is fastest".
fn by_comparison(text: &Text, at: usize, qualities: &[(&str, Pick)]) -> Option<(Pick, usize)> {
    const LEADS: [&str; 12] = [
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
    let lead = text.any_of(at, &LEADS)?;
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
            ("the third", Some(Pick::Nth(3))),
            ("the last one", Some(Pick::Last)),
            ("the cheapest", Some(Pick::Cheapest)),
            ("the earlier one", Some(Pick::Earliest)),
            ("the direct one", Some(Pick::FewestStops)),
            ("anything cheaper?", Some(Pick::Cheapest)),
            ("is there a later flight", Some(Pick::Latest)),
            ("which is fastest", Some(Pick::Fastest)),
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
