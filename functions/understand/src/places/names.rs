//! Every name a place goes by, and the places that bear it.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use contracts::travel::{Iata, Place};
use geo::airports::{self, Airport, Metro};

use super::edits::one_edit_apart;
use crate::tokens::fold;

/// A place that bears a name.
#[derive(Debug, Clone, Copy)]
pub struct Bearer {
    /// Its code: the city's where it has several airports.
    pub iata: Iata,
    /// How much it is flown to, 0 to 4.
    pub tier: u8,
    /// Its airport, or the busiest of them.
    pub airport: &'static Airport,
}

/// From this tier on a place is prominent: its name counts wherever it stands, and with a typing error.
pub const PROMINENT: u8 = 2;

/// Airports of one name closer than this serve one city; the busiest stands for them.
const ONE_CITY_KM: f64 = 120.0;

static NAMES: LazyLock<HashMap<String, Vec<Bearer>>> = LazyLock::new(names);

/// The prominent names from five letters to three words, by their first two bytes and by their last two.
static PROMINENT_NAMES: LazyLock<[HashMap<[u8; 2], Vec<&'static str>>; 2]> = LazyLock::new(|| {
    let prominent = |bearers: &[Bearer]| bearers.first().is_some_and(|first| first.tier >= PROMINENT);
    let names = NAMES.iter().filter(|(_, bearers)| prominent(bearers)).map(|(name, _)| name.as_str());
    let mut by_ends = [HashMap::<_, Vec<_>>::new(), HashMap::<_, Vec<_>>::new()];
    for name in names.filter(|name| name.len() >= 5 && name.split(' ').count() <= 3) {
        for (by_end, end) in by_ends.iter_mut().zip(ends(name)) {
            by_end.entry(end).or_default().push(name);
        }
    }
    by_ends
});

/// The first two bytes of a name and the last two; zeros where it has none.
fn ends(name: &str) -> [[u8; 2]; 2] {
    [
        name.as_bytes().first_chunk().copied().unwrap_or_default(),
        name.as_bytes().last_chunk().copied().unwrap_or_default(),
    ]
}

static ORDINARY: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| table(include_str!("../../data/ordinary.txt")).flat_map(str::split_whitespace).collect());

/// Who bears a folded name, the likeliest first; nobody where it is unknown.
pub fn bearers(name: &str) -> &'static [Bearer] {
    NAMES.get(name).map_or(&[], Vec::as_slice)
}

/// The prominent names, from five letters to three words, that a name of five letters or more may be with one typing error. Such
/// an error touches two letters at most, so it leaves the first two or the last two as they are: the others need not be compared.
pub fn misspelt(name: &str) -> impl Iterator<Item = &'static str> {
    let [first, last] = ends(name);
    let [by_first, by_last] = &*PROMINENT_NAMES;
    let begin_alike = by_first.get(&first).into_iter().flatten().copied();
    let end_alike = by_last.get(&last).into_iter().flatten().copied();
    begin_alike
        .chain(end_alike.filter(move |known| ends(known)[0] != first))
        .filter(move |known| one_edit_apart(known, name))
}

/// All of them.
#[cfg(test)]
pub fn prominent() -> Vec<&'static str> {
    PROMINENT_NAMES[0].values().flatten().copied().collect()
}

/// The word is ordinary English, besides what else it may be.
pub fn is_ordinary(word: &str) -> bool {
    ORDINARY.contains(word)
}

/// The folded name is that of a city that people know.
pub fn is_known(name: &str) -> bool {
    bearers(name).first().is_some_and(|first| first.tier >= PROMINENT)
}

/// Who bears a code: a city before an airport.
pub fn bearer(code: Iata) -> Option<Bearer> {
    match airports::metro(code) {
        Some(metro) => of_metro(metro),
        None => airports::airport(code).map(of_airport),
    }
}

/// The place behind a code as people call it: "London", "London Heathrow", "Lahore".
pub fn place(bearer: &Bearer) -> Place {
    let name = match airports::metro(bearer.iata) {
        Some(metro) => metro.name.to_owned(),
        None => spoken_name(bearer.airport),
    };
    Place { name, iata: bearer.iata }
}

