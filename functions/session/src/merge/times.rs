//! Times of day: windows for the way out and the way back.

use contracts::dialogue::{DateRole, Session, Slot, TimeBound, TimeMention, Understanding};
use contracts::travel::{TimeWindow, Trip};
use jiff::Zoned;
use jiff::civil::{Time, time};

use super::Merged;

pub(super) fn merge(session: &mut Session, said: &Understanding, now: &Zoned, back_moved: bool, merged: &mut Merged) {
    merged.informed |= !said.times.is_empty();
    for mention in &said.times {
        let back = mention.role == DateRole::Return
            || mention.role == DateRole::Unknown
                && session.asked == Some(Slot::ReturnDate)
                && session.slots.trip == Some(Trip::RoundTrip)
            || mention.role == DateRole::Unknown
                && (says_only_the_way_back(session, said)
                    || is_of_the_return_window(session, said)
                    // "Actually Friday morning" moved the day back.
                    || back_moved && said.dates.len() == 1 && session.recent_day == Some(Slot::ReturnDate) && said.times.len() == 1);
        if let Some(minutes) = mention.shift {
            let slots = &mut session.slots;
            let slot = if back { &mut slots.return_time } else { &mut slots.departure_time };
            *slot = slot.map(|window| shifted(window, minutes));
            continue;
        }
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
        *slot = window.map(|window| match both_ends(*slot, window).filter(|_| !replaces(said)) {
            Some(window) => window,
            None => bounded(*slot, window, mention),
        });
    }
}

/// "Actually", "instead": what was said of times before is not meant any more.
fn replaces(said: &Understanding) -> bool {
    let words = &said.words.0;
    let denies = matches!(words.as_slice(), [no, next, ..] if no == "no" && !matches!(next.as_str(), "later" | "earlier" | "sooner"));
    denies || words.iter().any(|word| matches!(word.as_str(), "actually" | "instead" | "rather" | "sorry" | "change"))
}

/// "No later than 2pm" after "10 at the earliest": each message tells one end of one window.
fn both_ends(known: Option<TimeWindow>, said: TimeWindow) -> Option<TimeWindow> {
    let known = known?;
    let last = time(23, 59, 0, 0);
    let from_only = |window: TimeWindow| window.from > Time::MIN && window.to == last;
    let to_only = |window: TimeWindow| window.from == Time::MIN && window.to < last;
    let window = match (from_only(known) && to_only(said), to_only(known) && from_only(said)) {
        (true, _) => TimeWindow { from: known.from, to: said.to },
        (_, true) => TimeWindow { from: said.from, to: known.to },
        _ => return None,
    };
    (window.from < window.to).then_some(window)
}

/// "6 at the earliest" where only the way back has a window, of which was spoken last.
fn is_of_the_return_window(session: &Session, said: &Understanding) -> bool {
    let slots = &session.slots;
    slots.return_time.is_some()
        && said.places.is_empty()
        && said.dates.is_empty()
        && session.recent_day == Some(Slot::ReturnDate)
}

/// A window that both ends of are moved, within the day.
fn shifted(window: TimeWindow, minutes: i16) -> TimeWindow {
    let last = 24 * 60 - 1;
    let moved = |time: Time| {
        let at = i32::from(time.hour()) * 60 + i32::from(time.minute());
        // An open end stays open.
        let at = if at == 0 || at == last { at } else { (at + i32::from(minutes)).clamp(0, last) };
        Time::new((at / 60) as i8, (at % 60) as i8, 0, 0).unwrap_or(time)
    };
    TimeWindow { from: moved(window.from), to: moved(window.to) }
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
            // "6 at the earliest" of a flight in the evening is 18:00.
            let later = window.from.checked_add(jiff::Span::new().hours(12)).unwrap_or(window.from);
            let in_the_evening = known.from >= time(12, 0, 0, 0) && window.from < time(12, 0, 0, 0) && later < known.to;
            TimeWindow { from: if in_the_evening { later } else { window.from }, to: known.to }
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
