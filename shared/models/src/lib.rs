//! Language models and embedders, by the wire format of OpenAI, or in the process.

pub mod embedder;
pub mod llm;
pub mod openai;
