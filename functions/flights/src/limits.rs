//! Whether airlines, airports and waits keep to what is wished of the way.

use contracts::travel::{Alliance, Iata, Itinerary, Limits, LowCost, Offer, Place};
use geo::airlines;
use geo::airports::airports_of;

/// An airline may fly it.
pub fn allow_airline(limits: &Limits, designator: &str) -> bool {
    let alliance = match limits.alliance {
        None | Some(Alliance::Other) => true,
        wanted => airlines::alliance_of(designator) == wanted,
    };
    let low_cost = match limits.low_cost {
        Some(LowCost::Without) => !airlines::is_low_cost(designator),
        Some(LowCost::Only) => airlines::is_low_cost(designator),
        None | Some(LowCost::Other) => true,
    };
    alliance && low_cost
}

/// An airport may be used.
pub fn allow_airport(limits: &Limits, iata: Iata) -> bool {
    let is_of = |place: &Place| place.iata == iata || airports_of(place.iata).any(|airport| airport.iata == iata);
    !limits.without_airports.iter().any(is_of)
}

/// An offer keeps to all but the times of arrival.
pub fn allow(limits: &Limits, offer: &Offer) -> bool {
    let mut segments = offer.itineraries.iter().flat_map(|way| &way.segments);
    segments.all(|segment| {
        allow_airline(limits, &segment.carrier.iata)
            && allow_airport(limits, segment.origin.iata)
            && allow_airport(limits, segment.destination.iata)
    }) && offer.itineraries.iter().all(|way| allow_waits(limits, way))
}

fn allow_waits(limits: &Limits, way: &Itinerary) -> bool {
    let Some(layover) = limits.layover else { return true };
    way.segments.windows(2).all(|pair| {
        let [one, next] = pair else { return true };
        let (arrives, departs) = (one.arrives_at, next.departs_at);
        let minutes = departs.timestamp().duration_since(arrives.timestamp()).as_mins();
        layover.holds(arrives.civil(), departs.civil(), u32::try_from(minutes).unwrap_or(0))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn airlines_and_airports_are_left_out_by_what_they_belong_to() {
        let place = |name: &str, iata: &str| Place { name: name.into(), iata: iata.parse().unwrap() };
        let star = Limits { alliance: Some(Alliance::Star), ..Limits::default() };
        assert!(allow_airline(&star, "LH") && !allow_airline(&star, "EK") && !allow_airline(&star, "BA"));
        let full = Limits { low_cost: Some(LowCost::Without), ..Limits::default() };
        assert!(allow_airline(&full, "LH") && !allow_airline(&full, "FR"));
        let cheap = Limits { low_cost: Some(LowCost::Only), ..Limits::default() };
        assert!(!allow_airline(&cheap, "LH") && allow_airline(&cheap, "FR"));
        let elsewhere = Limits { without_airports: vec![place("Chicago", "CHI")], ..Limits::default() };
        assert!(
            !allow_airport(&elsewhere, "ORD".parse().unwrap()) && allow_airport(&elsewhere, "JFK".parse().unwrap())
        );
    }
}
