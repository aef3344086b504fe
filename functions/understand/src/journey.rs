//! Where a journey starts and ends: the role of each place, from the words around it.
//!
//! The gazetteer says which tokens name a place; here "from", "to", "leaving", "bound", an arrow or the order of two
//! codes say what the place is in the journey. Where nothing does, the role stays unknown: what was asked tells later.

use std::ops::Range;

use contracts::dialogue::{PlaceMention, PlaceRole};
use contracts::travel::Place;

use crate::repairs;
use crate::text::Text;

/// A place as the gazetteer found it.
#[derive(Debug, Clone)]
pub struct Named {
    /// The tokens of its name.
    pub at: Range<usize>,
    /// Which places it may be.
    pub candidates: Vec<Place>,
    /// It is a country or another region, of which the candidates are the busiest places.
    pub region: bool,
    /// It has no airport, and the candidates are the nearest.
    pub near: bool,
}

/// Gives each place its role; drops those that are only passed through.
pub fn mentions(text: &Text, words: &str, named: &[Named]) -> Vec<PlaceMention> {
    let mut roles: Vec<Option<PlaceRole>> = (0..named.len()).map(|at| role(text, named, at)).collect();
    pair(text, named, &mut roles);
    either(text, named, &mut roles);
    complete(text, named, &mut roles);
    put_right(text, named, &mut roles);
    named
        .iter()
        .enumerate()
        .zip(roles)
        .filter(|((at, place), _)| !is_passed_through(text, &place.at, previous_end(named, *at)))
        .filter(|((at, _), _)| !is_put_right(text, named, *at))
        .filter(|((_, place), _)| !is_past(text, place.at.end))
        .map(|((at, place), role)| {
            let start = text.tokens.get(place.at.start).map_or(0, |token| token.start);
            let end = text.tokens.get(place.at.end.saturating_sub(1)).map_or(0, |token| token.end);
            PlaceMention {
                name: words.get(start..end).unwrap_or_default().to_owned().into(),
                candidates: place.candidates.clone(),
                region: place.region,
                either: is_either(text, named, at),
                near: place.near,
                // "Only Luton? I don't want Luton": named twice, it is not meant once.
                negated: named
                    .iter()
                    .any(|other| other.candidates == place.candidates && is_negated(text, other.at.start)),
                role: role.unwrap_or(PlaceRole::Unknown),
            }
        })
        .collect()
}

/// The places that a message only leads through, each with whether it should not: "via Doha", "don't route me through Chicago".
pub fn passed_through(text: &Text, named: &[Named]) -> Vec<(Place, bool)> {
    let passed = named
        .iter()
        .enumerate()
        .filter(|(at, place)| !place.region && is_passed_through(text, &place.at, previous_end(named, *at)));
    passed
        .filter_map(|(at, place)| {
            let from = previous_end(named, at).max(place.at.start.saturating_sub(8));
            let sentence = text.sentence(place.at.start);
            let avoided = (from..place.at.start).any(|at| {
                text.sentence(at) == sentence
                    && matches!(
                        text.at(at),
                        "no" | "not" | "dont" | "without" | "avoid" | "avoiding" | "never" | "hate" | "except" | "wont"
                    )
            });
            Some((place.candidates.first()?.clone(), avoided))
        })
        .collect()
}

/// A country or a larger region is not to be passed through: "not via Europe".
pub fn avoids_region(text: &Text, named: &[Named]) -> bool {
    named
        .iter()
        .enumerate()
        .any(|(at, place)| place.region && is_passed_through(text, &place.at, previous_end(named, at)))
}

/// "Manchester or Liverpool": the second would do as well.
fn is_either(text: &Text, named: &[Named], at: usize) -> bool {
    let Some((before, this)) = at.checked_sub(1).and_then(|before| named.get(before)).zip(named.get(at)) else {
        return false;
    };
    let between = text.plain(before.at.end..this.at.start);
    // "Narita/Haneda, whichever".
    if text.at(before.at.end) == "/" && before.at.end + 1 == this.at.start {
        return (0..text.len()).any(|at| matches!(text.at(at), "whichever" | "either" | "whatever" | "any" | "both"));
    }
    // "If there's nothing from Granada, then Malaga."
    let from = before.at.start.saturating_sub(6);
    let fallback = || (from..before.at.start).any(|at| text.at(at) == "if");
    if matches!(between.trim(), "then" | ", then" | "then from" | "then to" | ", from" | ", to") && fallback() {
        return true;
    }
    matches!(between.trim(), "or" | "or from" | "or to" | "or maybe" | "or even" | "or the" | "or else" | "and or")
}

