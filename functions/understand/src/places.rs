//! Finds the places a message names.
//!
//! In: tokens. Out: which of them name a place and which one: a city under its metropolitan code where it has several
//! airports, an airport, or a region that is no place to fly to yet ("Spain"). A name that several places bear is
//! theirs who are flown to most; where two are flown to alike ("San Jose") both come back. Names that are ordinary
//! English, too ("Nice", "Reading"), count only where the words around them or a capital say so. Who an airline's name
//! is made of ("Alaska Airlines") is no place.

mod edits;
mod evidence;
mod mention;
pub(crate) mod names;
pub(crate) mod regions;
mod scan;
mod somewhere;

pub use mention::{Mention, Named};
pub use scan::find;

#[cfg(test)]
mod tests;
