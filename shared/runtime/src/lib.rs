//! What runs a function: configuration, deadlines, one step served and called, logs, metrics and traces, and the way to everything outside.

pub mod assistants;
pub mod close;
pub mod config;
pub mod deadline;
pub mod flags;
pub mod health;
pub mod lambda;
pub mod message;
pub mod meter;
pub mod observe;
pub mod pipeline;
mod release;
pub mod sdk;
pub mod step;
pub mod telemetry;
pub mod trace;
pub mod upstream;