/// What would do as well has the role of what stands before it, and the other way round.
fn either(text: &Text, named: &[Named], roles: &mut [Option<PlaceRole>]) {
    for at in 1..named.len() {
        if !is_either(text, named, at) {
            continue;
        }
        match (roles.get(at - 1).copied().flatten(), roles.get(at).copied().flatten()) {
            (Some(role), _) => set(roles, at, role),
            (None, Some(role)) => set(roles, at - 1, role),
            (None, None) => {}
        }
    }
}

/// "Accra, no, Lagos": the first is not meant.
fn is_put_right(text: &Text, named: &[Named], at: usize) -> bool {
    let Some((this, next)) = named.get(at).zip(named.get(at + 1)) else { return false };
    repairs::between(text, this.at.end, next.at.start)
}

/// "Zagreb was last year": told of another journey.
fn is_past(text: &Text, end: usize) -> bool {
    const PAST: &[&str] = &[
        "was last",
        "was before",
        "was yesterday",
        "was years",
        "was a while",
        "was ages",
        "was the last",
        "was my last",
        "was our last",
        "was the previous",
    ];
    text.any_of(end, PAST).is_some()
}

/// What puts a place right has its role.
fn put_right(text: &Text, named: &[Named], roles: &mut [Option<PlaceRole>]) {
    for at in 0..named.len().saturating_sub(1) {
        let role = roles.get(at).copied().flatten();
        if let (true, Some(role)) = (is_put_right(text, named, at), role) {
            set(roles, at + 1, role);
        }
    }
}

fn previous_end(named: &[Named], at: usize) -> usize {
    at.checked_sub(1).and_then(|before| named.get(before)).map_or(0, |before| before.at.end)
}

/// Words that may stand between "from" and the place.
fn is_skipped(word: &str) -> bool {
    matches!(
        word,
        "the"
            | "city"
            | "a"
            | "airport"
            | "beautiful"
            | "lovely"
            | "sunny"
            | "town"
            | "area"
            | "either"
            | "maybe"
            | "probably"
            | "say"
            | "downtown"
            | "somewhere"
            | "like"
            | "my"
            | "home"
            | "hometown"
            | "place"
            | "perhaps"
            | "good"
            | "old"
            | ":"
            | "\""
            | "'"
            | "("
            | "vibrant"
            | "big"
            | "capital"
            | "called"
            | "named"
    )
}

/// Where the nearest word before a place that is not skipped is.
fn lead(text: &Text, start: usize, from: usize) -> Option<usize> {
    let mut at = start;
    while at > from {
        at -= 1;
        let of_city = text.at(at) == "of" && matches!(text.before(at, 1), "city" | "town" | "capital" | "area");
        if !is_skipped(text.at(at)) && !of_city {
            return Some(at);
        }
    }
    None
}

fn role(text: &Text, named: &[Named], index: usize) -> Option<PlaceRole> {
    let place = named.get(index)?;
    let from = previous_end(named, index);
    let before = lead(text, place.at.start, from).and_then(|at| role_before(text, at));
    before.or_else(|| role_behind(text, place.at.end)).or_else(|| role_afar(text, place.at.start, from))
}

/// What the word right before a place says.
fn role_before(text: &Text, at: usize) -> Option<PlaceRole> {
    let before = text.before(at, 1);
    Some(match text.at(at) {
        "from" | "form" | "frm" => match is_return(before) {
            true => PlaceRole::ReturnOrigin,
            false => PlaceRole::Origin,
        },
        // "Fly into Milan, out of Rome": the way back starts there.
        "of" if before == "out" && (1..6).any(|back| text.before(at, back) == "into") => PlaceRole::ReturnOrigin,
        "of" if before == "out" => PlaceRole::Origin,
        "outta" | "leaving" | "leave" | "departing" | "depart" | "departs" | "leaves" | "exiting" => PlaceRole::Origin,
        "between" => PlaceRole::Origin,
        // "change Paris to Rome", "make it to Rome": which one is told by what is changed.
        "to" if is_change(text, at) => PlaceRole::Unknown,
        "to" | "into" | "toward" | "towards" | "onto" => match is_return(before) {
            true => PlaceRole::ReturnDestination,
            false => PlaceRole::Destination,
        },
        "visit" | "visiting" | "reach" | "reaching" | "see" | "explore" | "exploring" | "destination" | "dest" => {
            PlaceRole::Destination
        }
        "for" if !matches!(before, "weather" | "hotel") => PlaceRole::Destination,
        "in" | "at" => {
            let based = matches!(
                before,
                "live"
                    | "living"
                    | "based"
                    | "currently"
                    | "located"
                    | "am"
                    | "im"
                    | "start"
                    | "starting"
                    | "here"
                    | "stuck"
                    | "stranded"
                    | "trapped"
            ) || matches!(before, "flights" | "flight");
            if based { PlaceRole::Origin } else { PlaceRole::Destination }
        }
        "origin" => PlaceRole::Origin,
        _ => return None,
    })
}

