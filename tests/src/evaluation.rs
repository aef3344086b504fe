//! Measures understanding on public dialogues.
//!
//! The Schema-Guided Dialogue flight dialogues hold, after each of a person's turns, what is known of the journey. Their
//! words are played turn by turn against this assistant, which asks other things than the system they were spoken to:
//! so bare answers must be understood without their question.
//!
//! What is counted, after every turn of a person:
//!
//! - The slots scored are origin, destination, departure date, return date, passengers, cabin and airlines. Others of
//!   the data (bags, refundable, times) are not.
//! - The state is cumulative: all that is known after the turn, not only what the turn said.
//! - "dontcare" in the data is the same as absent. Passengers are compared by their number.
//! - A slot that the person took over from an offer of the reference system (`accepted_from_system`) is left out from that
//!   turn on, until the person says it: this assistant never made the offer.
//! - Joint goal accuracy is the share of turns in which every scored slot is exactly right, absent ones included.
//! - F1 is micro-averaged over slots of all turns: a slot is a true positive when both have it and agree; when both have
//!   it and differ it is a false positive and a false negative; when only one has it, one of the two.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;

use anyhow::Context;
use contracts::travel::{Cabin, Slots};
use jiff::Zoned;
use jiff::civil::Date;
use serde::Deserialize;

/// The slots that are scored.
const SCORED: [&str; 7] = ["origin", "destination", "departure_date", "return_date", "passengers", "cabin", "airlines"];

/// A dialogue of the data.
#[derive(Debug, Clone, Deserialize)]
pub struct Dialogue {
    /// Its id.
    pub id: String,
    /// The service it was spoken to (`Flights_1`).
    pub service: String,
    /// What "today" is.
    pub reference_date: Date,
    /// A person's turns.
    pub turns: Vec<Turn>,
}

/// A person's turn and what is known after it.
#[derive(Debug, Clone, Deserialize)]
pub struct Turn {
    /// What the person said.
    pub user: String,
    /// What is known after it, normalised; slots by name.
    pub canonical: BTreeMap<String, serde_json::Value>,
    /// Slots said in this turn.
    #[serde(default)]
    pub informed: Vec<String>,
    /// Slots taken over from an offer of the reference system.
    #[serde(default)]
    pub accepted_from_system: Vec<String>,
}

impl Dialogue {
    /// 9 in the morning of the reference date, UTC.
    pub fn now(&self) -> anyhow::Result<Zoned> {
        self.reference_date.at(9, 0, 0, 0).in_tz("UTC").context("the reference date has a morning")
    }

    /// It belongs to the third that is not looked at while rules are written.
    pub fn is_held_out(&self) -> bool {
        // FNV-1a: the same on every machine, whatever the order of the file.
        let hash = self
            .id
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        hash.is_multiple_of(3)
    }
}

/// The file of the data, when `COLLOQUY_EVAL` names the folder that holds it.
pub fn data() -> Option<PathBuf> {
    std::env::var_os("COLLOQUY_EVAL").map(|folder| PathBuf::from(folder).join("sgd_flights/public.jsonl"))
}

/// Reads dialogues, one a line.
///
/// # Errors
/// The file cannot be read, or a line is not a dialogue.
pub fn read(path: &std::path::Path) -> anyhow::Result<Vec<Dialogue>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    text.lines()
        .enumerate()
        .map(|(at, line)| serde_json::from_str(line).with_context(|| format!("line {} of {}", at + 1, path.display())))
        .collect()
}

/// Known slots in the form they are compared in.
type State = BTreeMap<&'static str, String>;

/// What is expected after each turn, and which slots are scored then.
fn expected(dialogue: &Dialogue) -> Vec<(State, BTreeSet<&'static str>)> {
    let mut taken_over = BTreeSet::new();
    dialogue
        .turns
        .iter()
        .map(|turn| {
            for slot in SCORED {
                if turn.informed.iter().any(|informed| informed == slot) {
                    taken_over.remove(slot);
                }
                if turn.accepted_from_system.iter().any(|accepted| accepted == slot) {
                    taken_over.insert(slot);
                }
            }
            let scored: BTreeSet<_> = SCORED.into_iter().filter(|slot| !taken_over.contains(slot)).collect();
            let state = scored
                .iter()
                .filter_map(|slot| Some((*slot, text_of(turn.canonical.get(*slot)?))))
                .filter(|(_, value)| value != "dontcare")
                .map(|(slot, value)| (slot, comparable(slot, &value)))
                .collect();
            (state, scored)
        })
        .collect()
}

