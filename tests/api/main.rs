//! The whole set, over real HTTP.

mod chat;
mod events;
mod idempotency;
mod problems;
mod sessions;
mod stopping;
mod streams;
