//! What a fare includes and allows, as far as a provider tells it. What is absent is unknown, never "none".

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Money;

/// What a fare includes and allows besides the seat.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Fare {
    /// The checked bags that every traveller with a seat has on every flight, at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checked_bags: Option<Bags>,
    /// The same of what is carried into the cabin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carry_on: Option<Bags>,
    /// What one more checked bag costs, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra_bag: Option<Money>,
    /// Changing the whole journey before it begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<Condition>,
    /// Giving the whole journey back before it begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund: Option<Condition>,
    /// Reserving now and paying later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
}

impl Fare {
    /// Nothing is known of it.
    pub fn is_unknown(&self) -> bool {
        *self == Self::default()
    }
}

/// How much may be taken along: pieces, a weight, or both; at least one is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Bags {
    /// How many; 0 is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pieces: Option<u8>,
    /// Kilograms: of each piece where pieces are counted, else altogether.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kilograms: Option<u16>,
}

/// Whether something may be done with a ticket, and what the airline takes for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Condition {
    /// It may be done.
    pub allowed: bool,
    /// What it costs for all travellers; 0 is nothing, absent is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub penalty: Option<Money>,
}

/// Whether a journey can be reserved now and paid later, and for how long.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Hold {
    /// It can.
    pub possible: bool,
    /// Until when the price is guaranteed to who holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub price_until: Option<Timestamp>,
    /// When it must be paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub pay_by: Option<Timestamp>,
    /// The last day on which the ticket can be issued, where the provider names a day only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket_by: Option<Date>,
}