fn text_of(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The data's values in our words: IATA codes for its cities and airlines.
fn comparable(slot: &str, value: &str) -> String {
    match slot {
        "origin" | "destination" => code(CITIES, value),
        "airlines" => code(AIRLINES, value),
        "cabin" => value.to_lowercase().replace(' ', "_"),
        _ => value.to_owned(),
    }
}

fn code(codes: &[(&str, &str)], name: &str) -> String {
    let found = codes.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map_or_else(|| name.to_lowercase(), |(_, code)| (*code).to_owned())
}

const CITIES: &[(&str, &str)] = &[
    ("Atlanta", "ATL"),
    ("Chicago", "CHI"),
    ("Delhi", "DEL"),
    ("Kuala Lumpur", "KUL"),
    ("Las Vegas", "LAS"),
    ("London", "LON"),
    ("Los Angeles", "LAX"),
    ("Mexico City", "MEX"),
    ("Nairobi", "NBO"),
    ("New York", "NYC"),
    ("Paris", "PAR"),
    ("Philadelphia", "PHL"),
    ("Phoenix", "PHX"),
    ("Portland", "PDX"),
    ("San Diego", "SAN"),
    ("San Francisco", "SFO"),
    ("Seattle", "SEA"),
    ("Sydney", "SYD"),
    ("Toronto", "YTO"),
    ("Vancouver", "YVR"),
    ("Washington", "WAS"),
];

const AIRLINES: &[(&str, &str)] = &[
    ("Air Canada", "AC"),
    ("Air France", "AF"),
    ("Alaska Airlines", "AS"),
    ("American Airlines", "AA"),
    ("British Airways", "BA"),
    ("Delta Airlines", "DL"),
    ("South African Airways", "SA"),
    ("Southwest Airlines", "WN"),
    ("United Airlines", "UA"),
];

/// Our slots in the form they are compared in.
fn actual(slots: &Slots) -> State {
    let mut state = State::new();
    // An airport is its city here, as it is in the data.
    let place = |place: &contracts::travel::Place| {
        let metro = geo::airports::metro_of(place.iata).map(|metro| metro.iata.to_string());
        let code = metro.unwrap_or_else(|| place.iata.to_string());
        // The data's names of these cities stand for one code each, metropolitan or not.
        if CITIES.iter().any(|(_, known)| *known == code) { code } else { place.iata.to_string() }
    };
    let mut set = |slot, value: Option<String>| {
        if let Some(value) = value {
            state.insert(slot, value);
        }
    };
    set("origin", slots.origin.as_ref().map(place));
    set("destination", slots.destination.as_ref().map(place));
    set("departure_date", slots.departure_date.map(|date| date.to_string()));
    set("return_date", slots.return_date.map(|date| date.to_string()));
    set("passengers", slots.passengers.map(|passengers| passengers.total().to_string()));
    set("cabin", slots.cabin.map(|cabin| cabin_name(cabin).to_owned()));
    let airlines: Vec<&str> = slots.airlines.iter().map(|airline| airline.iata.as_str()).collect();
    set("airlines", (!airlines.is_empty()).then(|| airlines.join("+")));
    state
}

fn cabin_name(cabin: Cabin) -> &'static str {
    match cabin {
        Cabin::Economy => "economy",
        Cabin::PremiumEconomy => "premium_economy",
        Cabin::Business => "business",
        Cabin::First => "first_class",
        Cabin::Other => "other",
    }
}

/// Counts over turns and slots.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Score {
    /// Turns.
    pub turns: usize,
    /// Turns in which every scored slot is right.
    pub right_turns: usize,
    /// Slots both have, and agree on.
    pub true_positives: usize,
    /// Slots we have, and the data has not or has otherwise.
    pub false_positives: usize,
    /// Slots the data has, and we have not or have otherwise.
    pub false_negatives: usize,
}

impl Score {
    /// Joint goal accuracy, 0 to 1.
    pub fn joint_goal_accuracy(&self) -> f64 {
        self.right_turns as f64 / self.turns.max(1) as f64
    }

    /// F1 over slots, 0 to 1.
    pub fn f1(&self) -> f64 {
        let wrong = self.false_positives + self.false_negatives;
        2.0 * self.true_positives as f64 / (2 * self.true_positives + wrong).max(1) as f64
    }

    fn add(&mut self, expected: &State, actual: &State, scored: &BTreeSet<&'static str>) -> bool {
        let mut right = true;
        for slot in scored {
            match (expected.get(slot), actual.get(slot)) {
                (None, None) => {}
                (Some(expected), Some(actual)) if expected == actual => self.true_positives += 1,
                (expected, actual) => {
                    right = false;
                    self.false_negatives += usize::from(expected.is_some());
                    self.false_positives += usize::from(actual.is_some());
                }
            }
        }
        self.turns += 1;
        self.right_turns += usize::from(right);
        right
    }
}

/// A turn that was not understood as the data has it.
#[derive(Debug, Clone)]
pub struct Miss {
    /// The dialogue.
    pub id: String,
    /// What the person said.
    pub user: String,
    /// Slot, expected, actual.
    pub slots: Vec<(&'static str, Option<String>, Option<String>)>,
    /// The turn before was wrong in the same slots: nothing new went wrong here.
    pub carried: bool,
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.id, self.user)?;
        let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        self.slots
            .iter()
            .try_for_each(|(slot, expected, actual)| write!(f, " {slot}: {} but {}", shown(expected), shown(actual)))
    }
}

