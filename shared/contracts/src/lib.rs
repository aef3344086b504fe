//! What travels between the functions, and out of the set: types alone. Nothing here reads, writes or waits.

pub mod api;
pub mod dialogue;
pub mod documents;
pub mod festivals;
pub mod knowledge;
pub mod outcome;
pub mod private;
pub mod problem;
pub mod step;
pub mod travel;
pub mod turns;
pub mod usd;
