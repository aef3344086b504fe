//! What two functions or more use: the contracts between them, and how a step is served, called and kept.

pub mod airports;
pub mod dialogue;
pub mod travel;
