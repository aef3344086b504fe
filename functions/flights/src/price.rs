//! Asks the price of one offer once more, for whoever wants to book it, and says where it can be booked. Books nothing.

use std::sync::Arc;

use contracts::api::{Degraded, PriceOffer, PricedOffer};
use contracts::problem::Problem;
use contracts::travel::{Booking, BookingState, Offer};
use geo::airlines;
use runtime::deadline::Deadline;

use crate::{Deps, RESERVE, check, rank};

pub(crate) async fn price(deps: Arc<Deps>, asked: PriceOffer, deadline: Deadline) -> Result<PricedOffer, Problem> {
    check(&asked.query)?;
    let PriceOffer { query, offer: shown, reference } = asked;
    if shown.sample {
        return Ok(PricedOffer::without_offer(booking(&shown, BookingState::Sample)));
    }
    let limit = deadline.less(RESERVE).within(deps.timeout);
    let flags = deps.flags.of_turn().await;
    let name = shown.provider.as_str();
    let source = deps.sources.iter().find(|source| source.name() == name && flags.has_provider(name));
    let Some(source) = source else { return Ok(unchecked(&shown, "switched_off")) };
    let now = match source.price(&query, &shown, limit).await {
        Ok(Some(now)) => now,
        Ok(None) => return Ok(PricedOffer::without_offer(booking(&shown, BookingState::Gone))),
        Err(failure) => return Ok(unchecked(&shown, failure.reason.as_str())),
    };
    let currency = Some(now.total_price.currency);
    let now = rank::rank(vec![now], &query, currency, &deps.weights, &deps.scales).pop();
    let Some(now) = now else { return Ok(PricedOffer::without_offer(booking(&shown, BookingState::Gone))) };
    let now = Offer { rank: shown.rank, dominated: shown.dominated, outside_times: shown.outside_times, ..now };
    let is_same = now.total_price == shown.total_price;
    let state = if is_same { BookingState::ForSale } else { BookingState::PriceChanged };
    let sold = Booking { price_before: (!is_same).then_some(shown.total_price), ..booking(&now, state) };
    let mut degraded = Vec::new();
    let booking = match source.checkout(&reference, limit).await {
        Some(Ok(url)) => Booking { url: Some(url), is_checkout: true, ..sold },
        Some(Err(failure)) => {
            degraded.push(Degraded::new(format!("{name}_links"), failure.reason.as_str()));
            sold
        }
        None => sold,
    };
    Ok(PricedOffer { booking, offer: Some(Box::new(now)), degraded })
}

/// Its provider does not tell: it is booked, or not, with the airline.
fn unchecked(shown: &Offer, reason: &str) -> PricedOffer {
    let degraded = vec![Degraded::new(shown.provider.as_str(), reason)];
    let booking = booking(shown, BookingState::Unchecked);
    PricedOffer { booking, offer: Some(Box::new(shown.clone())), degraded }
}

fn booking(offer: &Offer, state: BookingState) -> Booking {
    let is_sold = !matches!(state, BookingState::Sample | BookingState::Gone);
    let site = offer.seller().and_then(|airline| airlines::site_of(&airline.iata)).filter(|_| is_sold);
    Booking { rank: offer.rank, state, price_before: None, url: site.map(str::to_owned), is_checkout: false }
}
