//! Times of day: windows for the way out and the way back.

use contracts::dialogue::{DateRole, Session, Slot, TimeBound, TimeMention, Understanding};
use contracts::travel::{TimeWindow, Trip};
use jiff::Zoned;
use jiff::civil::{Time, time};

use super::Merged;

pub(super) fn merge(session: &mut Session, said: &Understanding, now: &Zoned, merged: &mut Merged) {
    merged.informed |= !said.times.is_empty();
    for mention in &said.times {
        let back = mention.role == DateRole::Return
            || mention.role == DateRole::Unknown
                && session.asked == Some(Slot::ReturnDate)
                && session.slots.trip == Some(Trip::RoundTrip)
            || mention.role == DateRole::Unknown && says_only_the_way_back(session, said);
        let window = match mention.from_now {
            Some(hours) => Some(from_now(session, now, hours)),
            None => mention.window,
        };
        let slots = &mut session.slots;
        if window.is_none() && mention.role == DateRole::Unknown || mention.role == DateRole::Both {
            (slots.departure_time, slots.return_time) = (window, window.filter(|_| mention.role == DateRole::Both));
            continue;
        }
        let slot = if back { &mut slots.return_time } else { &mut slots.departure_time };
        *slot = window.map(|window| bounded(*slot, window, mention));
    }
}

/// "Last flight back on Monday night": the message names the day back and no day out.
fn says_only_the_way_back(session: &Session, said: &Understanding) -> bool {
    let returns = said.dates.iter().any(|date| date.role == DateRole::Return);
    let leaves = said.dates.iter().any(|date| date.role == DateRole::Departure);
    returns && !leaves && said.dates.len() == 1 && said.places.is_empty() && session.slots.departure_date.is_some()
}

/// "Till 6 is ok" moves one end of the window that is known; the hour is the one after its beginning.
fn bounded(known: Option<TimeWindow>, window: TimeWindow, mention: &TimeMention) -> TimeWindow {
    match (known, mention.bound) {
        (Some(known), Some(TimeBound::Until)) => {
            let later = || window.to.checked_add(jiff::Span::new().hours(12)).unwrap_or(window.to);
            let to = if window.to <= known.from && window.to < time(12, 0, 0, 0) { later() } else { window.to };
            TimeWindow { from: known.from, to }
        }
        (Some(known), Some(TimeBound::From)) if known.to > window.from => {
            TimeWindow { from: window.from, to: known.to }
        }
        _ => window,
    }
}

/// From some hours from now to the end of the day, where the journey starts.
fn from_now(session: &Session, now: &Zoned, hours: u8) -> TimeWindow {
    let zone = session.slots.origin.as_ref().and_then(|origin| geo::airports::time_zone(origin.iata));
    let here = zone.map_or_else(|| now.clone(), |zone| now.with_time_zone(zone));
    let later = here.checked_add(jiff::Span::new().hours(i64::from(hours))).unwrap_or_else(|_| here.clone());
    let from = if later.date() == here.date() { later.time() } else { Time::MIN };
    let from = from.round(jiff::Unit::Minute).unwrap_or(from);
    TimeWindow { from, to: time(23, 59, 0, 0) }
}
