//! What came of asking the price of an offer once more, for whoever wants to book it. Nothing is booked here.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Money;

/// An offer that somebody wants to book: whether it is still sold, and where to go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Booking {
    /// The offer, by its rank.
    pub rank: u32,
    /// Whether it is still sold.
    pub state: BookingState,
    /// What it cost when it was shown, where that has changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_before: Option<Money>,
    /// Where it is booked: an `https` address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "https://links.duffel.com/?token=abcdef")]
    pub url: Option<String>,
    /// The address is a page of the provider, made for this booking; otherwise it is the airline's own site.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_checkout: bool,
}

/// Whether an offer is still sold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BookingState {
    /// At the price that was shown.
    ForSale,
    /// At another price.
    PriceChanged,
    /// No more.
    Gone,
    /// The provider could not be asked.
    Unchecked,
    /// It never was: it is sample data.
    Sample,
    /// What a later release knows.
    #[serde(other)]
    Other,
}
