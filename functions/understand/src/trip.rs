//! One way, or there and back.

use contracts::travel::Trip;

use crate::text::Text;

/// The kind of trip a message names; what was said last counts.
pub fn trip(text: &Text) -> Option<Trip> {
    let mut found = None;
    let mut next = 0;
    while next < text.len() {
        let at = next;
        let named = named(text, at);
        next += named.map_or(1, |(_, length)| length);
        let Some((kind, length)) = named else { continue };
        let lead = 1 + usize::from(matches!(text.before(at, 1), "a" | "the" | "just"));
        let right = text.at(at + length - 1) == "right";
        let not = !right && text.before(at, lead) == "not" || text.is_taken_back(at..at + length);
        let replaced =
            text.before(at, lead) == "than" || text.before(at, lead) == "of" && text.before(at, lead + 1) == "instead";
        if not && found.is_none() {
            found = Some(if kind == Trip::OneWay { Trip::RoundTrip } else { Trip::OneWay });
        } else if !not && !replaced && text.free(at) {
            found = Some(kind);
        }
    }
    found
}

/// The kind that is named at a token, and how many it takes.
fn named(text: &Text, at: usize) -> Option<(Trip, usize)> {
    const ONE_WAY: &[&str] = &[
        "one way",
        "one - way",
        "oneway",
        "1 way",
        "1 - way",
        "single ticket",
        "single flight",
        "no return",
        "not coming back",
        "not returning",
        "without return",
        "without a return",
        "without the return",
        "without the way back",
        "without the flight back",
        "wont be returning",
        "wont be coming back",
        // Who does not know yet when to come back can look at the way out.
        "return undecided",
        "return open",
        "return date open",
        "leave the return open",
        "return is open",
        "return tbd",
        "open return",
        "return not decided",
        "return unknown",
        "undecided about the return",
        "not sure about the return",
        "no return yet",
        "no return date yet",
        "return still open",
    ];
    const ROUND_TRIP: &[&str] = &[
        "round trip",
        "round - trip",
        "round trips",
        "round - trips",
        "roundtrip",
        "roundtrips",
        "round flight",
        "round flights",
        "round ticket",
        "both ways",
        "there and back",
        "two way",
        "two - way",
        "2 way",
        "2 - way",
        "back and forth",
        "to and fro",
        "flight back",
        "flights back",
        "way back",
    ];
    // "No, the return was right" wants it back.
    if let Some(length) = text.any_of(
        at,
        &[
            "return was right",
            "return was correct",
            "return is right",
            "return was ok",
            "round trip was right",
            "with return was right",
        ],
    ) {
        return Some((Trip::RoundTrip, length));
    }
    if text.at(at) == "no" && matches!(text.at(at + 1), "return") && text.at(at + 2) == "was" {
        return None;
    }
    if let Some(length) = text.any_of(at, ONE_WAY) {
        return Some((Trip::OneWay, length));
    }
    let ways = text.is(at, &["both", "ways"])
        && matches!(
            text.before(at, 1),
            "economy"
                | "business"
                | "biz"
                | "class"
                | "first"
                | "direct"
                | "nonstop"
                | "morning"
                | "premium"
                | "evening"
        );
    if ways {
        return None;
    }
    let denied = matches!(text.before(at, 1), "no" | "not" | "without" | "t") || text.before(at, 2) == "not";
    let returns = (is_return(text, at) && !denied).then_some(1);
    text.any_of(at, ROUND_TRIP).or(returns).map(|length| (Trip::RoundTrip, length))
}

/// "return flights", "a return", "I also need to return", "when I come back".
fn is_return(text: &Text, at: usize) -> bool {
    if matches!(text.at(at), "return" | "returning") {
        let noun = (at + 1..at + 4).any(|at| {
            matches!(
                text.at(at),
                "flight"
                    | "flights"
                    | "ticket"
                    | "tickets"
                    | "trip"
                    | "journey"
                    | "fare"
                    | "fares"
                    | "seat"
                    | "seats"
                    | "leg"
            )
        });
        let said = matches!(
            text.before(at, 1),
            "a" | "to"
                | "will"
                | "be"
                | "and"
                | "with"
                | "also"
                | "im"
                | "am"
                | "ill"
                | "would"
                | "id"
                | "my"
                | "the"
                | "are"
                | "plus"
        );
        return noun || said;
    }
    matches!(text.at(at), "come" | "coming" | "get" | "getting" | "fly" | "flying" | "be" | "head" | "heading")
        && text.at(at + 1) == "back"
        && !matches!(text.at(at + 2), "to" | "into")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_trip_is_read() {
        let cases = [
            ("a one-way ticket", Some(Trip::OneWay)),
            ("oneway", Some(Trip::OneWay)),
            ("I'm not coming back", Some(Trip::OneWay)),
            ("no return", Some(Trip::OneWay)),
            ("not sure about the return", Some(Trip::OneWay)),
            ("round trip please", Some(Trip::RoundTrip)),
            ("a return flight", Some(Trip::RoundTrip)),
            ("return economy tickets", Some(Trip::RoundTrip)),
            ("I need to come back, too", Some(Trip::RoundTrip)),
            ("round trip instead of one way", Some(Trip::RoundTrip)),
            ("not one way", Some(Trip::RoundTrip)),
            ("one way, not round trip", Some(Trip::OneWay)),
            ("get back to me", None),
            ("cancel the return flight", Some(Trip::OneWay)),
            ("forget the return", Some(Trip::OneWay)),
            ("I don't need a flight back", Some(Trip::OneWay)),
            ("the return isn't needed any more", Some(Trip::OneWay)),
            ("no need for a return flight", Some(Trip::OneWay)),
            ("without the return, how much?", Some(Trip::OneWay)),
            ("don't forget the return flight", Some(Trip::RoundTrip)),
            ("a flight to Rome", None),
        ];
        for (words, expected) in cases {
            assert_eq!(trip(&Text::new(words)), expected, "{words}");
        }
    }
}
