//! The connections to the steps, and which of them carries a call.
//!
//! An HTTP/2 connection carries any number of calls, and where it breaks, all of them fail together. So each carries some, the
//! next is opened once those are full, and one that broke is given up at once: its failing calls must not meet it again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use reqwest::{Client, ClientBuilder};

/// How many calls one HTTP/2 connection carries, as many as most servers allow.
const CALLS: usize = 100;

/// The connections of one [`super::Pipeline`].
pub(super) struct Connections {
    /// Describes a client; of each, the pool holds one connection where it speaks HTTP/2.
    describe: fn() -> ClientBuilder,
    /// How many calls each carries at once.
    calls: usize,
    open: Mutex<Vec<Connection>>,
}

struct Connection {
    client: Client,
    /// Held by each of its calls.
    calls: Arc<()>,
}

/// A call's place on a connection, held for as long as the call takes.
pub(super) struct Place(Arc<()>);

impl Connections {
    /// Connections over HTTP/2 without TLS, which share the calls.
    pub fn shared(describe: fn() -> ClientBuilder) -> Self {
        Self { describe, calls: CALLS, open: Mutex::default() }
    }

    /// As many connections as one client's pool makes of it.
    pub fn pooled(describe: fn() -> ClientBuilder) -> Self {
        Self { calls: usize::MAX, ..Self::shared(describe) }
    }

    /// A client with room for one more call: the first that has some, so that few calls share few connections.
    pub fn take(&self) -> anyhow::Result<(Client, Place)> {
        let mut open = self.open();
        let free = open.iter().find(|connection| Arc::strong_count(&connection.calls) <= self.calls);
        if let Some(Connection { client, calls }) = free {
            return Ok((client.clone(), Place(calls.clone())));
        }
        let client = (self.describe)().build().context("building the client for the steps")?;
        let calls = Arc::new(());
        open.push(Connection { client: client.clone(), calls: calls.clone() });
        Ok((client, Place(calls)))
    }

    /// No more calls go to the connection on which this one failed.
    pub fn give_up(&self, place: &Place) {
        self.open().retain(|connection| !Arc::ptr_eq(&connection.calls, &place.0));
    }

    fn open(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_that_is_full_or_broke_is_not_given_another_call() {
        let connections = Connections::shared(Client::builder);
        let mut places: Vec<Place> = (0..CALLS).map(|_| connections.take().unwrap().1).collect();
        assert!(places.iter().all(|place| Arc::ptr_eq(&place.0, &places[0].0)), "few share one");
        let (_, beyond) = connections.take().unwrap();
        assert!(!Arc::ptr_eq(&beyond.0, &places[0].0));
        places.pop();
        let (_, again) = connections.take().unwrap();
        assert!(Arc::ptr_eq(&again.0, &places[0].0), "one is over");
        connections.give_up(&again);
        assert!(Arc::ptr_eq(&connections.take().unwrap().1.0, &beyond.0));
    }
}
