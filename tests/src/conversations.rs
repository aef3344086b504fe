//! Conversations as files: what a person says, line by line, and what must come of it.
//!
//! A file in `tests/dialogues/` is TOML. `at` is the person's clock; each `[[turn]]` has `you`, the words; `then`, the
//! action in short; and, where it matters, `known`, all that is known of the journey afterwards. A turn may have an `at` of
//! its own, from which the clock goes on.
//!
//! - Actions: `ask departure_date`, `ask destination because same_place`, `search`, `search after 3` (offers shown
//!   before), `show 2`, `answer price about 2`, `answer greeting then ask destination`, `cancel`, `start_over`, `handoff`.
//! - `where_shown` is an airline; see [`Turn::where_shown`].
//! - Passengers: `2` are two adults, `2+1+1` two adults, a child and an infant. Times: `06:00-12:00`.
//!
//! When a conversation is played without providers, each search shows three made-up offers, which [`offers`] describes.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, bail};
use contracts::dialogue::Action;
use contracts::travel::{
    Airline, Cost, Fare, FlightQuery, Itinerary, LocalTime, Money, Offer, Passengers, Segment, Slots, TimeWindow,
};
use jiff::Zoned;
use serde::Deserialize;

/// A conversation.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conversation {
    /// What it shows.
    pub about: String,
    /// The person's clock: RFC 9557.
    pub at: Zoned,
    /// Its turns.
    pub turn: Vec<Turn>,
}

/// What a person says and what must come of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    /// The words.
    pub you: String,
    /// The person's clock from this turn on, where time has passed: RFC 9557.
    pub at: Option<Zoned>,
    /// The airline of which an offer must be shown for these words to mean that: with other providers than the made-up ones
    /// they are left out where none is.
    pub where_shown: Option<String>,
    /// The action, in short.
    pub then: String,
    /// All that is known of the journey afterwards.
    pub known: Option<BTreeMap<String, String>>,
}

/// Reads the conversations of a folder, by file name.
///
/// # Errors
/// The folder or a file cannot be read, or a file is not a conversation.
pub fn read(folder: &Path) -> anyhow::Result<BTreeMap<String, Conversation>> {
    let mut conversations = BTreeMap::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            continue;
        }
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        let conversation = toml::from_str(&text).with_context(|| format!("reading {}", path.display()))?;
        conversations.insert(name, conversation);
    }
    if conversations.is_empty() {
        bail!("{} holds no conversation", folder.display());
    }
    Ok(conversations)
}

/// An action in short, as the files have it.
pub fn in_short(action: &Action) -> String {
    match action {
        Action::Ask { slot, because: None } => format!("ask {}", name(slot)),
        Action::Ask { slot, because: Some(trouble) } => {
            let kind =
                serde_json::to_value(trouble).ok().and_then(|value| Some(value.get("kind")?.as_str()?.to_owned()));
            format!("ask {} because {}", name(slot), kind.unwrap_or_default())
        }
        Action::SearchFlights { skip: 0, .. } => "search".to_owned(),
        Action::SearchFlights { skip, .. } => format!("search after {skip}"),
        Action::ShowOffer { rank } => format!("show {rank}"),
        Action::Book { rank, .. } => format!("book {rank}"),
        Action::Answer { topic, rank, then_ask } => {
            let about = rank.map(|rank| format!(" about {rank}")).unwrap_or_default();
            let then = then_ask.as_ref().map(|slot| format!(" then ask {}", name(slot))).unwrap_or_default();
            format!("answer {}{about}{then}", name(topic))
        }
        Action::LookUp { topic, rank, then_ask } => {
            let answer = Action::Answer { topic: *topic, rank: *rank, then_ask: *then_ask };
            in_short(&answer).replacen("answer", "look up", 1)
        }
        other => other.name().to_owned(),
    }
}

/// The name a value bears on the wire.
fn name<T: serde::Serialize>(value: &T) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

