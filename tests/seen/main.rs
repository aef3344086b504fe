//! What an operator sees of the whole set: traces and logs. A test binary of its own, for a log is seen by every test of a
//! process.

mod health;
mod log;
mod metrics;
mod monitoring;
mod outside;
mod traces;