/// What a run came to.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// By service.
    pub services: BTreeMap<String, Score>,
    /// All together.
    pub overall: Score,
    /// The third that was held out while the rules were written.
    pub held_out: Score,
    /// The rest.
    pub looked_at: Score,
    /// What was missed in the part that is looked at.
    pub misses: Vec<Miss>,
}

impl Report {
    /// Adds a dialogue: our slots after each of its turns, as far as it was played.
    pub fn add(&mut self, dialogue: &Dialogue, played: &[Slots]) {
        let mut wrong_before = Vec::new();
        for ((turn, (expected, scored)), slots) in dialogue.turns.iter().zip(expected(dialogue)).zip(played) {
            let actual = actual(slots);
            let part = if dialogue.is_held_out() { &mut self.held_out } else { &mut self.looked_at };
            part.add(&expected, &actual, &scored);
            self.services.entry(dialogue.service.clone()).or_default().add(&expected, &actual, &scored);
            if self.overall.add(&expected, &actual, &scored) {
                wrong_before.clear();
                continue;
            }
            let slots: Vec<_> = scored
                .iter()
                .map(|slot| (*slot, expected.get(slot).cloned(), actual.get(slot).cloned()))
                .filter(|(_, expected, actual)| expected != actual)
                .collect();
            let carried = slots == wrong_before;
            wrong_before.clone_from(&slots);
            if dialogue.is_held_out() {
                continue;
            }
            self.misses.push(Miss { id: dialogue.id.clone(), user: turn.user.clone(), slots, carried });
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| part | turns | joint goal accuracy | slot F1 |")?;
        writeln!(f, "| --- | --- | --- | --- |")?;
        let parts = self.services.iter().map(|(service, score)| (service.as_str(), score));
        let whole = [
            ("looked at while writing the rules (two thirds)", &self.looked_at),
            ("held out (one third)", &self.held_out),
            ("all", &self.overall),
        ];
        for (name, score) in parts.chain(whole) {
            writeln!(f, "| {name} | {} | {:.3} | {:.3} |", score.turns, score.joint_goal_accuracy(), score.f1())?;
        }
        Ok(())
    }
}

/// Plays dialogues with a player that takes a dialogue and gives our slots after each of its turns.
///
/// # Errors
/// What the player fails with.
pub async fn evaluate<P, F>(dialogues: &[Dialogue], player: P) -> anyhow::Result<Report>
where
    P: Fn(Dialogue) -> F,
    F: Future<Output = anyhow::Result<Vec<Slots>>>,
{
    let mut report = Report::default();
    for dialogue in dialogues {
        let played = player(dialogue.clone()).await.with_context(|| format!("playing {}", dialogue.id))?;
        report.add(dialogue, &played);
    }
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialogue(line: &str) -> Dialogue {
        serde_json::from_str(line).unwrap()
    }

    #[test]
    fn a_slot_taken_over_from_an_offer_is_left_out_until_it_is_said() {
        let dialogue = dialogue(
            r#"{"id": "1", "service": "Flights_1", "reference_date": "2019-03-01", "turns": [
                {"user": "", "canonical": {"airlines": "Air Canada"}, "accepted_from_system": ["airlines"]},
                {"user": "", "canonical": {"airlines": "Air Canada"}},
                {"user": "", "canonical": {"airlines": "Air Canada"}, "informed": ["airlines"]}]}"#,
        );
        let mut report = Report::default();
        report.add(&dialogue, &[Slots::default(), Slots::default(), Slots::default()]);
        let expected = Score { turns: 3, right_turns: 2, false_negatives: 1, ..Score::default() };
        assert_eq!(report.overall, expected);
        assert_eq!((expected.joint_goal_accuracy() * 3.0, expected.f1()), (2.0, 0.0));
    }

    #[test]
    fn a_value_that_differs_counts_twice_against_f1() {
        let dialogue = dialogue(
            r#"{"id": "1", "service": "Flights_1", "reference_date": "2019-03-01", "turns": [
                {"user": "", "canonical": {"departure_date": "2019-03-02", "cabin": "dontcare", "passengers": "1"}}]}"#,
        );
        let slots = Slots {
            departure_date: Some(jiff::civil::date(2019, 3, 3)),
            passengers: Some(contracts::travel::Passengers::ONE),
            ..Slots::default()
        };
        let mut report = Report::default();
        report.add(&dialogue, &[slots]);
        let expected = Score { turns: 1, right_turns: 0, true_positives: 1, false_positives: 1, false_negatives: 1 };
        assert_eq!(report.overall, expected);
        assert_eq!(expected.f1(), 0.5);
    }
}