fn is_return(word: &str) -> bool {
    matches!(word, "back" | "return" | "returning" | "returns" | "home")
}

/// "change it to", "switch Paris to": the verb stands shortly before.
fn is_change(text: &Text, at: usize) -> bool {
    let sentence = text.sentence(at);
    (at.saturating_sub(4)..at)
        .filter(|at| text.sentence(*at) == sentence)
        .any(|at| matches!(text.at(at), "change" | "switch" | "swap" | "changing" | "correct" | "update"))
        && !(at.saturating_sub(4)..at)
            .any(|at| matches!(text.at(at), "destination" | "fly" | "go" | "going" | "arrival"))
}

/// What stands right behind a place: "Rome bound", "Atlanta is my destination", "Oslo as the departure city".
fn role_behind(text: &Text, end: usize) -> Option<PlaceRole> {
    if text.at(end) == "bound" || text.is(end, &["-", "bound"]) {
        return Some(PlaceRole::Destination);
    }
    if !matches!(text.at(end), "is" | "as" | "will" | "would" | "'s") {
        return None;
    }
    let sentence = text.sentence(end);
    (end + 1..end + 8).take_while(|at| text.sentence(*at) == sentence).find_map(|at| noun_role(text, at))
}

/// "My destination will be Seattle", "departure city: Atlanta", "I'm headed over to see Rome".
fn role_afar(text: &Text, start: usize, from: usize) -> Option<PlaceRole> {
    let sentence = text.sentence(start);
    (from.max(start.saturating_sub(7))..start)
        .rev()
        .take_while(|at| text.sentence(*at) == sentence && text.at(*at) != ",")
        .find_map(|at| noun_role(text, at))
}

fn noun_role(text: &Text, at: usize) -> Option<PlaceRole> {
    match text.at(at) {
        "destination" | "arrival" | "headed" | "bound" => Some(PlaceRole::Destination),
        "point" | "airport" | "city" | "place" => match text.before(at, 1) {
            "starting" | "start" | "boarding" | "leaving" => Some(PlaceRole::Origin),
            "ending" | "end" | "final" | "landing" | "arriving" => Some(PlaceRole::Destination),
            _ => None,
        },
        "departure" | "origin" | "departing" | "embarking" => Some(PlaceRole::Origin),
        "leaving" | "leave" | "flying" | "fly" if text.at(at + 1) == "from" || text.at(at + 2) == "from" => {
            Some(PlaceRole::Origin)
        }
        "going" | "flying" | "go" | "fly" if text.at(at + 1) == "to" => Some(PlaceRole::Destination),
        "going" | "go"
            if text.is(at.saturating_sub(3), &["where", "i"]) || text.is(at.saturating_sub(2), &["where", "im"]) =>
        {
            Some(PlaceRole::Destination)
        }
        _ => None,
    }
}

