//! Whom to call, by country: `shared/data/helplines.toml`, whose every line names the page it was read on and when.

use std::sync::LazyLock;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Class, Region};

const LINES: &str = include_str!("../../data/helplines.toml");

/// A directory of the lines of all countries, for those that have none here.
pub const DIRECTORY: &str = "https://findahelpline.com";

/// What a helpline is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Thoughts of suicide, and any crisis of the mind.
    Crisis,
    /// Children and teenagers.
    Child,
    /// Violence at home.
    DomesticViolence,
    /// Sexual violence.
    SexualViolence,
    /// Men who suffer violence at home.
    Men,
    /// Poisoning and overdoses.
    Poison,
    /// Danger to life: ambulance and police.
    Emergency,
    /// Eating disorders.
    Eating,
    /// Gambling.
    Gambling,
    /// Reporting fraud.
    Fraud,
    /// A kind this release does not know.
    #[serde(other)]
    Other,
}

/// A service that people in danger can reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Helpline {
    /// Its country, ISO 3166-1 alpha-2.
    pub country: String,
    /// What it is for.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// What to dial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    /// What to text, to what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Where to chat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chat: Option<String>,
    /// Where to report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// When it answers, in local time: `24/7` is at any hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<String>,
    /// What it speaks, ISO 639-1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<String>,
    /// The page that says so.
    pub source: String,
    /// The day it was read.
    #[schema(value_type = String)]
    pub checked: Date,
}

impl Helpline {
    /// Whether it answers at any hour.
    pub fn at_any_hour(&self) -> bool {
        self.kind == Kind::Emergency || self.hours.as_deref() == Some("24/7")
    }

    /// How to reach it, in words: "call 116 123, or text SHOUT to 85258".
    pub fn reach(&self) -> String {
        let call = self.call.as_ref().map(|number| format!("call {number}"));
        let text = self.text.as_ref().map(|number| match number.strip_prefix("WhatsApp") {
            Some(_) => format!("write by {number}"),
            None => format!("text {number}"),
        });
        let chat = self.chat.as_ref().or(self.url.as_ref()).map(|address| format!("online at {address}"));
        [call, text, chat].into_iter().flatten().collect::<Vec<_>>().join(", or ")
    }
}

#[derive(Deserialize)]
struct File {
    line: Vec<Helpline>,
}

/// Every line, by country; read at the first use.
pub fn all() -> &'static [Helpline] {
    static ALL: LazyLock<Vec<Helpline>> =
        LazyLock::new(|| toml::from_str::<File>(LINES).map(|file| file.line).unwrap_or_default());
    &ALL
}

/// The lines of a kind in a country: those that answer at any hour first.
pub fn of(region: Region, kind: Kind) -> Vec<&'static Helpline> {
    let mut lines: Vec<_> =
        all().iter().filter(|line| line.kind == kind && Some(line.country.as_str()) == region.code()).collect();
    lines.sort_by_key(|line| (!line.at_any_hour(), line.call.is_none()));
    lines
}

/// What is told in a danger: the kinds of lines in the order of their use, the emergency number apart.
pub(crate) fn kinds(class: Class) -> &'static [Kind] {
    match class {
        Class::Suicide | Class::SelfHarm | Class::HarmToOthers | Class::ThirdParty | Class::Other => &[Kind::Crisis],
        Class::EatingDisorder => &[Kind::Eating, Kind::Crisis],
        Class::Overdose => &[Kind::Poison],
        Class::Medical => &[],
        Class::Abuse => &[Kind::DomesticViolence, Kind::SexualViolence, Kind::Men],
        Class::Child => &[Kind::Child, Kind::DomesticViolence],
        Class::LosingMoney => &[Kind::Fraud],
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_line_can_be_read_and_names_its_source() {
        let file: File = toml::from_str(LINES).unwrap();
        let mut seen = BTreeSet::new();
        for line in &file.line {
            let name = format!("{} {:?} {}", line.country, line.kind, line.name);
            assert!(line.country.len() == 2 && line.country.bytes().all(|byte| byte.is_ascii_uppercase()), "{name}");
            assert!(line.source.starts_with("https://") || line.source.starts_with("http://"), "{name}");
            assert!(line.kind != Kind::Other && !line.name.is_empty() && !line.reach().is_empty(), "{name}");
            assert!(line.checked.year() >= 2026, "{name}");
            assert!(Region::named(&line.country).is_some(), "{name}: no such country");
            assert!(seen.insert((line.country.clone(), line.kind, line.name.clone())), "{name} stands there twice");
        }
        assert_eq!(all().len(), file.line.len());
    }

    #[test]
    fn sixty_countries_have_a_line_for_a_crisis() {
        let of_kind =
            |kind| all().iter().filter(|line| line.kind == kind).map(|line| &line.country).collect::<BTreeSet<_>>();
        assert!(of_kind(Kind::Crisis).len() >= 60, "{}", of_kind(Kind::Crisis).len());
        assert!(of_kind(Kind::Emergency).len() >= 150, "{}", of_kind(Kind::Emergency).len());
    }

    #[test]
    fn a_line_says_how_it_is_reached() {
        let us = Region::named("US").unwrap();
        let emergency: Vec<String> = of(us, Kind::Emergency).iter().map(|line| line.reach()).collect();
        assert_eq!(emergency, ["call 911"]);
        assert!(of(us, Kind::Crisis).iter().any(|line| line.call.as_deref() == Some("988")));
    }
}
