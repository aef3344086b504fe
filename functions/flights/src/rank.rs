//! Ranks offers by what they cost a traveller all in all, and shows why.
//!
//! The cost is `price per traveller + 15·hours + 65·stops + 10·airline changes + 7·hours early + 5.5·hours late`, the
//! weights in US dollars. They are rounded from a multinomial logit fitted to Boeing's stated-preference survey of US
//! air travellers of 2004/05 (3,609 choices; `airline.dat` of transp-or/choice_data): an hour is worth $15.50, the first
//! stop $67, an airline change $12, an hour early $7, an hour late $5.50. There, the cheapest by this formula is the
//! traveller's own choice in 71.9 % of cases, the cheapest by price alone in 57 %. For the method on real bookings see
//! Lhéritier et al. 2019, doi 10.1016/j.jocm.2018.02.002.

use std::cmp::Ordering;

use contracts::travel::{Cost, CostTerm, FlightQuery, Offer, TimeWindow};
use iso_currency::Currency;
use jiff::civil::Time;
use runtime::config;

use crate::scale::Scales;

/// The most offers that are answered.
pub const MOST_OFFERS: usize = 50;

/// What an hour, a stop and so on weigh against money, in US dollars.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights {
    /// Per hour from first departure to last arrival.
    pub hours: f64,
    /// Per stop.
    pub stops: f64,
    /// Per change of the selling airline.
    pub airline_changes: f64,
    /// Per hour of departure before the time wanted.
    pub hours_early: f64,
    /// Per hour of departure after the time wanted.
    pub hours_late: f64,
}

impl Default for Weights {
    fn default() -> Self {
        Self { hours: 15.0, stops: 65.0, airline_changes: 10.0, hours_early: 7.0, hours_late: 5.5 }
    }
}

impl Weights {
    /// The weights that `RANKING_WEIGHTS` gives (`hours=20,stops=80`, in US dollars), the defaults for the others.
    ///
    /// # Errors
    /// A name that is no weight, or a value that is no number from 0.
    pub fn from_env() -> anyhow::Result<Self> {
        let text = config::optional("RANKING_WEIGHTS").unwrap_or_default();
        crate::scale::pairs("RANKING_WEIGHTS", &text)?.into_iter().try_fold(
            Self::default(),
            |mut weights, (name, value)| {
                let weight = match name {
                    "hours" => &mut weights.hours,
                    "stops" => &mut weights.stops,
                    "airline_changes" => &mut weights.airline_changes,
                    "hours_early" => &mut weights.hours_early,
                    "hours_late" => &mut weights.hours_late,
                    other => anyhow::bail!("the environment variable RANKING_WEIGHTS: {other:?} is not a weight"),
                };
                *weight = value;
                Ok(weights)
            },
        )
    }
}

/// Puts offers in order, the best first, with cost, rank and dominance filled in; at most [`MOST_OFFERS`].
///
/// Prices in different currencies are not compared: offers in `currency` come first, the others after them, by currency.
/// Ties go to the lower price, then the shorter, then the earlier departure.
pub fn rank(
    mut offers: Vec<Offer>,
    query: &FlightQuery,
    currency: Option<Currency>,
    weights: &Weights,
    scales: &Scales,
) -> Vec<Offer> {
    for offer in &mut offers {
        offer.cost = cost(offer, query, weights, scales.of(offer.total_price.currency));
    }
    mark_dominated(&mut offers);
    offers.sort_by(|a, b| order(a, b, currency));
    offers.truncate(MOST_OFFERS);
    for (rank, offer) in (1..).zip(&mut offers) {
        offer.rank = rank;
    }
    offers
}

fn cost(offer: &Offer, query: &FlightQuery, weights: &Weights, scale: f64) -> Cost {
    let (early, late) = hours_off(offer, query);
    let quantities = [
        ("price", offer.price_per_traveller.approximate(), 1.0),
        ("hours", f64::from(minutes(offer)) / 60.0, weights.hours * scale),
        ("stops", f64::from(offer.stops), weights.stops * scale),
        ("airline_changes", f64::from(offer.airline_changes), weights.airline_changes * scale),
        ("hours_early", early, weights.hours_early * scale),
        ("hours_late", late, weights.hours_late * scale),
    ];
    let terms: Vec<_> = quantities
        .into_iter()
        .map(|(name, quantity, weight)| CostTerm {
            name: name.to_owned(),
            quantity: to_hundredths(quantity),
            weight: to_hundredths(weight),
            amount: to_hundredths(quantity * weight),
        })
        .filter(|term| term.amount > 0.0)
        .collect();
    Cost { total: to_hundredths(terms.iter().map(|term| term.amount).sum()), terms }
}

/// Rounded, so that the terms a person reads add up to the total they read.
fn to_hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// Minutes on the way, all directions together.
fn minutes(offer: &Offer) -> u32 {
    offer.itineraries.iter().map(|itinerary| itinerary.duration_minutes).fold(0, u32::saturating_add)
}

