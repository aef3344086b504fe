//! Airports, cities and airlines: tables in the binary.

pub mod airlines;
pub mod airports;
