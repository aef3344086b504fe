//! Offers in words: a line each in a list, and one in full.

use contracts::travel::{Itinerary, LocalTime, Offer, Place, Segment};

use crate::fare;
use crate::phrases::{cabin_name, duration};

/// One line of a list, line break included.
pub(crate) fn line(offer: &Offer) -> String {
    let ways: Vec<String> = offer.itineraries.iter().map(way).collect();
    if goes_onward(offer) {
        // Each flight has a line, with where and when it is.
        let ways =
            offer.itineraries.iter().zip(&ways).map(|(itinerary, way)| format!("   {}: {way}\n", leg(itinerary)));
        return format!("{}. {}\n{}", offer.rank, price(offer), ways.collect::<String>());
    }
    format!("{}. {} – {}\n", offer.rank, ways.join("; back "), price(offer))
}

/// The whole journey, flight by flight.
pub(crate) fn details(offer: &Offer) -> Vec<String> {
    let mut bits = vec![format!("Offer {}: {}.\n", offer.rank, price(offer))];
    for (index, itinerary) in offer.itineraries.iter().enumerate() {
        let heading = match index {
            _ if goes_onward(offer) => leg(itinerary),
            0 => "Out".to_owned(),
            _ => "Back".to_owned(),
        };
        bits.push(format!("{heading}, {}, {}:\n", duration(itinerary.duration_minutes), stops(itinerary.stops())));
        bits.extend(itinerary.segments.iter().map(|segment| {
            let operated = segment.operated_by.as_ref().map(|airline| format!(", flown by {}", airline.name));
            format!(
                "– {} {} {}, {} {} to {} {}{}{}\n",
                segment.carrier.name,
                segment.carrier.iata,
                segment.flight_number,
                segment.origin.name,
                moment(&segment.departs_at),
                segment.destination.name,
                moment(&segment.arrives_at),
                operated.unwrap_or_default(),
                aboard(segment)
            )
        }));
    }
    if let Some(cabin) = offer.cabin {
        bits.push(format!("Cabin: {}. ", cabin_name(cabin)));
    }
    bits.extend(fare::all(offer).into_iter().map(|sentence| format!("{sentence} ")));
    bits.push(terms(offer));
    if offer.sample {
        bits.push(" This is a sample, not for sale.".to_owned());
    }
    bits
}

/// ", in economy, on a Boeing 777-300", as far as that is told of a flight and not of the whole offer.
fn aboard(segment: &Segment) -> String {
    let cabin = segment.cabin.map(|cabin| format!(", in {}", cabin_name(cabin)));
    let aircraft = segment.aircraft.as_ref().map(|aircraft| format!(", on a {aircraft}"));
    [cabin, aircraft].into_iter().flatten().collect()
}

/// It is no journey there and back: it goes over several cities, or comes back from another one.
fn goes_onward(offer: &Offer) -> bool {
    let ends = |way: &Itinerary| Some((way.segments.first()?.origin.clone(), way.segments.last()?.destination.clone()));
    match offer.itineraries.as_slice() {
        [] | [_] => false,
        [out, back] => match (ends(out), ends(back)) {
            (Some((from, to)), Some((again, home))) => !is_one_city(&to, &again) || !is_one_city(&from, &home),
            _ => false,
        },
        _ => true,
    }
}

/// The two airports serve one city, by whose name offers call them.
fn is_one_city(one: &Place, other: &Place) -> bool {
    one.iata == other.iata || one.name == other.name
}

/// "London to Rome, Mon 3 May".
fn leg(itinerary: &Itinerary) -> String {
    let (Some(first), Some(last)) = (itinerary.segments.first(), itinerary.segments.last()) else {
        return String::new();
    };
    let day = first.departs_at.civil().strftime("%a %-d %b");
    format!("{} to {}, {day}", first.origin.name, last.destination.name)
}

/// How its place in the ranking comes about.
pub(crate) fn terms(offer: &Offer) -> String {
    let terms: Vec<String> = offer
        .cost
        .terms
        .iter()
        .map(|term| {
            let name = term.name.replace('_', " ");
            if term.name == "price" {
                format!("{:.0} price", term.amount)
            } else {
                format!("{:.0} for {} {name}", term.amount, number(term.quantity))
            }
        })
        .collect();
    format!("It ranks by {:.0} per traveller: {}.", offer.cost.total, terms.join(" + "))
}

/// "USD 812.00 for all, USD 406.00 each", or the price alone where one travels.
pub(crate) fn price(offer: &Offer) -> String {
    if offer.total_price == offer.price_per_traveller {
        return offer.total_price.to_string();
    }
    format!("{} for all, {} each", offer.total_price, offer.price_per_traveller)
}

fn way(itinerary: &Itinerary) -> String {
    let (Some(first), Some(last)) = (itinerary.segments.first(), itinerary.segments.last()) else {
        return String::new();
    };
    format!(
        "{} {} {} {} → {} {} ({}, {})",
        first.carrier.name,
        first.carrier.iata,
        first.flight_number,
        clock(&first.departs_at),
        clock(&last.arrives_at),
        nights(&first.departs_at, &last.arrives_at),
        duration(itinerary.duration_minutes),
        stops(itinerary.stops())
    )
    .replace("  ", " ")
}

/// "+1" where the arrival is on a later day.
fn nights(departs: &LocalTime, arrives: &LocalTime) -> String {
    match arrives.civil().date().since(departs.civil().date()).map(|span| span.get_days()) {
        Ok(days) if days > 0 => format!("+{days}"),
        _ => String::new(),
    }
}

pub(crate) fn clock(time: &LocalTime) -> String {
    time.civil().strftime("%H:%M").to_string()
}

pub(crate) fn moment(time: &LocalTime) -> String {
    time.civil().strftime("%H:%M on %a %-d %b").to_string()
}

pub(crate) fn stops(stops: u32) -> String {
    match stops {
        0 => "nonstop".to_owned(),
        1 => "1 stop".to_owned(),
        _ => format!("{stops} stops"),
    }
}

/// A quantity with at most one decimal.
fn number(quantity: f64) -> String {
    let text = format!("{quantity:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}