/// How many hours too early and too late the directions depart, together.
fn hours_off(offer: &Offer, query: &FlightQuery) -> (f64, f64) {
    let windows = [query.departure_time, query.return_time];
    let departures = offer.itineraries.iter().map(|itinerary| itinerary.segments.first());
    departures.zip(windows).fold((0.0, 0.0), |(early, late), pair| {
        let (Some(segment), Some(window)) = pair else { return (early, late) };
        let (more_early, more_late) = outside(window, segment.departs_at.civil().time());
        (early + more_early, late + more_late)
    })
}

/// How many hours `time` is before and after the window, of which one is zero. A window that reaches past midnight
/// leaves one gap in the day; a time in it counts towards the nearer end.
pub fn outside(window: TimeWindow, time: Time) -> (f64, f64) {
    let hours = |from: Time, to: Time| to.duration_since(from).as_secs_f64() / 3_600.0;
    let (early, late) = (hours(time, window.from), hours(window.to, time));
    if window.from <= window.to {
        (early.max(0.0), late.max(0.0))
    } else if early <= 0.0 || late <= 0.0 {
        (0.0, 0.0)
    } else if early < late {
        (early, 0.0)
    } else {
        (0.0, late)
    }
}

fn order(a: &Offer, b: &Offer, currency: Option<Currency>) -> Ordering {
    let group = |offer: &Offer| {
        let own = offer.total_price.currency;
        (Some(own) != currency, own.code())
    };
    group(a)
        .cmp(&group(b))
        .then(a.cost.total.total_cmp(&b.cost.total))
        .then_with(|| a.price_per_traveller.minor.cmp(&b.price_per_traveller.minor))
        .then_with(|| minutes(a).cmp(&minutes(b)))
        .then_with(|| departure(a).cmp(&departure(b)))
        // Nothing a traveller sees tells these apart; the order still must not depend on who answered first.
        .then_with(|| (&a.provider, &a.id).cmp(&(&b.provider, &b.id)))
}

fn departure(offer: &Offer) -> Option<jiff::Timestamp> {
    Some(offer.itineraries.first()?.segments.first()?.departs_at.timestamp())
}

