//! DynamoDB's tables that two functions know, and SQS's queues.

pub mod handoffs;
pub mod knowledge_store;
pub mod packed;
pub mod queue;
pub mod store;
pub mod totals;
