//! The whole set, over real HTTP.

mod asking;
mod broken_off;
mod chat;
mod circuits;
mod client_limit;
mod cost;
mod crisis;
mod crowd;
mod daily_cap;
mod documents;
mod events;
mod faults;
mod flexible_days;
mod idempotency;
mod knowledge;
mod problems;
mod recording;
mod replies;
mod running;
mod sessions;
mod several_cities;
mod stopping;
mod streams;
mod turns;
mod understanding;
mod warm;