/// "Lahore to Dubai", "LHE-DXB", "Lahore → Dubai", "between Rome and Oslo", "LHE DXB".
fn pair(text: &Text, named: &[Named], roles: &mut [Option<PlaceRole>]) {
    for at in 0..named.len().saturating_sub(1) {
        let (Some(this), Some(next)) = (named.get(at), named.get(at + 1)) else { continue };
        let between: Vec<&str> = (this.at.end..next.at.start).map(|at| text.at(at)).collect();
        let first = roles.get(at).copied().flatten();
        let second = roles.get(at + 1).copied().flatten();
        let arrow = matches!(
            between.as_slice(),
            ["-" | "→" | "->" | ">" | "/" | "»" | "➔" | "➡" | "⇒" | "⟶" | "2"] | ["-" | "=", ">"]
        );
        // "LHE-DXB-LHE" is there and back.
        let again = at > 0
            && second.is_none()
            && named.get(at - 1).is_some_and(|before| before.candidates.first() == next.candidates.first())
            && first == Some(PlaceRole::Destination);
        // "AKL SYD AKL" says the same.
        if (arrow || between.is_empty()) && again {
            set(roles, at + 1, PlaceRole::ReturnDestination);
            continue;
        }
        let arrow = arrow && !is_either(text, named, at + 1);
        let to = matches!(between.as_slice(), ["to"] | ["to", "the"] | ["into"]);
        let spanned =
            between == ["and"] && first == Some(PlaceRole::Origin) && text.before(this.at.start, 1) == "between";
        let bare = between.is_empty() && second.is_none();
        let for_both = between.is_empty() && second.is_none() && text.before(this.at.start, 1) == "for";
        let led = matches!(first, None | Some(PlaceRole::Origin | PlaceRole::Unknown)) || for_both;
        let changed = second == Some(PlaceRole::Unknown);
        if (arrow || to || spanned || bare) && led && !changed {
            set(roles, at, PlaceRole::Origin);
            set(roles, at + 1, PlaceRole::Destination);
        }
    }
}

fn set(roles: &mut [Option<PlaceRole>], at: usize, role: PlaceRole) {
    if let Some(place) = roles.get_mut(at) {
        *place = Some(role);
    }
}

/// Of two places the one without a role has the role that is left over.
fn complete(text: &Text, named: &[Named], roles: &mut [Option<PlaceRole>]) {
    if let [one, another, third] = roles
        && named.len() == 3
    {
        // "From Manchester or Liverpool to Dublin", "Lahore to Gatwick or Luton".
        if is_either(text, named, 1) && third.is_none() {
            *third = match one {
                Some(PlaceRole::Origin) => Some(PlaceRole::Destination),
                Some(PlaceRole::Destination) => Some(PlaceRole::Origin),
                other => *other,
            };
        } else if is_either(text, named, 2) && one.is_none() {
            *one = match another {
                Some(PlaceRole::Origin) => Some(PlaceRole::Destination),
                Some(PlaceRole::Destination) => Some(PlaceRole::Origin),
                other => *other,
            };
        }
    }
    let [one, other] = roles else { return };
    let negated = named.iter().any(|place| is_negated(text, place.at.start));
    if negated {
        return;
    }
    match (*one, *other) {
        (None, Some(PlaceRole::Origin)) => *one = Some(PlaceRole::Destination),
        (None, Some(PlaceRole::Destination)) => *one = Some(PlaceRole::Origin),
        (Some(PlaceRole::Origin), None) => *other = Some(PlaceRole::Destination),
        (Some(PlaceRole::Destination), None) => *other = Some(PlaceRole::Origin),
        // "flights in Los Angeles ... to Las Vegas", "a meeting in Rome, flying to Oslo": the plainer word wins.
        (Some(PlaceRole::Destination), Some(PlaceRole::Destination)) => {
            let weak = |at: usize| {
                named.get(at).is_some_and(|place| {
                    lead(text, place.at.start, 0).is_some_and(|at| matches!(text.at(at), "in" | "at" | "for"))
                })
            };
            if weak(0) && !weak(1) {
                *one = Some(PlaceRole::Origin);
            }
        }
        _ => {}
    }
}

/// "not Paris", "instead of Paris", "change Paris to": what the journey is not.
fn is_negated(text: &Text, start: usize) -> bool {
    let mut at = start;
    while at > 0 && (is_skipped(text.before(at, 1)) || matches!(text.before(at, 1), "to" | "from" | "in" | "into")) {
        at -= 1;
    }
    let before = text.before(at, 1);
    if matches!(before, "want" | "like" | "wanna" | "do") && matches!(text.before(at, 2), "dont" | "not" | "wont") {
        return true;
    }
    if is_dropped(text, at) {
        return true;
    }
    matches!(before, "not" | "than" | "except")
        || before == "but" && matches!(text.before(at, 2), "anything" | "any" | "anywhere" | "everything" | "airport")
        || before == "of" && text.before(at, 2) == "instead"
        || matches!(before, "change" | "switch" | "swap")
}

/// "Forget Frankfurt", "let's skip Paris", "actually forget about London".
fn is_dropped(text: &Text, at: usize) -> bool {
    let back = 1 + usize::from(matches!(text.before(at, 1), "about" | "with"));
    matches!(text.before(at, back), "forget" | "skip" | "drop" | "scrap" | "ditch" | "cancel" | "nevermind")
        && !matches!(text.before(at, back + 1), "dont" | "not" | "never")
}

