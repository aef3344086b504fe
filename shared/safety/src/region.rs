//! Where somebody is: by what they said, by their time zone, by the language their browser asks for.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use crate::text::plain;

/// Code, names and time zones of each country, by `data/make_regions.py`.
const REGIONS: &str = include_str!("../data/regions.tsv");

/// Languages that are mostly spoken in one country.
const LANGUAGES: [(&str, &str); 24] = [
    ("ja", "JP"),
    ("ko", "KR"),
    ("pl", "PL"),
    ("cs", "CZ"),
    ("sk", "SK"),
    ("hu", "HU"),
    ("tr", "TR"),
    ("he", "IL"),
    ("th", "TH"),
    ("vi", "VN"),
    ("uk", "UA"),
    ("da", "DK"),
    ("fi", "FI"),
    ("nb", "NO"),
    ("nn", "NO"),
    ("no", "NO"),
    ("sv", "SE"),
    ("el", "GR"),
    ("id", "ID"),
    ("hi", "IN"),
    ("ur", "PK"),
    ("it", "IT"),
    ("is", "IS"),
    ("lt", "LT"),
];

/// A country, or none that is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Region(Option<&'static str>);

struct Table {
    codes: HashSet<&'static str>,
    zones: HashMap<&'static str, &'static str>,
    /// Names by their words.
    names: Vec<(Vec<&'static str>, &'static str)>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table { codes: HashSet::new(), zones: HashMap::new(), names: Vec::new() };
    for line in REGIONS.lines() {
        let mut columns = line.split('\t');
        let (Some(code), Some(names), Some(zones)) = (columns.next(), columns.next(), columns.next()) else { continue };
        table.codes.insert(code);
        table.zones.extend(zones.split_whitespace().map(|zone| (zone, code)));
        let names = names.split('|').filter(|name| !name.is_empty());
        table.names.extend(names.map(|name| (name.split(' ').collect(), code)));
    }
    table
});

impl Region {
    /// The country of a code, ISO 3166-1 alpha-2.
    pub fn named(code: &str) -> Option<Self> {
        TABLE.codes.get(code).map(|code| Self(Some(*code)))
    }

    /// Its code; `None` where it is not known.
    pub fn code(self) -> Option<&'static str> {
        self.0
    }

    /// The best that is known: a country that the message names ("I'm in India"), else that of the IANA time zone, else that of
    /// the header `Accept-Language`. The zone comes first of the two because most browsers anywhere ask for `en-US`.
    pub fn find(message: &str, time_zone: Option<&str>, accept_language: Option<&str>) -> Self {
        let zone = || time_zone.and_then(|zone| TABLE.zones.get(zone).copied());
        Self(said(message).or_else(zone).or_else(|| accept_language.and_then(asked_for)))
    }
}

/// The country that a message says its writer is in: its name after "in" or "from", or at its beginning or end.
fn said(message: &str) -> Option<&'static str> {
    let words = plain(message);
    (1..words.len()).find_map(|at| {
        if !matches!(words.get(at - 1), "in" | "from" | "the" | "here" | "live") {
            return None;
        }
        let from = if words.get(at - 1) == "the" { words.get(at.checked_sub(2)?) } else { words.get(at - 1) };
        if !matches!(from, "in" | "from" | "here" | "live") {
            return None;
        }
        let stands_here = |name: &[&str]| name.iter().enumerate().all(|(offset, word)| words.get(at + offset) == *word);
        let names = TABLE.names.iter().filter(|(name, _)| stands_here(name));
        // "us" is a country only as "the us" and "the usa".
        names
            .max_by_key(|(name, _)| name.len())
            .map(|(_, code)| *code)
            .or_else(|| (words.get(at) == "us" && words.get(at - 1) == "the").then_some("US"))
    })
}

/// The country of the first language that names or means one: `en-GB,en;q=0.9`.
fn asked_for(header: &str) -> Option<&'static str> {
    header.split(',').find_map(|one| {
        let tag = one.split(';').next().unwrap_or_default().trim();
        let mut parts = tag.split('-');
        let language = parts.next().unwrap_or_default().to_ascii_lowercase();
        let country = parts.find(|part| part.len() == 2).map(str::to_ascii_uppercase);
        match country {
            Some(country) => TABLE.codes.get(country.as_str()).copied(),
            None => LANGUAGES.iter().find(|(of, _)| *of == language).map(|(_, country)| *country),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_comes_before_the_zone_and_the_zone_before_the_language() {
        let cases = [
            ("I'm in India and I want to die", Some("Europe/London"), None, Some("IN")),
            ("i live in the uk", Some("Asia/Karachi"), None, Some("GB")),
            ("please help us in the us", None, None, Some("US")),
            ("he hurts us", Some("America/Chicago"), Some("de-DE"), Some("US")),
            ("help", Some("Asia/Karachi"), Some("en-US"), Some("PK")),
            ("help", Some("UTC"), Some("en-GB,en;q=0.9"), Some("GB")),
            ("help", None, Some("ja"), Some("JP")),
            ("help", None, Some("de"), None),
            ("flights from Turkey to Spain", None, None, Some("TR")),
            ("help", None, Some(";;,-"), None),
        ];
        for (message, zone, language, code) in cases {
            assert_eq!(Region::find(message, zone, language).code(), code, "{message}");
        }
    }
}
