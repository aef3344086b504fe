//! The class of travel, and how many stops.

use std::ops::Range;

use contracts::dialogue::Wish;
use contracts::travel::Cabin;

use crate::numbers::number;
use crate::text::Text;

/// The class of travel a message names. What is read is taken.
pub fn cabin(text: &mut Text) -> Option<Wish<Cabin>> {
    const ANY: &[&str] = &[
        "any class",
        "any cabin",
        "any cabin class",
        "any seating class",
        "any seat class",
        "whatever class",
        "whichever class",
        "any class of service",
        "any travel class",
        "any type of class",
        "any type of seat",
        "any ticket class",
        "any class is fine",
        "all classes",
    ];
    for at in 0..text.len() {
        if let Some(length) = text.any_of(at, ANY) {
            text.take(at..at + length);
            return Some(Wish::Any);
        }
    }
    if let Some(at) = text.not_minded(&["class", "cabin", "classes"]) {
        text.take(at);
        return Some(Wish::Any);
    }
    let mut found: Vec<(Cabin, Range<usize>)> = Vec::new();
    let mut taken_back = false;
    let mut at = 0;
    while at < text.len() {
        match one_cabin(text, at).filter(|_| text.free(at)) {
            Some((cabin, length)) => {
                let unwanted = is_unwanted(text, at) || text.is_taken_back(at..at + length);
                text.take(at..at + length);
                if unwanted {
                    taken_back = true;
                } else {
                    found.push((cabin, at..at + length));
                }
                at += length;
            }
            None => at += 1,
        }
    }
    let Some((last, place)) = found.last() else { return taken_back.then_some(Wish::Any) };
    let either = found.iter().rev().nth(1).is_some_and(|(other, before)| {
        other != last
            && text.sentence(before.start) == text.sentence(place.start)
            && (before.end..place.start).any(|at| matches!(text.at(at), "or" | "and" | "/"))
            && place.start - before.end <= 3
            && !(place.end..place.end + 4).any(|at| text.at(at) == "instead")
    });
    // "Premium economy or business": either would do, economy would not.
    let least = found.iter().map(|(cabin, _)| *cabin).min_by_key(|cabin| comfort(*cabin));
    Some(match least.filter(|cabin| either && *cabin != Cabin::Economy) {
        Some(least) => Wish::Only(least),
        None if either => Wish::Any,
        None => Wish::Only(*last),
    })
}

/// The classes in the order of their comfort.
fn comfort(cabin: Cabin) -> u8 {
    match cabin {
        Cabin::Economy | Cabin::Other => 0,
        Cabin::PremiumEconomy => 1,
        Cabin::Business => 2,
        Cabin::First => 3,
    }
}

fn one_cabin(text: &Text, at: usize) -> Option<(Cabin, usize)> {
    const NAMES: &[(&str, Cabin)] = &[
        ("premium economy class", Cabin::PremiumEconomy),
        ("premium economy", Cabin::PremiumEconomy),
        ("premium - economy", Cabin::PremiumEconomy),
        ("economy premium", Cabin::PremiumEconomy),
        ("economy plus", Cabin::PremiumEconomy),
        ("premium eco", Cabin::PremiumEconomy),
        ("premium class", Cabin::PremiumEconomy),
        ("lie flat", Cabin::Business),
        ("lie - flat", Cabin::Business),
        ("flat bed", Cabin::Business),
        ("flat beds", Cabin::Business),
        ("about up front", Cabin::Business),
        ("sit up front", Cabin::Business),
        ("seats up front", Cabin::Business),
        ("fly up front", Cabin::Business),
        ("the pointy end", Cabin::Business),
        ("best cabin", Cabin::First),
        ("best class", Cabin::First),
        ("highest class", Cabin::First),
        ("cattle class", Cabin::Economy),
        ("cheap seats", Cabin::Economy),
        ("club class", Cabin::Business),
        ("economy class", Cabin::Economy),
        ("economy", Cabin::Economy),
        ("economic class", Cabin::Economy),
        ("economical class", Cabin::Economy),
        ("econ", Cabin::Economy),
        ("eco", Cabin::Economy),
        ("eco class", Cabin::Economy),
        ("coach class", Cabin::Economy),
        ("coach", Cabin::Economy),
        ("tourist class", Cabin::Economy),
        ("main cabin", Cabin::Economy),
        ("business class", Cabin::Business),
        ("biz class", Cabin::Business),
        ("biz", Cabin::Business),
        ("first class", Cabin::First),
        ("1st class", Cabin::First),
        ("first - class", Cabin::First),
    ];
    let named = NAMES
        .iter()
        .filter_map(|(phrase, cabin)| text.any_of(at, &[*phrase]).map(|length| (*cabin, length)))
        .max_by_key(|(_, length)| *length);
    named
        .or_else(|| clerks_letter(text, at))
        .or_else(|| (text.at(at) == "business" && is_class(text, at)).then_some((Cabin::Business, 1)))
        .or_else(|| {
            let stands_alone = matches!(text.before(at, 1), "," | "in" | "or" | "fly" | "flying")
                && (!text.tokens.get(at + 1).is_some_and(|token| token.is_word())
                    || matches!(text.at(at + 1), "or" | "please"));
            (text.at(at) == "first" && stands_alone).then_some((Cabin::First, 1))
        })
}

