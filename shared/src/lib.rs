//! What two functions or more use: the contracts between them, and how a step is served, called and kept.

pub mod airlines;
pub mod airports;
pub mod api;
pub mod assistants;
pub mod config;
pub mod deadline;
pub mod dialogue;
pub mod documents;
pub mod embedder;
pub mod knowledge;
pub mod knowledge_store;
pub mod lambda;
pub mod llm;
pub mod openai;
pub mod pipeline;
pub mod prices;
pub mod private;
pub mod problem;
pub mod queue;
pub mod step;
pub mod store;
pub mod telemetry;
pub mod totals;
pub mod travel;
pub mod turns;
pub mod upstream;