fn mark_dominated(offers: &mut [Offer]) {
    let measures: Vec<_> = offers
        .iter()
        .map(|offer| {
            (offer.total_price.currency, [offer.total_price.minor, i64::from(minutes(offer)), offer.stops.into()])
        })
        .collect();
    for (offer, (currency, own)) in offers.iter_mut().zip(&measures) {
        offer.dominated = measures.iter().any(|(other_currency, other)| {
            other_currency == currency && other != own && other.iter().zip(own).all(|(other, own)| other <= own)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{OfferSketch, any_offers, query};
    use contracts::travel::Money;
    use proptest::prelude::*;

    fn ranked(offers: Vec<Offer>, query: &FlightQuery) -> Vec<Offer> {
        rank(offers, query, Some(Currency::USD), &Weights::default(), &Scales::default())
    }

    fn window(from: i8, to: i8) -> TimeWindow {
        TimeWindow { from: Time::constant(from, 0, 0, 0), to: Time::constant(to, 0, 0, 0) }
    }

    #[test]
    fn the_cost_is_the_sum_of_its_terms_and_shows_each() {
        let mut query = query();
        query.departure_time = Some(window(9, 12));
        let offer = OfferSketch {
            price: 300_00,
            departs: (7, 30),
            minutes: &[120, 90],
            carriers: &["EK", "QR"],
            ..OfferSketch::default()
        };

        let offer = &ranked(vec![offer.build()], &query)[0];

        let terms: Vec<_> =
            offer.cost.terms.iter().map(|term| (term.name.as_str(), term.quantity, term.amount)).collect();
        // Two flights of 120 and 90 minutes with an hour between them.
        let expected = [
            ("price", 300.0, 300.0),
            ("hours", 4.5, 67.5),
            ("stops", 1.0, 65.0),
            ("airline_changes", 1.0, 10.0),
            ("hours_early", 1.5, 10.5),
        ];
        assert_eq!(terms, expected);
        assert_eq!(offer.cost.total, 453.0);
    }

    #[test]
    fn a_dearer_nonstop_beats_a_cheaper_stop_by_what_a_stop_weighs() {
        let nonstop = OfferSketch { id: "nonstop", price: 360_00, minutes: &[180], ..OfferSketch::default() };
        let stop = OfferSketch { id: "stop", price: 280_00, minutes: &[120, 120], ..OfferSketch::default() };
        let offers = ranked(vec![stop.build(), nonstop.build()], &query());
        assert_eq!(offers.iter().map(|offer| offer.id.as_str()).collect::<Vec<_>>(), ["nonstop", "stop"]);
    }

    #[test]
    fn weights_are_scaled_to_the_currency_of_the_offer() {
        let yen = OfferSketch { price: 40_000, currency: Currency::JPY, minutes: &[60], ..OfferSketch::default() };
        let offer = &ranked(vec![yen.build()], &query())[0];
        let scales = Scales::default().of(Currency::JPY);
        assert!(scales > 50.0);
        assert_eq!(offer.cost.total, 40_000.0 + 15.0 * scales);
    }

    #[test]
    fn another_currency_comes_after_however_small_its_numbers() {
        let dollars = OfferSketch { id: "usd", price: 900_00, ..OfferSketch::default() };
        let pounds = OfferSketch { id: "gbp", price: 1_00, currency: Currency::GBP, ..OfferSketch::default() };
        let offers = ranked(vec![pounds.build(), dollars.build()], &query());
        assert_eq!(offers.iter().map(|offer| offer.id.as_str()).collect::<Vec<_>>(), ["usd", "gbp"]);
        assert!(offers.iter().all(|offer| !offer.dominated));
    }

    #[test]
    fn ties_go_to_price_then_duration_then_departure() {
        // 60 minutes weigh 15.00, so these four cost the same.
        let sketches = [
            OfferSketch { id: "later", price: 115_00, minutes: &[60], departs: (9, 0), ..OfferSketch::default() },
            OfferSketch { id: "cheaper", price: 100_00, minutes: &[120], departs: (12, 0), ..OfferSketch::default() },
            OfferSketch { id: "earlier", price: 115_00, minutes: &[60], departs: (8, 0), ..OfferSketch::default() },
        ];
        let offers = ranked(sketches.iter().map(OfferSketch::build).collect(), &query());
        assert_eq!(offers.iter().map(|offer| offer.id.as_str()).collect::<Vec<_>>(), ["cheaper", "earlier", "later"]);
    }

    #[test]
    fn a_window_is_missed_towards_its_nearer_end() {
        let at = |hour, minute| Time::constant(hour, minute, 0, 0);
        for (from, to, time, expected) in [
            (6, 12, at(6, 0), (0.0, 0.0)),
            (6, 12, at(12, 0), (0.0, 0.0)),
            (6, 12, at(4, 30), (1.5, 0.0)),
            (6, 12, at(14, 0), (0.0, 2.0)),
            (22, 2, at(23, 0), (0.0, 0.0)),
            (22, 2, at(1, 0), (0.0, 0.0)),
            (22, 2, at(21, 0), (1.0, 0.0)),
            (22, 2, at(4, 0), (0.0, 2.0)),
        ] {
            assert_eq!(outside(window(from, to), time), expected, "{from} to {to}, {time}");
        }
    }

    #[test]
    fn at_most_fifty_are_answered() {
        let offers = (0..80).map(|n| OfferSketch { price: 100_00 + n, ..OfferSketch::default() }.build()).collect();
        let offers = ranked(offers, &query());
        assert_eq!(offers.len(), 50);
        assert_eq!(offers[49].total_price, Money { minor: 100_49, currency: Currency::USD });
    }

    proptest! {
        #[test]
        fn ranks_are_one_to_n_and_do_not_depend_on_who_answered_first(offers in any_offers(), rotate in 0usize..20) {
            let mut turned = offers.clone();
            turned.rotate_left(rotate % offers.len().max(1));
            turned.reverse();

            let (one, two) = (ranked(offers, &query()), ranked(turned, &query()));

            prop_assert_eq!(&one, &two);
            let ranks: Vec<u32> = one.iter().map(|offer| offer.rank).collect();
            prop_assert_eq!(ranks, (1..=one.len() as u32).collect::<Vec<_>>());
            prop_assert!(one.windows(2).all(|pair| pair[0].total_price.currency != pair[1].total_price.currency || pair[0].cost.total <= pair[1].cost.total));
        }

        #[test]
        fn a_dominated_offer_costs_no_less_but_for_airline_changes(offers in any_offers()) {
            let offers = ranked(offers, &query());
            let without_changes = |offer: &Offer| {
                let changes = offer.cost.terms.iter().find(|term| term.name == "airline_changes");
                offer.cost.total - changes.map_or(0.0, |term| term.amount)
            };
            for offer in offers.iter().filter(|offer| offer.dominated) {
                let own = (offer.total_price.minor, minutes(offer), offer.stops);
                let dominators = offers.iter().filter(|other| {
                    let theirs = (other.total_price.minor, minutes(other), other.stops);
                    other.total_price.currency == offer.total_price.currency
                        && theirs != own && theirs.0 <= own.0 && theirs.1 <= own.1 && theirs.2 <= own.2
                });
                let mut count = 0;
                for dominator in dominators {
                    count += 1;
                    prop_assert!(without_changes(dominator) <= without_changes(offer) + 0.011);
                }
                prop_assert!(count > 0);
            }
        }
    }
}
