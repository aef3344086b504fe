//! The contract of a step: a path, what is sent there and what comes back.
//!
//! It is a constant of the API. The crate `runtime` serves it and calls it:
//!
//! ```text
//! pub const FLIGHTS: Step<FlightQuery, FlightResults> = Step::new("/steps/flights");
//! FLIGHTS.serve(deps, search)                      // a router, where it runs
//! pipeline.call(&FLIGHTS, &query, deadline).await  // the answer, where it is needed
//! ```

use std::marker::PhantomData;

/// The contract of a step that answers with one value.
pub struct Step<In, Out> {
    /// Where it is served.
    pub path: &'static str,
    types: PhantomData<fn(In) -> Out>,
}

impl<In, Out> Step<In, Out> {
    /// The step at `path`.
    pub const fn new(path: &'static str) -> Self {
        Self { path, types: PhantomData }
    }
}

/// The contract of a step that answers bit by bit, as server-sent events with JSON in their `data`.
pub struct StreamStep<In, Item> {
    /// Where it is served.
    pub path: &'static str,
    types: PhantomData<fn(In) -> Item>,
}

impl<In, Item> StreamStep<In, Item> {
    /// The step at `path`.
    pub const fn new(path: &'static str) -> Self {
        Self { path, types: PhantomData }
    }
}
