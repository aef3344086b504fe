//! A wish to book: the price of the offer is asked once more, and where it is sold.

use contracts::api::{FLIGHTS_PRICE, PriceOffer, PricedOffer};
use contracts::dialogue::Session;
use contracts::travel::{Booking, BookingState, FlightQuery, Offer};
use geo::airlines;

use crate::Deps;
use crate::progress::{Progress, RESERVE};

/// The offer of a rank as it is sold now, where it still is.
pub(crate) async fn price(
    deps: &Deps,
    progress: &mut Progress,
    session: &Session,
    rank: u32,
    query: &FlightQuery,
) -> Option<(Booking, Option<Offer>)> {
    let offer = session.shown.iter().find(|offer| offer.rank == rank)?.clone();
    let reference = progress.turn_id();
    let asked = PriceOffer { query: query.clone(), offer, reference };
    let deadline = progress.deadline.less(RESERVE);
    let answer = progress.timed("price", deps.pipeline.call(&FLIGHTS_PRICE, &asked, deadline)).await;
    match answer {
        Ok(PricedOffer { booking, offer, degraded }) => {
            progress.degraded.extend(degraded);
            Some((booking, offer.map(|offer| *offer)))
        }
        Err(problem) => {
            progress.degrade("flights", &problem);
            let offer = asked.offer;
            let state = if offer.sample { BookingState::Sample } else { BookingState::Unchecked };
            let site = offer.seller().and_then(|airline| airlines::site_of(&airline.iata)).filter(|_| !offer.sample);
            let url = site.map(str::to_owned);
            let booking = Booking { rank, state, price_before: None, url, is_checkout: false };
            Some((booking, Some(offer).filter(|offer| !offer.sample)))
        }
    }
}