/// "LHE/DXB 10MAY 2ADT J": the last letter of a line as clerks write it is the class.
fn clerks_letter(text: &Text, at: usize) -> Option<(Cabin, usize)> {
    let cabin = match text.at(at) {
        "j" | "c" => Cabin::Business,
        "w" => Cabin::PremiumEconomy,
        "f" => Cabin::First,
        "y" => Cabin::Economy,
        _ => return None,
    };
    let token = text.tokens.get(at)?;
    let capitals = text.tokens.iter().filter(|token| token.capitals).count();
    let behind_count = matches!(text.before(at, 1), "adults" | "children" | "infants" | "pax" | "adult" | "people")
        || text.before(at, 1).starts_with(|first: char| first.is_ascii_digit());
    // "Requote in Y".
    let ends = !text.is_word(at + 1) || matches!(text.at(at + 1), "please" | "then" | "instead" | "class" | "cabin");
    let in_class = matches!(text.before(at, 1), "in" | "into" | "do" | "try" | "quote") && ends && !text.joined(at);
    (token.capital && (capitals >= 2 && behind_count && !text.is_word(at + 1) || in_class)).then_some((cabin, 1))
}

/// "on business" and "a business trip" say why somebody flies, not how.
fn is_class(text: &Text, at: usize) -> bool {
    let why = matches!(text.before(at, 1), "on" | "my" | "some" | "your" | "our" | "for");
    let noun = matches!(
        text.at(at + 1),
        "trip"
            | "trips"
            | "meeting"
            | "meetings"
            | "travel"
            | "traveller"
            | "traveler"
            | "partner"
            | "partners"
            | "conference"
            | "purpose"
            | "purposes"
            | "reasons"
            | "reason"
            | "matters"
            | "visit"
            | "school"
            | "visa"
            | "hours"
            | "card"
            | "cards"
            | "day"
            | "days"
            | "week"
            | "event"
            | "appointment"
            | "associate"
            | "associates"
            | "owner"
            | "center"
            | "centre"
            | "district"
            | "deal"
            | "tour"
            | "related"
            | "needs"
            | "suit"
            | "lounge"
            | "man"
            | "woman"
    );
    !(why || noun)
}

/// "not economy", "rather than economy", "instead of economy".
fn is_unwanted(text: &Text, at: usize) -> bool {
    matches!(text.before(at, 1), "not" | "than" | "no" | "without")
        || text.before(at, 1) == "of" && text.before(at, 2) == "instead"
        || matches!(text.before(at, 1), "in" | "want" | "like" | "fly") && matches!(text.before(at, 2), "not" | "dont")
        || text.before(at, 1) == "from" && matches!(text.before(at, 2), "change" | "switch" | "upgrade")
}