/// What is known of a journey, as the files have it.
pub fn known(slots: &Slots) -> BTreeMap<String, String> {
    let window = |window: TimeWindow| format!("{}-{}", window.from.strftime("%H:%M"), window.to.strftime("%H:%M"));
    let codes = |airlines: &[Airline]| {
        let codes: Vec<&str> = airlines.iter().map(|airline| airline.iata.as_str()).collect();
        (!codes.is_empty()).then(|| codes.join(", "))
    };
    let end = |place: &Option<contracts::travel::Place>| {
        place.as_ref().map_or("?".to_owned(), |place| place.iata.to_string())
    };
    let legs: Vec<String> = slots
        .legs
        .iter()
        .map(|leg| {
            let on = leg.date.map(|date| format!(" {date}")).unwrap_or_default();
            format!("{}-{}{on}", end(&leg.origin), end(&leg.destination))
        })
        .collect();
    let all = [
        ("legs", (!legs.is_empty()).then(|| legs.join(", "))),
        ("origin", slots.origin.as_ref().map(|place| place.iata.to_string())),
        ("destination", slots.destination.as_ref().map(|place| place.iata.to_string())),
        ("departure_date", slots.departure_date.map(|date| date.to_string())),
        ("return_date", slots.return_date.map(|date| date.to_string())),
        ("trip", slots.trip.as_ref().map(name)),
        ("passengers", slots.passengers.map(party)),
        ("cabin", slots.cabin.as_ref().map(name)),
        ("airlines", codes(&slots.airlines)),
        ("without_airlines", codes(&slots.without_airlines)),
        ("max_stops", slots.max_stops.map(|stops| stops.to_string())),
        ("max_price", slots.max_price.map(|price| price.to_string())),
        ("departure_time", slots.departure_time.map(window)),
        ("return_time", slots.return_time.map(window)),
    ];
    all.into_iter().filter_map(|(slot, value)| Some((slot.to_owned(), value?))).collect()
}

fn party(party: Passengers) -> String {
    match party {
        Passengers { adults, children: 0, infants: 0 } => adults.to_string(),
        Passengers { adults, children, infants } => format!("{adults}+{children}+{infants}"),
    }
}

/// Three made-up offers in answer to a search, ranked after those that were shown before.
///
/// | place | airline | price | leaves | takes | stops |
/// | --- | --- | --- | --- | --- | --- |
/// | 1 | Emirates | 420 | 14:00 | 3 h | 0 |
/// | 2 | Qatar Airways | 310 | 09:00 | 7 h | 1 |
/// | 3 | Pakistan International Airlines | 350 | 22:00 | 3 h 30 | 0 |
///
/// # Errors
/// Never, as long as the table is right.
pub fn offers(query: &FlightQuery, skip: usize) -> anyhow::Result<Vec<Offer>> {
    let rows =
        [("Emirates", "EK", 420, 14, 180, 0), ("Qatar Airways", "QR", 310, 9, 420, 1), ("PIA", "PK", 350, 22, 210, 0)];
    let day = query.departure_date;
    rows.into_iter()
        .enumerate()
        .map(|(at, (name, iata, price, hour, minutes, stops))| {
            let carrier = Airline { name: name.into(), iata: iata.into() };
            let departs_at: LocalTime = format!("{day}T{hour:02}:00:00+00:00").parse()?;
            let segment = Segment {
                carrier,
                flight_number: "1".into(),
                operated_by: None,
                origin: query.origin.clone(),
                destination: query.destination.clone(),
                departs_at,
                arrives_at: departs_at,
                duration_minutes: minutes,
                technical_stops: stops,
                cabin: None,
                aircraft: None,
            };
            let price = Money { minor: price * 100, currency: iso_currency::Currency::EUR };
            Ok(Offer {
                id: format!("{}", skip + at),
                provider: "sample".into(),
                sample: true,
                total_price: price,
                price_per_traveller: price,
                cabin: query.cabin,
                itineraries: vec![Itinerary { duration_minutes: minutes, segments: vec![segment] }],
                stops: u32::from(stops),
                airline_changes: 0,
                cost: Cost { total: 0.0, terms: Vec::new() },
                rank: u32::try_from(skip + at + 1)?,
                dominated: false,
                outside_times: false,
                expires_at: None,
                sold_by: None,
                fare: Fare::default(),
                co2_kg: None,
            })
        })
        .collect()
}