/// "via Doha", "with a layover in Doha", "could we stop 3 days in Doha on the way?".
fn is_passed_through(text: &Text, place: &Range<usize>, from: usize) -> bool {
    let start = place.start;
    let Some(at) = lead(text, start, from) else { return false };
    const ON_THE_WAY: &[&str] = &["on the way", "on our way", "on my way", "en route", "along the way"];
    let next = text.any_of(place.end, ON_THE_WAY).map(|length| place.end + length);
    // "I pass Rome on the way to the airport" and "on the way home" name another stretch.
    if let Some(next) = next
        && matches!(text.at(at), "in" | "at" | "stop" | "break" | "visit" | "see")
        && (!text.is_word(next) || matches!(text.at(next), "there" | "please" | "for" | "and" | "out"))
    {
        return true;
    }
    let before = text.before(at, 1);
    matches!(text.at(at), "via" | "through" | "thru" | "transiting" | "avoid" | "avoiding")
        || matches!(text.at(at), "stop" | "stopover" | "layover") && text.at(at + 1) != "to"
        || matches!(text.at(at), "in" | "at")
            && matches!(before, "stop" | "stopping" | "layover" | "stopover" | "connection" | "connecting" | "transit" | "change" | "changing")
        // "If the layover is in Doha."
        || matches!(text.at(at), "in" | "at")
            && matches!(before, "is" | "was" | "were")
            && matches!(text.before(at, 2), "stop" | "layover" | "stopover" | "connection" | "transfer")
}

#[cfg(test)]
mod tests {
    use PlaceRole::{Destination, Origin, ReturnDestination, ReturnOrigin, Unknown};
    use contracts::dialogue::PlaceRole;

    use crate::understand;

    #[test]
    fn the_words_around_a_place_say_what_it_is() {
        let cases: &[(&str, &[(&str, PlaceRole)])] = &[
            ("from Lahore to Dubai", &[("Lahore", Origin), ("Dubai", Destination)]),
            ("to Dubai out of Lahore", &[("Dubai", Destination), ("Lahore", Origin)]),
            ("Lahore to Dubai", &[("Lahore", Origin), ("Dubai", Destination)]),
            ("LHE-DXB", &[("LHE", Origin), ("DXB", Destination)]),
            ("Oslo → Rome", &[("Oslo", Origin), ("Rome", Destination)]),
            ("between Oslo and Rome", &[("Oslo", Origin), ("Rome", Destination)]),
            ("leaving Oslo for Rome", &[("Oslo", Origin), ("Rome", Destination)]),
            ("Rome bound", &[("Rome", Destination)]),
            ("Oslo is my departure city", &[("Oslo", Origin)]),
            ("my destination will be Rome", &[("Rome", Destination)]),
            ("I live in Oslo and want to visit Rome", &[("Oslo", Origin), ("Rome", Destination)]),
            ("to Rome via Munich", &[("Rome", Destination)]),
            ("to Rome, could we stop 2 days in Munich on the way?", &[("Rome", Destination)]),
            ("OSL FCO OSL", &[("OSL", Origin), ("FCO", Destination), ("OSL", ReturnDestination)]),
            ("stranded in Oslo, get me to Rome", &[("Oslo", Origin), ("Rome", Destination)]),
            ("from Oslo, Rome was last year", &[("Oslo", Origin)]),
            ("coming back from Rome", &[("Rome", ReturnOrigin)]),
            ("and back to Oslo", &[("Oslo", ReturnDestination)]),
            ("Rome", &[("Rome", Unknown)]),
            ("no, Oslo", &[("Oslo", Unknown)]),
        ];
        for (words, expected) in cases {
            let places = understand(words).places;
            let found: Vec<_> = places.iter().map(|place| (&*place.name, place.role)).collect();
            assert_eq!(found, *expected, "{words}");
        }
    }

    #[test]
    fn what_the_journey_is_not_is_marked() {
        for words in ["not Paris, Rome", "change Paris to Rome", "Rome instead of Paris"] {
            let places = understand(words).places;
            let negated: Vec<_> = places.iter().filter(|place| place.negated).map(|place| &*place.name).collect();
            assert_eq!(negated, ["Paris"], "{words}");
        }
    }
}
