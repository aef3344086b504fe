//! The providers of flights, and how one is asked: within a time limit, and not at all while its circuit is open.

use std::time::{Duration, Instant};

use contracts::api::CircuitState;
use contracts::travel::{FlightQuery, Offer};
use jiff::Timestamp;
use jiff::tz::Offset;
use runtime::deadline::Deadline;
use runtime::upstream::{Breaker, Failure, Reason};

use crate::amadeus::Amadeus;
use crate::duffel::Duffel;
use crate::sample::Sample;

/// Where offers come from.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there are three of them at most, for as long as the process lives")]
pub enum Provider {
    /// Duffel.
    Duffel(Duffel),
    /// Amadeus.
    Amadeus(Amadeus),
    /// Worked out here.
    Sample(Sample),
}

impl Provider {
    /// Its name in offers, `degraded` and logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Duffel(_) => "duffel",
            Self::Amadeus(_) => "amadeus",
            Self::Sample(_) => "sample",
        }
    }

    async fn search(&self, query: &FlightQuery, limit: Deadline) -> Result<Vec<Offer>, Failure> {
        match self {
            Self::Duffel(duffel) => duffel.search(query, limit).await,
            Self::Amadeus(amadeus) => amadeus.search(query).await,
            Self::Sample(sample) => Ok(sample.offers(query, Offset::UTC.to_datetime(Timestamp::now()).date())),
        }
    }

    /// The offer as it is sold now; `None` where it is not.
    async fn price(&self, query: &FlightQuery, shown: &Offer, limit: Deadline) -> Result<Option<Offer>, Failure> {
        match self {
            Self::Duffel(duffel) => duffel.price(query, shown, limit).await,
            Self::Amadeus(amadeus) => amadeus.price(query, shown).await,
            // What is worked out here is not sold.
            Self::Sample(_) => Ok(None),
        }
    }

    /// Tries whether it is there and takes our credentials, at no cost.
    async fn probe(&self) -> Result<(), Failure> {
        match self {
            Self::Duffel(duffel) => duffel.probe().await,
            Self::Amadeus(amadeus) => amadeus.probe().await,
            Self::Sample(_) => Ok(()),
        }
    }

    async fn warm(&self, hold: Duration) -> Result<(), Failure> {
        match self {
            Self::Duffel(duffel) => duffel.token().await.map(drop),
            Self::Amadeus(amadeus) => amadeus.warm(hold).await,
            Self::Sample(_) => Ok(()),
        }
    }
}

/// A provider with its circuit breaker.
#[derive(Debug)]
pub struct Source {
    provider: Provider,
    breaker: Breaker,
}

impl Source {
    /// A provider of which nothing bad is known, and which has `limit` to answer.
    pub fn new(provider: Provider, limit: Duration) -> Self {
        let breaker = Breaker::new(provider.name(), limit);
        Self { provider, breaker }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.provider.name()
    }

    /// It charges for searches beyond those that a booking pays for.
    pub fn is_duffel(&self) -> bool {
        matches!(self.provider, Provider::Duffel(_))
    }

    /// The state of its circuit breaker; what is worked out here needs none.
    pub fn circuit(&self) -> Option<CircuitState> {
        (!matches!(self.provider, Provider::Sample(_))).then(|| self.breaker.state())
    }

    /// Tries it, unless its circuit is open.
    ///
    /// # Errors
    /// What is wrong with it.
    pub async fn probe(&self) -> Result<(), Failure> {
        self.breaker.check()?;
        self.provider.probe().await
    }

    /// What it offers, unfiltered. A failure is logged here, once.
    ///
    /// # Errors
    /// Why there is no answer within the limit.
    pub async fn search(&self, query: &FlightQuery, limit: Deadline) -> Result<Vec<Offer>, Failure> {
        let started = Instant::now();
        let answer = self.breaker.call(limit, self.provider.search(query, limit)).await;
        answer.inspect_err(|failure| self.log(failure, started))
    }

    /// The offer as it is sold now; `None` where it is not. A failure is logged here, once.
    ///
    /// # Errors
    /// Why that is not known within the limit.
    pub async fn price(&self, query: &FlightQuery, shown: &Offer, limit: Deadline) -> Result<Option<Offer>, Failure> {
        let started = Instant::now();
        let answer = self.breaker.call(limit, self.provider.price(query, shown, limit)).await;
        answer.inspect_err(|failure| self.log(failure, started))
    }

    /// A page of the provider's on which a traveller can book, where there are such; its address. A failure is logged here,
    /// once, and says nothing of the provider's searches.
    ///
    /// # Errors
    /// Why there is none within the limit.
    pub async fn checkout(&self, reference: &str, limit: Deadline) -> Option<Result<String, Failure>> {
        let Provider::Duffel(duffel) = &self.provider else { return None };
        let started = Instant::now();
        let page = tokio::time::timeout_at(limit.instant(), duffel.checkout(reference)).await;
        let page = page.unwrap_or(Some(Err(Failure::new(Reason::Timeout))))?;
        Some(page.inspect_err(|failure| self.log(failure, started)))
    }

    fn log(&self, failure: &Failure, started: Instant) {
        tracing::warn!(
            provider = self.name(),
            reason = failure.reason.as_str(),
            status = failure.status.map(|status| status.as_u16()),
            duration_ms = started.elapsed().as_millis() as u64,
            "flight provider failed"
        );
    }

    /// Reads its key and fetches its token, where it has such, so that the next search need not; the token holds for at
    /// least `hold`, if the provider gives such. A failure is logged here, once.
    ///
    /// # Errors
    /// Why it is not ready within the limit.
    pub async fn warm(&self, hold: Duration, limit: Deadline) -> Result<(), Failure> {
        let outcome = tokio::time::timeout_at(limit.instant(), self.provider.warm(hold)).await;
        let outcome = outcome.unwrap_or(Err(Failure::new(Reason::Timeout)));
        if let Err(failure) = &outcome {
            let status = failure.status.map(|status| status.as_u16());
            tracing::warn!(
                provider = self.name(),
                reason = failure.reason.as_str(),
                status,
                "flight provider not ready"
            );
        }
        outcome
    }
}
