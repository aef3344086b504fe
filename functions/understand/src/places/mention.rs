//! A place in a message, as it was named.

use std::ops::Range;

use contracts::travel::Place;

/// A place as it was named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// The tokens of the name, with what belongs to it ("Portland, Oregon", "Dubai airport").
    pub tokens: Range<usize>,
    /// What it names.
    pub named: Named,
}

/// What a name may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// A place: one where it is clear, several (the likeliest first) where it is ambiguous, none where no place of
    /// that name is known there ("Paris, Germany").
    Place(Vec<Place>),
    /// A place without an airport, with the airports near it, the best first.
    Near {
        /// Those airports.
        airports: Vec<Place>,
    },
    /// A country, a state or a larger region: which city is not said.
    Region {
        /// The name to show.
        name: &'static str,
        /// Its places that are flown to most, those first; none where the tables do not tell what lies in it.
        busiest: Vec<Place>,
    },
}