/// "No overnight layovers" bounds how long they are, not how many.
fn overnight(text: &Text) -> bool {
    (0..text.len()).any(|at| {
        matches!(text.at(at), "overnight" | "long" | "short" | "longer" | "shorter")
            && matches!(
                text.at(at + 1),
                "layover" | "layovers" | "stop" | "stops" | "stopover" | "stopovers" | "connection" | "connections"
            )
    })
}

/// One class out and another back, or for some of the travellers only.
pub fn mixes_cabins(text: &Text) -> bool {
    const SOME: &[&str] = &[
        "on the way there",
        "on the way out",
        "on the way back",
        "for the return",
        "out only",
        "back only",
        "for the seniors",
        "for my parents",
        "for the kids",
        "for the adults",
        "for the outbound",
        "only on the way",
        "for me",
        "for my wife",
        "for my husband",
        "for my mother",
    ];
    let named: Vec<(usize, Cabin, usize)> = (0..text.len())
        .filter_map(|at| one_cabin(text, at).map(|(cabin, length)| (at, cabin, at + length)))
        .filter(|(at, _, end)| !is_unwanted(text, *at) && !text.is_taken_back(*at..*end))
        .collect();
    let way = |at: usize| {
        matches!(text.at(at), "out" | "back" | "there" | "return" | "returning" | "outbound" | "inbound")
            || text.any_of(at, SOME).is_some()
    };
    // Each class has its way beside it: "biz out, economy back".
    let beside =
        |end: usize| (end..end + 3).any(way) || text.any_of(end, &["one way", "the other", "the other way"]).is_some();
    let two = named.iter().any(|(_, one, end)| {
        beside(*end) && named.iter().any(|(at, other, other_end)| at >= end && one != other && beside(*other_end))
    });
    let part =
        named.len() == 1 && named.iter().any(|(_, _, end)| (*end..*end + 2).any(|at| text.any_of(at, SOME).is_some()));
    two || part && !(0..text.len()).any(|at| text.is(at, &["for", "me"]))
}

