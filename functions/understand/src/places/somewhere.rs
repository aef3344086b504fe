//! A wish in place of a place: "somewhere warm in Europe", "anywhere sunny". `data/somewhere.tsv` says what may be meant.

use contracts::travel::Place;

use super::names::{self, table};

/// The places that fit a kind of wish in a region; none where the table has no such line.
pub fn suggested(kind: &str, region: &str) -> Vec<Place> {
    let lines = table(include_str!("../../data/somewhere.tsv"));
    let found = lines.filter_map(|line| {
        let mut fields = line.split('\t');
        Some((fields.next()?, fields.next()?, fields.next()?))
    });
    let codes = found.into_iter().find(|(of, within, _)| *of == kind && *within == region).map(|(.., codes)| codes);
    let bearers = codes.unwrap_or_default().split(' ').filter_map(|code| names::bearer(code.parse().ok()?));
    bearers.map(|bearer| names::place(&bearer)).collect()
}

/// The kind of wish that a word names.
pub fn kind(word: &str) -> Option<&'static str> {
    Some(match word {
        "warm" | "warmer" | "hot" | "hotter" | "sunny" | "sun" | "tropical" => "warm",
        "beach" | "beachy" | "beaches" | "seaside" | "coastal" => "beach",
        "snowy" | "snow" | "skiing" | "ski" | "wintry" => "snow",
        "nice" | "cheap" | "new" | "fun" | "interesting" | "exotic" | "exciting" | "different" | "quiet" | "far" => {
            "any"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_names_places_that_are_known() {
        for line in table(include_str!("../../data/somewhere.tsv")) {
            let fields: Vec<&str> = line.split('\t').collect();
            let [kind, region, codes] = fields.as_slice() else { panic!("{line}") };
            assert_eq!(suggested(kind, region).len(), codes.split(' ').count(), "{line}");
        }
    }
}
