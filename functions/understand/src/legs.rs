//! Journeys over several cities: "London to Rome on 3 May, then Rome to Athens on the 7th", "into Paris, home from Nice".
//!
//! The places of a message are read as flights that follow one another; a day belongs to the flight it stands beside. There and
//! back is no such journey: that is a route with a day back.

use std::ops::Range;

use contracts::dialogue::{DateExpr, DateMention, LegSaid, PlaceMention, PlaceRole};
use contracts::travel::Place;

use crate::journey::Named;
use crate::text::Text;

/// The most flights of a journey, as the providers sell them.
const MOST_LEGS: usize = 6;

/// A flight by the places in the message that it leads from and to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Flight {
    from: Option<usize>,
    to: Option<usize>,
    /// It ends where the first one starts.
    home: bool,
    /// The token it begins at.
    start: usize,
}

/// The flights of a journey over several cities; one alone where it goes on from what was said before. Empty where the message
/// names one route or none. `places` are the mentions of `named`, `dates` those of the days kept in `text`.
pub fn legs(text: &Text, named: &[Named], places: &[PlaceMention], dates: &[DateMention]) -> Vec<LegSaid> {
    let (named, places) = &without_stays(text, named, places);
    if named.len() != places.len() || places.iter().any(|place| place.negated || place.either || place.region) {
        return Vec::new();
    }
    let Some(flights) = flights(text, named, places) else { return Vec::new() };
    let days = days(text, dates, &flights);
    let mention = |at: Option<usize>| at.and_then(|at| places.get(at)).cloned();
    let legs = flights.iter().enumerate().map(|(number, flight)| LegSaid {
        origin: mention(flight.from),
        destination: mention(flight.to),
        home: flight.home,
        date: days.get(number).cloned().flatten(),
    });
    legs.take(MOST_LEGS).collect()
}

/// "Lahore - Istanbul - Paris, 3 days in Istanbul": a place that is named again as where one stays leads nowhere.
fn without_stays(text: &Text, named: &[Named], places: &[PlaceMention]) -> (Vec<Named>, Vec<PlaceMention>) {
    if named.len() != places.len() {
        return (named.to_vec(), places.to_vec());
    }
    let stays = |at: usize, place: &Named| {
        let known = named.iter().take(at).any(|before| before.candidates.first() == place.candidates.first());
        known && at >= 2 && matches!(text.before(place.at.start, 1), "in" | "at")
    };
    let kept = named.iter().zip(places).enumerate().filter(|(at, (place, _))| !stays(*at, place));
    kept.map(|(_, (named, place))| (named.clone(), place.clone())).unzip()
}

fn flights(text: &Text, named: &[Named], places: &[PlaceMention]) -> Option<Vec<Flight>> {
    let mut flights: Vec<Flight> = Vec::new();
    let mut base = None;
    let mut at = 0;
    while let Some(place) = named.get(at) {
        let start = place.at.start;
        let role = places.get(at)?.role;
        let next = named.get(at + 1);
        let joined = next.map_or(Joint::None, |next| joint(text, place.at.end..next.at.start));
        match (joined, role) {
            // "A to B", and "A to B to C" goes on from B.
            (Joint::To, PlaceRole::Origin | PlaceRole::Unknown | PlaceRole::ReturnOrigin) => {
                flights.push(Flight { from: Some(at), to: Some(at + 1), home: false, start });
                at += 1;
                while let (Some(this), Some(next)) = (named.get(at), named.get(at + 1)) {
                    if joint(text, this.at.end..next.at.start) != Joint::To {
                        break;
                    }
                    flights.push(Flight { from: Some(at), to: Some(at + 1), home: false, start: next.at.start });
                    at += 1;
                }
            }
            // "Back to London from Athens", "to Rome from Oslo".
            (Joint::From, PlaceRole::Destination | PlaceRole::ReturnDestination) => {
                flights.push(Flight { from: Some(at + 1), to: Some(at), home: false, start });
                at += 1;
            }
            (_, PlaceRole::ReturnOrigin) => {
                flights.push(Flight { from: Some(at), to: None, home: true, start });
            }
            (_, PlaceRole::Origin)
                if is_based(text, start) || flights.first().is_some_and(|first| first.from.is_none()) =>
            {
                base = base.or(Some(at));
            }
            (_, PlaceRole::Origin) => flights.push(Flight { from: Some(at), to: None, home: false, start }),
            (_, PlaceRole::Destination | PlaceRole::ReturnDestination) => match flights.last_mut() {
                Some(last) if last.to.is_none() && !last.home => last.to = Some(at),
                None => flights.push(Flight { from: None, to: Some(at), home: false, start }),
                Some(_) if goes_on(text, start) => {
                    flights.push(Flight { from: None, to: Some(at), home: false, start });
                }
                Some(_) => return None,
            },
            (_, PlaceRole::Unknown) => return None,
        }
        at += 1;
    }
    // "Then home on the 12th": the last flight, without a place.
    let end = named.last().map_or(0, |place| place.at.end);
    let homeward = (end..text.len()).find(|at| matches!(text.at(*at), "home" | "back" | "return" | "returning"));
    if let Some(start) = homeward.filter(|at| text.days().iter().any(|(day, _)| day.start > *at))
        && flights.last().is_some_and(|last| !last.home)
    {
        flights.push(Flight { from: None, to: None, home: true, start });
    }
    if let Some(first) = flights.first_mut()
        && first.from.is_none()
        && !first.home
    {
        first.from = base;
    }
    lead_on(text, named, flights)
}

