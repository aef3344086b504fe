//! Finds the places a message names.
//!
//! In: tokens. Out: which of them name a place and which one: a city under its metropolitan code where it has several
//! airports, an airport, or a region that is no place to fly to yet ("Spain"). A name that several places bear is
//! theirs who are flown to most; where two are flown to alike ("San Jose") both come back. Names that are ordinary
//! English, too ("Nice", "Reading"), count only where the words around them or a capital say so. Who an airline's name
//! is made of ("Alaska Airlines") is no place.

mod edits;
mod evidence;
mod names;
mod regions;
mod scan;
mod somewhere;

pub(crate) use names::table;

use std::ops::Range;

use contracts::travel::Place;

use crate::tokens::Token;

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

/// The folded word is the name of a place or region, or short for one.
pub(crate) fn names_something(word: &str) -> bool {
    !names::bearers(word).is_empty() || !regions::regions(word).is_empty()
}

/// The folded name is that of a city that people know.
pub(crate) fn is_known(name: &str) -> bool {
    names::bearers(name).first().is_some_and(|first| first.tier >= names::PROMINENT)
}

/// The places that a message names, in its order; their tokens never overlap.
pub fn find(tokens: &[Token]) -> Vec<Mention> {
    scan::find(tokens)
}

#[cfg(test)]
mod tests;
