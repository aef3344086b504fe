//! Reads what the words of a message say about a journey.
//!
//! In: words. Out: an [`Understanding`](shared::dialogue::Understanding), in which nothing is resolved that the words
//! alone do not tell. Pure, by rule, well below a millisecond; so it can be cached by its words.

pub mod airlines;
pub mod places;
pub mod tokens;
