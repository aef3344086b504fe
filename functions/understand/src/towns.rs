//! Names that no airport goes by: towns without one, landmarks, and cities in other languages and scripts.
//!
//! `data/towns.tsv` is written by `data/make_towns.py`, sorted, and searched where it lies: nothing is read at start.
//! `data/landmarks.tsv` is ours.

use std::collections::HashMap;
use std::sync::LazyLock;

use contracts::travel::Iata;

use crate::places::names::table;

static TOWNS: &str = include_str!("../data/towns.tsv");

/// What a name leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Town {
    /// A city with airports, under another name.
    City(Iata),
    /// A place without one: the airports near it, the best first.
    Near(Vec<Iata>),
}

static LANDMARKS: LazyLock<HashMap<&'static str, Vec<Iata>>> = LazyLock::new(|| {
    let mut landmarks = HashMap::new();
    for (codes, names) in table(include_str!("../data/landmarks.tsv")).filter_map(|line| line.split_once('\t')) {
        let codes: Vec<Iata> = codes.split(' ').filter_map(|code| code.parse().ok()).collect();
        landmarks.extend(names.split('|').map(|name| (name, codes.clone())));
    }
    landmarks
});

/// The place of a folded name: a landmark or region of ours before a town.
pub fn town(name: &str) -> Option<Town> {
    if let Some(codes) = LANDMARKS.get(name) {
        return Some(Town::Near(codes.clone()));
    }
    let (country, codes) = line(name)?.split_once('\t')?;
    let mut codes = codes.split(' ').filter_map(|code| code.parse().ok());
    match country {
        "=" => codes.next().map(Town::City),
        _ => Some(Town::Near(codes.collect())).filter(|town| *town != Town::Near(Vec::new())),
    }
}

/// The name is one of our landmarks, which are told by their name alone.
pub fn is_landmark(name: &str) -> bool {
    LANDMARKS.contains_key(name)
}

/// The rest of the line that begins with a name.
fn line(name: &str) -> Option<&'static str> {
    let (mut from, mut to) = (0, TOWNS.len());
    while from < to {
        let middle = boundary(from + (to - from) / 2);
        let start = TOWNS.get(..middle)?.rfind('\n').map_or(0, |end| end + 1).max(from);
        let line = TOWNS.get(start..)?.split('\n').next()?;
        let (found, rest) = line.split_once('\t')?;
        match found.cmp(name) {
            std::cmp::Ordering::Equal => return Some(rest),
            std::cmp::Ordering::Less => from = start + line.len() + 1,
            std::cmp::Ordering::Greater => to = start,
        }
    }
    None
}

/// The place itself, or the next before it that does not split a letter.
fn boundary(mut at: usize) -> usize {
    while !TOWNS.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(name: &str) -> String {
        match town(name) {
            Some(Town::City(code)) => format!("= {code}"),
            Some(Town::Near(codes)) => codes.iter().map(Iata::to_string).collect::<Vec<_>>().join(" "),
            None => String::new(),
        }
    }

    #[test]
    fn every_line_is_found_and_in_order() {
        let names: Vec<&str> = TOWNS.lines().filter_map(|line| line.split('\t').next()).collect();
        assert!(names.is_sorted_by(|one, next| one < next));
        for name in names.iter().step_by(97) {
            assert!(line(name).is_some(), "{name}");
        }
    }

    #[test]
    fn names_lead_to_airports() {
        for (name, expected) in [("pechino", "= BJS"), ("دبي", "= DXB"), ("北京", "= BJS"), ("nowhere at all", "")]
        {
            assert_eq!(codes(name), expected, "{name}");
        }
        assert!(codes("bath").starts_with("BRS"));
        assert!(codes("taj mahal").starts_with("AGR"));
    }

    #[test]
    fn the_codes_of_landmarks_are_known() {
        for codes in LANDMARKS.values() {
            assert!(!codes.is_empty());
            assert!(codes.iter().all(|code| geo::airports::airports_of(*code).next().is_some()), "{codes:?}");
        }
    }
}
