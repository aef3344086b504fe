//! What the days cost that a turn compares: a bounded number of searches at once; what does not answer in time is left out.

use std::time::{Duration, Instant};

use contracts::api::{Degraded, FLIGHTS, FlightResults, RankedOffers};
use contracts::dialogue::{Action, Session};
use contracts::problem::Problem;
use contracts::travel::{CalendarDay, FlightQuery, Offer};
use futures::future::join_all;
use runtime::deadline::Deadline;
use runtime::pipeline::Pipeline;

use crate::suggest;

/// The most days of one turn, the one that is searched anyway among them.
const MOST_DAYS: usize = 7;

/// What was found of the days.
#[derive(Default)]
pub(crate) struct Compared {
    /// Those that were answered.
    days: Vec<CalendarDay>,
    /// Why others were not.
    missing: Option<Degraded>,
    took: Duration,
}

/// Searches each of the days that the turn compares, but for the one that is searched anyway.
pub(crate) async fn compare(pipeline: &Pipeline, action: &Action, session: &Session, deadline: Deadline) -> Compared {
    let started = Instant::now();
    let searches = queries(action, session).into_iter().map(async |(day, query)| {
        let answer = pipeline.call(&FLIGHTS, &query, deadline).await;
        (day, answer)
    });
    let mut compared = Compared::default();
    for (day, answer) in join_all(searches).await {
        match cheapest_of(answer) {
            Ok(offer) => compared.days.push(priced(day, offer.as_ref())),
            Err(missing) => compared.missing = Some(missing),
        }
    }
    compared.took = started.elapsed();
    compared
}

/// The days to be searched, with what is asked.
fn queries(action: &Action, session: &Session) -> Vec<(CalendarDay, FlightQuery)> {
    let days = session.comparing.iter().take(MOST_DAYS).copied();
    let known = match action {
        Action::SearchFlights { query, skip: 0 } => Some(query.as_ref().clone()),
        _ => None,
    };
    let slots = &session.slots;
    let (Some(origin), Some(destination)) = (&slots.origin, &slots.destination) else { return Vec::new() };
    days.filter(|day| known.as_ref().is_none_or(|known| known.departure_date != day.date))
        .map(|day| {
            let query = known.clone().unwrap_or_else(|| {
                let asked = suggest::journey(session, origin.clone(), destination.clone(), day.date);
                FlightQuery {
                    max_price: slots.max_price,
                    departure_time: slots.departure_time,
                    return_time: slots.return_time,
                    ..asked
                }
            });
            let query =
                FlightQuery { departure_date: day.date, return_date: day.return_date, compares_days: true, ..query };
            (day, query)
        })
        .collect()
}

/// The cheapest offer, none where there are no flights; or why that is not known.
fn cheapest_of(answer: Result<FlightResults, Problem>) -> Result<Option<Offer>, Degraded> {
    let results = answer.map_err(|problem| Degraded::because("days", &problem))?;
    match (cheapest(&results.offers), results.degraded.into_iter().next()) {
        (None, Some(missing)) => Err(Degraded::new("days", missing.reason)),
        (offer, _) => Ok(offer.cloned()),
    }
}

/// The offer that costs least, of those in the currency of the best.
fn cheapest(offers: &[Offer]) -> Option<&Offer> {
    let currency = offers.first()?.total_price.currency;
    let comparable = offers.iter().filter(|offer| offer.total_price.currency == currency);
    comparable.min_by_key(|offer| offer.total_price.minor)
}

fn priced(day: CalendarDay, offer: Option<&Offer>) -> CalendarDay {
    let sample = offer.is_some_and(|offer| offer.sample);
    CalendarDay { price: offer.map(|offer| offer.total_price), sample, ..day }
}

impl Compared {
    /// The days in their order, with the one that was searched anyway, and why others are missing.
    pub(crate) fn with(
        self,
        session: &Session,
        searched: Option<&RankedOffers>,
    ) -> (Vec<CalendarDay>, Option<Degraded>) {
        let mut days = self.days;
        let own = searched.and_then(|ranked| {
            let day = session.comparing.iter().find(|day| day.date == ranked.query.departure_date)?;
            Some(priced(*day, cheapest(&ranked.offers)))
        });
        // One day alone compares nothing.
        if !days.is_empty() {
            days.extend(own);
        }
        days.sort_by_key(|day| day.date);
        (days, self.missing)
    }

    /// How long it took; nothing where no day was compared.
    pub(crate) fn took(&self) -> Option<Duration> {
        (!self.days.is_empty() || self.missing.is_some()).then_some(self.took)
    }
}
