//! What Duffel tells of a fare: bags of each traveller on each flight, conditions of change and refund, payment, emissions.

use std::collections::HashSet;

use contracts::travel::{Bags, Condition, Fare, Hold, Money};
use iso_currency::Currency;
use serde::Deserialize;

use super::{WirePassenger, WireSlice};
use crate::bags::least;
use crate::wire::Text;

/// Younger than that, one sits on a lap, with bags of its own rules.
const SEATED_FROM: u8 = 2;

#[derive(Deserialize)]
pub(super) struct WireTraveller {
    id: Option<String>,
    r#type: Option<String>,
    age: Option<u8>,
}

impl WireTraveller {
    fn is_infant(&self) -> bool {
        self.r#type.as_deref() == Some("infant_without_seat") || self.age.is_some_and(|age| age < SEATED_FROM)
    }
}

#[derive(Deserialize)]
pub(super) struct WireBaggage {
    r#type: String,
    quantity: u8,
}

#[derive(Deserialize)]
pub(super) struct WireConditions {
    change_before_departure: Option<WireCondition>,
    refund_before_departure: Option<WireCondition>,
}

#[derive(Deserialize)]
struct WireCondition {
    allowed: Option<bool>,
    penalty_amount: Option<Text>,
    penalty_currency: Option<String>,
}

impl WireCondition {
    fn read(&self) -> Option<Condition> {
        let allowed = self.allowed?;
        let penalty = self.penalty_amount.as_ref().zip(self.penalty_currency.as_ref());
        Some(Condition { allowed, penalty: penalty.and_then(|(amount, code)| money(amount, code)).filter(|_| allowed) })
    }
}

#[derive(Deserialize)]
pub(super) struct WirePayment {
    requires_instant_payment: Option<bool>,
    price_guarantee_expires_at: Option<String>,
    payment_required_by: Option<String>,
}

impl WirePayment {
    fn read(&self) -> Option<Hold> {
        let possible = !self.requires_instant_payment?;
        let moment = |text: &Option<String>| text.as_ref().filter(|_| possible)?.parse().ok();
        let (price_until, pay_by) = (moment(&self.price_guarantee_expires_at), moment(&self.payment_required_by));
        Some(Hold { possible, price_until, pay_by, ticket_by: None })
    }
}

/// What can be bought with an offer; told only of a single offer that was asked for.
#[derive(Deserialize)]
pub(super) struct WireService {
    r#type: Option<String>,
    total_amount: Text,
    total_currency: String,
    metadata: Option<WireMetadata>,
}

#[derive(Deserialize)]
struct WireMetadata {
    r#type: Option<String>,
}

impl WireService {
    fn checked_bag(&self) -> Option<Money> {
        let kind = self.metadata.as_ref().and_then(|metadata| metadata.r#type.as_deref());
        let is_bag = self.r#type.as_deref() == Some("baggage") && kind == Some("checked");
        is_bag.then(|| money(&self.total_amount, &self.total_currency)).flatten()
    }
}

fn money(amount: &Text, code: &str) -> Option<Money> {
    Money::parse(&amount.0, Currency::from_code(code)?).ok().filter(|money| money.minor >= 0)
}

/// What is told of the fare of these flights.
pub(super) fn fare(
    slices: &[WireSlice],
    travellers: &[WireTraveller],
    conditions: Option<&WireConditions>,
    payment: Option<&WirePayment>,
    services: &[WireService],
) -> Fare {
    let infants: HashSet<&str> =
        travellers.iter().filter(|one| one.is_infant()).filter_map(|one| one.id.as_deref()).collect();
    let has_seat =
        |passenger: &&WirePassenger| passenger.passenger_id.as_deref().is_none_or(|id| !infants.contains(id));
    let bags = |kind: &str| {
        let told = slices.iter().flat_map(|slice| &slice.segments).flat_map(|segment| match &segment.passengers {
            Some(passengers) => passengers.iter().filter(has_seat).map(|one| one.bags(kind)).collect(),
            None => vec![None],
        });
        least(told.collect::<Vec<_>>())
    };
    let of = |condition: fn(&WireConditions) -> &Option<WireCondition>| {
        conditions.and_then(|conditions| condition(conditions).as_ref()?.read())
    };
    Fare {
        checked_bags: bags("checked"),
        carry_on: bags("carry_on"),
        extra_bag: services.iter().filter_map(WireService::checked_bag).min_by_key(|price| price.minor),
        change: of(|conditions| &conditions.change_before_departure),
        refund: of(|conditions| &conditions.refund_before_departure),
        hold: payment.and_then(WirePayment::read),
    }
}

impl WirePassenger {
    /// How many of a kind it has on its flight. A kind that is not listed is not told.
    fn bags(&self, kind: &str) -> Option<Bags> {
        let listed = self.baggages.iter().flatten().filter(|bags| bags.r#type == kind);
        let pieces = listed.map(|bags| bags.quantity).reduce(u8::saturating_add);
        pieces.map(|pieces| Bags { pieces: Some(pieces), kilograms: None })
    }
}

/// Whole kilograms; what is none, or 0, is not known.
pub(super) fn kilograms(text: &Text) -> Option<u32> {
    let kilograms: f64 = text.0.parse().ok()?;
    (1.0..=1e6).contains(&kilograms).then(|| kilograms.round() as u32)
}
