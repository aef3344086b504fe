//! What was heard beside the slots: wishes no search can be held to, what a slot was taken from, and what is said of it.

use serde::{Deserialize, Serialize};

use super::{Slot, Topic};
use crate::travel::Place;

/// A wish that no search can be held to; it is said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unmet {
    /// When to arrive.
    Arrival,
    /// How long a connection may be.
    Layover,
    /// Which kind of aircraft.
    Aircraft,
    /// Which alliance.
    Alliance,
    /// Low-cost airlines, or none of them.
    LowCost,
    /// One class out, another back, or for some of the travellers.
    MixedCabins,
    /// Through which place.
    Via,
    /// An airport not to be used.
    Airport,
    /// More than one destination, or back from another place.
    SeveralCities,
    /// The same journey on several days ("every Monday in January").
    EachTime,
    /// A kind this release does not know.
    #[serde(other)]
    Other,
}

/// What a reply says besides its answer, so that nothing is left out or taken for granted in silence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Remark {
    /// A wish was heard and is not applied.
    Unmet {
        /// Which.
        wish: Unmet,
    },
    /// Something was asked along with the journey.
    Asked {
        /// About what.
        topic: Topic,
    },
    /// Of several places that were named for one end, only the first is searched.
    OneOf {
        /// The place that is searched.
        taken: Place,
        /// The others.
        others: Vec<Place>,
    },
    /// A place without an airport: the nearest airport was taken.
    Nearest {
        /// The place as it was named.
        name: String,
        /// The airport that was taken.
        taken: Place,
        /// Others near by.
        others: Vec<Place>,
    },
    /// A slot rests on a weak reading of some words.
    Weak {
        /// The slot.
        slot: Slot,
        /// The words.
        words: String,
    },
    /// A place that is not to be used, and is not left out.
    Avoid {
        /// The place.
        place: Place,
    },
    /// A place to be passed through, which no search can be held to.
    Through {
        /// The place.
        place: Place,
    },
    /// The day back was taken along, for it lay before the day out.
    Moved {
        /// The slot that moved.
        slot: Slot,
    },
    /// A kind this release does not know.
    #[serde(other)]
    Other,
}
