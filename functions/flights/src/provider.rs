//! The providers of flights, and how one is asked: within a time limit, and not at all while it is known to be away.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use contracts::travel::{FlightQuery, Offer};
use jiff::Timestamp;
use jiff::tz::Offset;
use runtime::deadline::Deadline;
use runtime::upstream::{Failure, Reason};

use crate::amadeus::Amadeus;
use crate::duffel::Duffel;
use crate::sample::Sample;

/// How many failures one after another show that a provider is away.
const FAILURES_UNTIL_AWAY: u32 = 5;
/// How long it is then left alone.
const AWAY: Duration = Duration::from_secs(15);
/// A shorter wait than this says more about our time limit than about the provider.
const FAIR_WAIT: Duration = Duration::from_secs(2);

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

/// A provider with what is known of its health.
#[derive(Debug)]
pub struct Source {
    provider: Provider,
    health: Mutex<Health>,
}

#[derive(Debug, Default)]
struct Health {
    failures: u32,
    away: Option<(Instant, Failure)>,
}

impl Source {
    /// A provider of which nothing bad is known.
    pub fn new(provider: Provider) -> Self {
        Self { provider, health: Mutex::default() }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.provider.name()
    }

    /// Tries it; one that is left alone for now is not asked.
    ///
    /// # Errors
    /// What is wrong with it.
    pub async fn probe(&self) -> Result<(), Failure> {
        match self.away() {
            Some(failure) => Err(failure),
            None => self.provider.probe().await,
        }
    }

    /// What it offers, unfiltered. A failure is logged here, once.
    ///
    /// # Errors
    /// Why there is no answer within the limit.
    pub async fn search(&self, query: &FlightQuery, limit: Deadline) -> Result<Vec<Offer>, Failure> {
        let started = Instant::now();
        let answer = match self.away() {
            Some(failure) => Err(failure),
            None => {
                let search = self.provider.search(query, limit);
                let answer = tokio::time::timeout_at(limit.instant(), search).await;
                let answer = answer.unwrap_or(Err(Failure::new(Reason::Timeout)));
                self.note(&answer, started.elapsed());
                answer
            }
        };
        if let Err(failure) = &answer {
            tracing::warn!(
                provider = self.name(),
                reason = failure.reason.as_str(),
                status = failure.status.map(|status| status.as_u16()),
                duration_ms = started.elapsed().as_millis() as u64,
                "flight provider failed"
            );
        }
        answer
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

    /// The failure for which it is left alone now. The first to ask after that time finds out whether it is back; the
    /// others go on without it until then.
    fn away(&self) -> Option<Failure> {
        let mut health = self.health.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (until, failure) = health.away?;
        if Instant::now() < until {
            return Some(failure);
        }
        health.away = (health.failures >= FAILURES_UNTIL_AWAY).then(|| (Instant::now() + AWAY, failure));
        None
    }

    fn note(&self, answer: &Result<Vec<Offer>, Failure>, waited: Duration) {
        let mut health = self.health.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match answer {
            Ok(_) => *health = Health::default(),
            Err(failure) => {
                let counts = match failure.reason {
                    Reason::Timeout => waited >= FAIR_WAIT,
                    Reason::Unavailable | Reason::RateLimited => true,
                    // These will not be better later, and do not make anybody wait.
                    Reason::Unauthorized | Reason::Rejected | Reason::InvalidAnswer => false,
                };
                health.failures = if counts { health.failures.saturating_add(1) } else { health.failures };
                let away = (health.failures >= FAILURES_UNTIL_AWAY).then_some(AWAY);
                if let Some(pause) = failure.retry_after.or(away).filter(|_| counts) {
                    health.away = Some((Instant::now() + pause, *failure));
                }
            }
        }
    }
}
