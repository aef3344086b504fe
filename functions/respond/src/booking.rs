//! What is said to who wants to book: what the offer costs now, its exact flights, and where to go on.

use contracts::api::ReplyRequest;
use contracts::travel::{Booking, BookingState, FlightQuery, Money, Offer};

use crate::fare;
use crate::offers::price;
use crate::phrases::{cabin_name, travellers};

/// The reply, in bits.
pub(crate) fn words(rank: u32, query: &FlightQuery, request: &ReplyRequest) -> Vec<String> {
    let Some(booking) = &request.booking else {
        return vec![format!("I have no offer number {rank} to book. Ask me to search again?")];
    };
    match (booking.state, request.offers.first()) {
        (BookingState::Sample, _) => vec![format!(
            "Offer {rank} is a sample, worked out from real airports and distances: it can't be booked. With a flight \
             provider's key, this service shows offers that can."
        )],
        (BookingState::Gone, _) | (_, None) => vec![format!(
            "Offer {rank} is no longer sold: I asked for it again just now. Say “search again”, and I look for what there is."
        )],
        (state, Some(offer)) => of_offer(state, booking, offer, query),
    }
}

fn of_offer(state: BookingState, booking: &Booking, offer: &Offer, query: &FlightQuery) -> Vec<String> {
    let (rank, now) = (offer.rank, price(offer));
    let cost = match state {
        BookingState::ForSale => format!("I asked again: offer {rank} is still sold, at {now}."),
        BookingState::PriceChanged => {
            let difference = booking.price_before.and_then(|before| difference(before, offer.total_price));
            format!("The price has changed: offer {rank} now costs {now}{}.", difference.unwrap_or_default())
        }
        _ => format!(
            "I could not ask for the price again just now. Offer {rank} was {now} when I found it: check that before you pay."
        ),
    };
    let cabin = offer.cabin.map(|cabin| format!(", in {}", cabin_name(cabin)));
    let mut bits = vec![format!("{cost} For {}{}:\n", travellers(&query.passengers), cabin.unwrap_or_default())];
    let segments = offer.itineraries.iter().flat_map(|way| &way.segments);
    bits.extend(segments.map(|segment| {
        format!(
            "– {} {} {}, {} ({}) to {} ({}), {}\n",
            segment.carrier.name,
            segment.carrier.iata,
            segment.flight_number,
            segment.origin.name,
            segment.origin.iata,
            segment.destination.name,
            segment.destination.iata,
            segment.departs_at.civil().strftime("%A %-d %B %Y at %H:%M")
        )
    }));
    bits.extend(fare::all(offer).into_iter().map(|sentence| format!("{sentence} ")));
    bits.push(hand_over(booking, offer));
    bits
}

/// ", GBP 12.00 more than when I showed it".
fn difference(before: Money, now: Money) -> Option<String> {
    let minor = now.minor.checked_sub(before.minor).filter(|_| before.currency == now.currency)?;
    let amount = Money { minor: minor.abs(), ..now };
    let which = if minor > 0 { "more" } else { "less" };
    Some(format!(", {amount} {which} than when I showed it"))
}

fn hand_over(booking: &Booking, offer: &Offer) -> String {
    let airline = offer.seller().map_or("the airline", |airline| airline.name.as_str());
    let check = "look for these flights and days there, and compare the price before you pay. I book nothing myself.";
    match &booking.url {
        Some(url) if booking.is_checkout => format!(
            "Continue to book: {url}\nThe page was opened for you with the provider's own search: choose these flights and days \
             there. Names and payment are asked for there, not here; I book nothing myself."
        ),
        Some(url) => format!("Book it with {airline}, at {url}: {check}"),
        None => format!("Book it with {airline}, on its own site: {check}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_price_is_told_where_it_can_be() {
        let money = |amount: &str, currency: &str| -> Money {
            serde_json::from_value(serde_json::json!({"amount": amount, "currency": currency})).unwrap()
        };
        let told = |now: Money| difference(money("600.00", "GBP"), now);
        assert_eq!(told(money("650.00", "GBP")).as_deref(), Some(", GBP 50.00 more than when I showed it"));
        assert_eq!(told(money("590.00", "GBP")).as_deref(), Some(", GBP 10.00 less than when I showed it"));
        assert_eq!(told(money("650.00", "USD")), None);
    }
}