/// Keeps what is a journey over several cities: two flights and more that do not lead there and back, or one that goes on.
fn lead_on(text: &Text, named: &[Named], mut flights: Vec<Flight>) -> Option<Vec<Flight>> {
    let place = |at: Option<usize>| at.and_then(|at| named.get(at)).and_then(|named| named.candidates.first());
    let same = |one: Option<&Place>, other: Option<&Place>| {
        one.is_some() && one.map(|place| place.iata) == other.map(|place| place.iata)
    };
    // What flies nowhere is none: "A to A".
    flights.retain(|flight| !same(place(flight.from), place(flight.to)));
    match flights.as_slice() {
        [] => None,
        // Alone, what leads home or is said to go on does so from what is known.
        [only] => {
            let marked = |at: usize| {
                matches!(
                    text.at(at),
                    "then" | "and" | "also" | "plus" | "onward" | "next" | "afterwards" | "back" | "return" | "later"
                )
            };
            let whole = only.from.is_some() && only.to.is_some() && (0..=only.start).any(marked);
            (only.home && only.from.is_some() || whole).then_some(flights)
        }
        [out, back] => {
            let origin_again = back.home || same(place(back.to), place(out.from));
            let from_there = back.from.is_none() || same(place(back.from), place(out.to));
            // The same route said twice is one.
            let twice = same(place(out.from), place(back.from)) && same(place(out.to), place(back.to));
            (!(twice || origin_again && from_there)).then_some(flights)
        }
        _ => Some(flights),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Joint {
    To,
    From,
    None,
}

/// How two places are joined by what stands between them.
fn joint(text: &Text, between: Range<usize>) -> Joint {
    let words: Vec<&str> = between.map(|at| text.at(at)).collect();
    match words.as_slice() {
        ["to" | "-" | "→" | "->" | ">" | "/" | "»" | "➔" | "➡" | "⇒" | "⟶"] | ["-" | "=", ">"] | ["to", "the"] => {
            Joint::To
        }
        ["from"] => Joint::From,
        _ => Joint::None,
    }
}

/// "We live in Zurich", "from New York" where the first flight has no origin.
fn is_based(text: &Text, start: usize) -> bool {
    text.before(start, 1) == "in" || matches!(text.before(start, 2), "based" | "live" | "living")
}

/// "Then to Athens", "and on to Athens", "after that Athens".
fn goes_on(text: &Text, start: usize) -> bool {
    (1..=5).any(|back| {
        let at = start.saturating_sub(back);
        matches!(text.at(at), "then" | "onward" | "onwards" | "next" | "afterwards")
            || text.any_of(at, &["on to", "after that"]).is_some()
    })
}

/// The day of each flight: in their order where there are as many, else by where they stand.
fn days(text: &Text, dates: &[DateMention], flights: &[Flight]) -> Vec<Option<DateMention>> {
    // "3 days in Istanbul" counts from the flight there, and says when the next one leaves.
    let is_stay = |date: &DateMention| matches!(date.expression, DateExpr::AfterDeparture { .. });
    let stay = dates.iter().find(|date| is_stay(date) && flights.len() == 2);
    if let Some(stay) = stay
        && let [first] = dates.iter().filter(|date| !is_stay(date) && !date.negated).collect::<Vec<_>>().as_slice()
    {
        return vec![Some((*first).clone()), Some(stay.clone())];
    }
    let meant: Vec<(usize, &DateMention)> = text
        .days()
        .iter()
        .zip(dates)
        .filter(|(_, date)| !date.negated)
        .map(|((at, _), date)| (at.start, date))
        .collect();
    if meant.len() == flights.len() {
        return meant.into_iter().map(|(_, date)| Some(date.clone())).collect();
    }
    // "Doha - Istanbul - Athens 5 Feb": the day is that of the first.
    let chained = flights.windows(2).all(|pair| matches!(pair, [one, next] if one.to.is_some() && one.to == next.from));
    if chained
        && meant.len() < flights.len()
        && meant.iter().all(|(at, _)| flights.iter().all(|flight| flight.start < *at))
    {
        let mut days: Vec<_> = meant.into_iter().map(|(_, date)| Some(date.clone())).collect();
        days.resize(flights.len(), None);
        return days;
    }
    // "On 3 May London to Rome, on the 7th Rome to Athens": the days stand before their flights.
    let before = meant.first().is_some_and(|(at, _)| flights.first().is_some_and(|first| *at < first.start));
    let mut days = vec![None; flights.len()];
    for (at, date) in meant {
        let number = match before {
            true => flights.iter().position(|flight| flight.start > at),
            false => flights.iter().rposition(|flight| flight.start < at),
        };
        if let Some(day) = number.and_then(|number| days.get_mut(number)).filter(|day| day.is_none()) {
            *day = Some(date.clone());
        }
    }
    days
}

#[cfg(test)]
mod tests {
    use crate::understand;

    /// The flights of a message as "from-to", a place by its code, with a mark where a day was said.
    fn read(words: &str) -> String {
        let legs = understand(words).legs.into_iter().map(|leg| {
            let code = |mention: Option<contracts::dialogue::PlaceMention>| {
                mention.and_then(|mention| mention.candidates.first().map(|place| place.iata.to_string()))
            };
            let to = code(leg.destination).unwrap_or_else(|| if leg.home { "home" } else { "?" }.to_owned());
            let on = if leg.date.is_some() { "*" } else { "" };
            format!("{}-{to}{on}", code(leg.origin).unwrap_or_else(|| "?".to_owned()))
        });
        legs.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn flights_that_follow_one_another_are_a_journey() {
        for (words, expected) in [
            (
                "London to Rome on 3 May, then Rome to Athens on the 7th, back to London from Athens on the 12th",
                "LON-ROM* ROM-ATH* ATH-LON*",
            ),
            ("into Paris on 3 May, home from Nice on the 9th", "?-PAR* NCE-home*"),
            ("Oslo to Rome on 3 May, then Rome to Bari", "OSL-ROM* ROM-BRI"),
            ("Vienna - Tokyo on 2 April then Osaka - Vienna on 16 April", "VIE-TYO* OSA-VIE*"),
            ("fly into Milan out of Rome from New York", "NYC-MIL ROM-home"),
            ("London to Rome to Athens to London", "LON-ROM ROM-ATH ATH-LON"),
            ("Doha → Istanbul → Athens 5 Feb", "DOH-IST* IST-ATH"),
            ("Oslo to Rome on 3 May then to Athens on 7 May", "OSL-ROM* ?-ATH*"),
            ("Oslo to Rome on 3 May, Rome to Athens on the 7th, then home on the 12th", "OSL-ROM* ROM-ATH* ?-home*"),
            ("and back to London from Athens on the 12th", "ATH-LON*"),
            ("return from Newark on the 11th", "EWR-home*"),
        ] {
            assert_eq!(read(words), expected, "{words}");
        }
    }

    #[test]
    fn there_and_back_is_one_route() {
        for words in [
            "Oslo to Rome on 3 May, back to Oslo on 9 May",
            "LHE-DXB-LHE",
            "Oslo to Rome on 3 May, Rome to Oslo on 9 May",
            "from Oslo to Rome via Munich",
            "from Manchester or Liverpool to Dublin",
            "to Rome from Oslo, coming back from Rome on 9 May",
        ] {
            let understood = understand(words);
            assert!(understood.legs.len() < 2, "{words}");
            assert!(!understood.places.is_empty(), "{words}");
        }
    }
}