/// A name as it is looked up: folded, its words apart by one space.
pub fn key(name: &str) -> String {
    let folded = if name.is_ascii() { name.to_ascii_lowercase().replace('\'', "") } else { fold(name) };
    folded.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The lines of a table of ours without its comments.
pub fn table(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn of_airport(airport: &'static Airport) -> Bearer {
    Bearer { iata: airport.iata, tier: airport.tier, airport }
}

fn of_metro(metro: &'static Metro) -> Option<Bearer> {
    let airport = metro.airports.first()?;
    Some(Bearer { iata: metro.iata, tier: airport.tier, airport })
}

/// An airport that shares its city with others is called by its own name, any other by its city's.
fn spoken_name(airport: &Airport) -> String {
    let shares_city = airports::metro_of(airport.iata).is_some_and(|metro| metro.name == airport.city);
    if !shares_city {
        return airport.city.to_owned();
    }
    let own = own_name(airport.name);
    if own.contains(airport.city) { own } else { format!("{} {own}", airport.city) }
}

/// An airport's name without what every airport's name has: "Paris Orly".
fn own_name(name: &str) -> String {
    const SHARED_BY_ALL: [&str; 8] =
        ["Airport", "International", "Intl", "Regional", "Municipal", "National", "Airfield", "Airpark"];
    let words = name.split([' ', '-', '/']).filter(|word| !word.is_empty() && !SHARED_BY_ALL.contains(word));
    words.collect::<Vec<_>>().join(" ")
}

fn names() -> HashMap<String, Vec<Bearer>> {
    let mut names: HashMap<String, Vec<Bearer>> = HashMap::with_capacity(16_384);
    for metro in airports::metros() {
        if let Some(bearer) = of_metro(metro) {
            names.entry(key(metro.name)).or_default().push(bearer);
        }
    }
    for airport in airports::airports() {
        let (city, own) = (key(airport.city), key(&own_name(airport.name)));
        // The city itself stands for its airports; their own names lead to each of them.
        let in_metro = airports::metro(airport.iata).is_some()
            || airports::metro_of(airport.iata).is_some_and(|metro| metro.name == airport.city);
        if own != city {
            names.entry(own).or_default().push(of_airport(airport));
        }
        if !in_metro {
            names.entry(city).or_default().push(of_airport(airport));
        }
    }
    for line in table(include_str!("../../data/aliases.tsv")) {
        let Some((code, aliases)) = line.split_once('\t') else { continue };
        let Some(bearer) = code.parse().ok().and_then(bearer) else { continue };
        // Whoever is named in our own table is prominent by that name.
        let bearer = Bearer { tier: bearer.tier.max(PROMINENT), ..bearer };
        for alias in aliases.split('|') {
            names.entry(alias.to_owned()).or_default().push(bearer);
        }
    }
    names.remove("");
    join_words(&mut names);
    names.values_mut().for_each(order);
    names
}

/// Adds the prominent names of several words written as one ("newyork").
fn join_words(names: &mut HashMap<String, Vec<Bearer>>) {
    let joined: Vec<(String, Bearer)> = names
        .iter()
        .filter(|(name, _)| name.contains(' ') && name.len() > 5)
        .filter_map(|(name, bearers)| {
            let first = bearers.iter().filter(|bearer| bearer.tier >= PROMINENT).max_by_key(|bearer| bearer.tier)?;
            Some((name.replace(' ', ""), *first))
        })
        .collect();
    for (name, bearer) in joined {
        names.entry(name).or_default().push(bearer);
    }
}

/// The likeliest first, and one for each city.
fn order(bearers: &mut Vec<Bearer>) {
    if bearers.len() < 2 {
        return; // As nearly all of them, at a cold start.
    }
    bearers.sort_by_key(|bearer| std::cmp::Reverse(bearer.tier));
    let mut cities: Vec<Bearer> = Vec::with_capacity(1);
    for bearer in bearers.iter() {
        if cities.iter().all(|city| airports::distance_km(city.airport, bearer.airport) > ONE_CITY_KM) {
            cities.push(*bearer);
        }
    }
    *bearers = cities;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_one_error_away_is_among_those_compared(at in 0..100_000_usize, edit in 0..4_u8, place in 0..30_usize, letter in "[a-zé ]") {
            let known = prominent();
            let mut letters: Vec<char> = known[at % known.len()].chars().collect();
            let place = place % letters.len();
            let after = (place + 1) % letters.len();
            match edit {
                0 => drop(letters.remove(place)),
                1 => letters.insert(place, letter.chars().next().unwrap()),
                2 => letters[place] = letter.chars().next().unwrap(),
                _ => letters.swap(place, after),
            }
            let name: String = letters.into_iter().collect();
            prop_assume!(name.chars().count() >= 5);
            let mut expected: Vec<&str> = known.into_iter().filter(|known| one_edit_apart(known, &name)).collect();
            let mut found: Vec<&str> = misspelt(&name).collect();
            expected.sort_unstable();
            found.sort_unstable();
            prop_assert_eq!(found, expected, "{}", name);
        }
    }
}
