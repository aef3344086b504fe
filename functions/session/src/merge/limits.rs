//! What the journey keeps to on its way.

use contracts::dialogue::{DateRole, Remark, Session, Understanding, Wish};
use contracts::travel::Place;

use super::{Merged, wanted};

/// The most places that are kept as not wanted.
const MOST_PLACES: usize = 6;

pub(super) fn merge(session: &mut Session, said: &Understanding, merged: &mut Merged) {
    let limits = &mut session.slots.limits;
    if let Some(wish) = &said.limits.layover {
        limits.layover = wanted(wish);
    }
    if let Some(wish) = &said.limits.alliance {
        limits.alliance = wanted(wish);
    }
    if let Some(wish) = &said.limits.low_cost {
        limits.low_cost = wanted(wish);
    }
    // "Any airline" is any.
    if said.airlines == Some(Wish::Any) && said.limits.is_empty() {
        (limits.alliance, limits.low_cost) = (None, None);
    }
    for arrival in &said.arrivals {
        let slot = match arrival.role {
            DateRole::Return => &mut limits.return_arrival_time,
            _ => &mut limits.arrival_time,
        };
        *slot = arrival.window;
    }
    said.without_places.iter().for_each(|place| avoid(session, place));
    session.remarks.extend(said.through.iter().map(|place| Remark::Through { place: place.clone() }));
    merged.informed |= !said.limits.is_empty()
        || !said.arrivals.is_empty()
        || !said.without_places.is_empty()
        || !said.through.is_empty();
}

/// Leaves a place out from now on.
pub(super) fn avoid(session: &mut Session, place: &Place) {
    let avoided = &mut session.slots.limits.without_airports;
    if avoided.len() < MOST_PLACES && avoided.iter().all(|other| other.iata != place.iata) {
        avoided.push(place.clone());
    }
}

/// A place that is named as an end of the journey is used after all.
pub(super) fn use_again(session: &mut Session) {
    let slots = &mut session.slots;
    let ends = [slots.origin.clone(), slots.destination.clone()];
    let is_end = |place: &Place| ends.iter().flatten().any(|end| end.iata == place.iata);
    slots.limits.without_airports.retain(|place| !is_end(place));
}
