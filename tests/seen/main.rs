//! What an operator sees of the whole set and how they go forth and back: traces, metrics, health, flags, contracts. A test binary
//! of its own, for a log is seen by every test of a process.

mod contracts;
mod deployed;
mod flags;
mod health;
mod log;
mod metrics;
mod monitoring;
mod outcomes;
mod outside;
mod traces;