/// The most stops a message allows. What is read is taken.
pub fn max_stops(text: &mut Text) -> Option<Wish<u8>> {
    const NONE: &[&str] = &[
        "hate layovers",
        "hate layover",
        "hate stops",
        "hate stopovers",
        "hate connections",
        "hate connecting",
        "hate changing planes",
        "dont want layovers",
        "dont want stops",
        "dont want any stops",
        "dont like layovers",
        "no changes",
        "without changes",
        "without a change",
        "without change",
        "without changing",
        "no transit",
        "no transits",
        "without transit",
        "zero stops",
        "0 stops",
        "nonstop",
        "non - stop",
        "non stop",
        "direct",
        "directly",
        "straight through",
        "straight there",
        "straight shot",
        "no stops",
        "no stop",
        "without stops",
        "without any stops",
        "without a stop",
        "no layovers",
        "no layover",
        "without layovers",
        "without a layover",
        "no connections",
        "no connection",
        "no connecting",
        "without stopping",
        "without changing planes",
        "without connections",
        "no stopovers",
    ];
    const ANY: &[&str] = &[
        "any route",
        "any routing",
        "whatever route",
        "any connection",
        "stops are okay",
        "stops ok",
        "stops fine",
        "stop is fine",
        "stops is fine",
        "layovers ok",
        "layovers are ok",
        "layover is fine",
        "layover is ok",
        "connecting is fine",
        "connections are ok",
        "connecting flights are fine",
        "dont mind stops",
        "dont mind a stop",
        "dont mind layovers",
        "doesnt have to be direct",
        "any number of stops",
        "stops are fine",
        "stops are ok",
        "stops dont matter",
        "layovers are fine",
        "with stops",
        "connections are fine",
        "stops do not matter",
        "any stops",
    ];
    if overnight(text) {
        return None;
    }
    if let Some(at) = text.not_minded(&["stops", "layovers", "connections", "stop", "route", "routing", "routes"]) {
        text.take(at);
        return Some(Wish::Any);
    }
    let mut found = None;
    // "No, stops are fine" is no "no stops".
    if let Some((at, length)) = (0..text.len()).find_map(|at| text.any_of(at, ANY).map(|length| (at, length))) {
        text.take(at..at + length);
        return Some(Wish::Any);
    }
    for at in 0..text.len() {
        if !text.free(at) {
            continue;
        }
        if let Some(length) = text.any_of(at, ANY) {
            text.take(at..at + length);
            found = Some(Wish::Any);
        } else if let Some(length) = text.any_of(at, NONE) {
            let denied =
                matches!(text.before(at, 1), "not") || text.before(at, 2) == "not" && text.before(at, 1) == "be";
            // "No stops" has its "no" within.
            let need_not = denied || text.is_taken_back(at..at + length);
            text.take(at..at + length);
            found = Some(if need_not { Wish::Any } else { Wish::Only(0) });
        } else if let Some((count, length)) = number(text, at) {
            let noun = at + length + usize::from(text.at(at + length) == "max");
            const BOUNDED: &[&str] = &[
                "at most",
                "max",
                "maximum",
                "at the most",
                "tops",
                "of plane",
                "of planes",
                "is ok",
                "is fine",
                "are fine",
            ];
            let changes = matches!(text.at(noun), "change" | "changes") && text.any_of(noun + 1, BOUNDED).is_some();
            if changes
                || matches!(
                    text.at(noun),
                    "stop" | "stops" | "layover" | "layovers" | "stopover" | "stopovers" | "connection" | "connections"
                )
            {
                text.take(at..noun + 1);
                found = u8::try_from(count).ok().map(Wish::Only);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_class_of_travel_is_told_from_the_reason_to_travel() {
        let cases = [
            ("two of us, business, back a week later", Some(Wish::Only(Cabin::Business))),
            ("a business class ticket", Some(Wish::Only(Cabin::Business))),
            ("a business trip", None),
            ("I travel on business", None),
            ("premium economy please", Some(Wish::Only(Cabin::PremiumEconomy))),
            ("coach", Some(Wish::Only(Cabin::Economy))),
            ("first class", Some(Wish::Only(Cabin::First))),
            ("requote in Y please", Some(Wish::Only(Cabin::Economy))),
            ("they live in Y country", None),
            ("the first one", None),
            ("either business or economy", Some(Wish::Any)),
            ("any class", Some(Wish::Any)),
            ("not economy, business", Some(Wish::Only(Cabin::Business))),
            ("cancel the business class, economy is fine", Some(Wish::Only(Cabin::Economy))),
            ("forget business", Some(Wish::Any)),
            ("I don't need first class after all", Some(Wish::Any)),
            ("business class isn't needed any more", Some(Wish::Any)),
            ("never mind the class", Some(Wish::Any)),
            ("it doesn't have to be premium economy", Some(Wish::Any)),
            ("don't forget business class", Some(Wish::Only(Cabin::Business))),
        ];
        for (words, expected) in cases {
            assert_eq!(cabin(&mut Text::new(words)), expected, "{words}");
        }
    }

    #[test]
    fn stops_are_bounded() {
        let cases = [
            ("nonstop please", Some(Wish::Only(0))),
            ("a direct flight", Some(Wish::Only(0))),
            ("at most one stop", Some(Wish::Only(1))),
            ("up to 2 stops", Some(Wish::Only(2))),
            ("it need not be direct", Some(Wish::Any)),
            ("stops are fine", Some(Wish::Any)),
            ("stop it", None),
            ("nonstop isn't needed any more", Some(Wish::Any)),
            ("forget the nonstop", Some(Wish::Any)),
            ("I no longer need a direct flight", Some(Wish::Any)),
            ("it doesn't have to be nonstop", Some(Wish::Any)),
            ("a direct flight is not necessary", Some(Wish::Any)),
            ("never mind the stops", Some(Wish::Any)),
            ("it has to be nonstop", Some(Wish::Only(0))),
            ("I don't want stops, direct please", Some(Wish::Only(0))),
            ("don't forget: nonstop", Some(Wish::Only(0))),
        ];
        for (words, expected) in cases {
            assert_eq!(max_stops(&mut Text::new(words)), expected, "{words}");
        }
    }
}
