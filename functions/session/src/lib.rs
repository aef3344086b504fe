//! Keeps the sessions.
//!
//! `begin` reads a session, merges what was said and decides what is done; `commit` keeps the finished turn. Nothing is
//! written to a session in between, so a turn that crashed simply runs again. In: what `understand` read from the words. Out:
//! an action. It never calls another step and never sees a provider.

mod booking;
mod compare;
mod decide;
pub mod dialogue;
mod fares;
mod idempotency;
mod knowledge;
mod merge;
mod nearness;
mod resolve;
mod standing;
mod steps;
mod store;

use std::sync::Arc;

use axum::Router;
use contracts::api::{
    HANDOFFS, SESSION_BEGIN, SESSION_CLAIM, SESSION_COMMIT, SESSION_DELETE, SESSION_READ, SESSION_RELEASE,
    SESSION_TURNS, TURN_FEEDBACK, TURN_READ, TURN_STOP, TURN_STOPPED,
};
use runtime::step::Serve;

pub use store::{Store, Tables};

/// What the steps need.
pub struct Deps {
    store: Store,
}

impl Deps {
    /// With the tables given.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// With the tables that `SESSIONS_TABLE`, `TURNS_TABLE`, `IDEMPOTENCY_TABLE`, `TOTALS_TABLE` and `HANDOFFS_TABLE` name.
    ///
    /// # Errors
    /// A variable that is missing or cannot be read, named.
    pub async fn from_env() -> anyhow::Result<Self> {
        let tables = Tables::from_env()?;
        Ok(Self::new(Store::new(aws::store::client().await, tables)))
    }
}

/// The steps.
pub fn router(deps: Deps) -> Router {
    let deps = Arc::new(deps);
    SESSION_BEGIN
        .serve(deps.clone(), steps::begin)
        .merge(SESSION_CLAIM.serve(deps.clone(), steps::claim))
        .merge(SESSION_RELEASE.serve(deps.clone(), steps::release))
        .merge(SESSION_COMMIT.serve(deps.clone(), steps::commit))
        .merge(SESSION_READ.serve(deps.clone(), steps::read))
        .merge(SESSION_DELETE.serve(deps.clone(), steps::delete))
        .merge(SESSION_TURNS.serve(deps.clone(), steps::turns))
        .merge(TURN_READ.serve(deps.clone(), steps::turn))
        .merge(TURN_STOP.serve(deps.clone(), steps::stop))
        .merge(TURN_STOPPED.serve(deps.clone(), steps::is_stopped))
        .merge(HANDOFFS.serve(deps.clone(), steps::handoffs))
        .merge(TURN_FEEDBACK.serve(deps, steps::rate))
}
