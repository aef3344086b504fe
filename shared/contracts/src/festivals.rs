//! Festivals whose day moves from year to year: Eid, Diwali, Chinese New Year, and days that one country keeps.
//!
//! The table is embedded, written by `data/make_holidays.py` from the package `holidays`.

use std::collections::HashMap;
use std::sync::LazyLock;

use jiff::civil::Date;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A festival of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Festival {
    /// Its name, as it is shown.
    pub name: &'static str,
}

struct Row {
    name: &'static str,
    said: Vec<&'static str>,
    days: Vec<Date>,
}

static ROWS: LazyLock<Vec<Row>> =
    LazyLock::new(|| include_str!("../../data/holidays.tsv").lines().filter_map(read).collect());

/// What people say, by its first word.
static SAID: LazyLock<HashMap<&'static str, Vec<(&'static str, &'static str)>>> = LazyLock::new(|| {
    let mut said: HashMap<_, Vec<_>> = HashMap::new();
    for row in ROWS.iter() {
        for phrase in &row.said {
            let first = phrase.split(' ').next().unwrap_or_default();
            said.entry(first).or_default().push((*phrase, row.name));
        }
    }
    said
});

fn read(line: &'static str) -> Option<Row> {
    let mut fields = line.split('\t');
    let (name, said, days) = (fields.next()?, fields.next()?, fields.next()?);
    Some(Row {
        name,
        said: said.split('|').collect(),
        days: days.split(' ').filter_map(|day| day.parse().ok()).collect(),
    })
}

/// What people say for festivals, of those that begin with a word: phrases in lower case, each with its festival.
pub fn said(first: &str) -> impl Iterator<Item = (&'static str, Festival)> {
    SAID.get(first).into_iter().flatten().map(|(phrase, name)| (*phrase, Festival { name }))
}

impl Festival {
    /// The next such day from a day on, moved by some days; `None` beyond the table.
    pub fn next(self, from: Date, offset: i32) -> Option<Date> {
        let row = ROWS.iter().find(|row| row.name == self.name)?;
        let moved = |day: &Date| day.checked_add(jiff::Span::new().days(offset)).ok();
        row.days.iter().filter_map(moved).find(|day| *day >= from)
    }
}

impl Serialize for Festival {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}

impl<'de> Deserialize<'de> for Festival {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = std::borrow::Cow::<str>::deserialize(deserializer)?;
        let row = ROWS.iter().find(|row| row.name == name);
        row.map(|row| Self { name: row.name }).ok_or_else(|| serde::de::Error::custom("no festival of this release"))
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn next(words: &str) -> Option<Date> {
        let first = words.split(' ').next().unwrap_or_default();
        said(first).find(|(phrase, _)| *phrase == words)?.1.next(date(2026, 11, 20), 0)
    }

    #[test]
    fn every_line_is_read_and_has_days_for_years_to_come() {
        assert_eq!(ROWS.len(), include_str!("../../data/holidays.tsv").lines().count());
        for row in ROWS.iter() {
            assert!(row.days.len() > 5 && row.days.is_sorted(), "{}", row.name);
        }
    }

    #[test]
    fn festivals_fall_on_their_days() {
        for (words, expected) in [
            ("eid", date(2027, 3, 10)),
            ("eid ul adha", date(2027, 5, 17)),
            ("diwali", date(2027, 10, 29)),
            ("chinese new year", date(2027, 2, 6)),
            ("ramadan", date(2027, 2, 8)),
            ("hanukkah", date(2026, 12, 5)),
            ("mlk day", date(2027, 1, 18)),
        ] {
            assert_eq!(next(words), Some(expected), "{words}");
        }
    }
}
