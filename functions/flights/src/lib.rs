//! Searches every flight provider at once and ranks what they offer.
//!
//! In: a complete [`FlightQuery`]. Out: ranked offers and the providers that did not answer, with the reason.
//! Never books, never waits past the turn's deadline, never fails because a provider does.

#![cfg_attr(test, allow(clippy::inconsistent_digit_grouping, reason = "amounts are in cents: 300_00 is 300.00"))]

mod allowance;
pub mod amadeus;
mod bags;
pub mod carriers;
mod draft;
pub mod duffel;
mod limits;
pub mod merge;
mod price;
pub mod provider;
pub mod rank;
pub mod sample;
pub mod scale;
#[cfg(test)]
mod testing;
pub mod token;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use axum::Router;
use contracts::api::{
    Degraded, FLIGHTS, FLIGHTS_HEALTH, FLIGHTS_PRICE, FLIGHTS_WARM, FlightResults, HealthCheck, HealthChecks,
    HealthRequest, HealthStatus, WarmRequest, Warmed,
};
use contracts::problem::Problem;
use contracts::travel::FlightQuery;
use futures::StreamExt;
use futures::future::join_all;
use futures::stream;
use iso_currency::Currency;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use reqwest::Url;
use runtime::config::{self, Secret};
use runtime::deadline::Deadline;
use runtime::flags::{FlagSource, Order};
use runtime::health::check as check_dependency;
use runtime::meter;
use runtime::step::Serve;
use runtime::upstream;

use crate::allowance::Allowance;
use crate::amadeus::Amadeus;
use crate::duffel::Duffel;
use crate::provider::{Provider, Source};
use crate::rank::Weights;
use crate::sample::Sample;
use crate::scale::Scales;

/// What is left of the deadline for ranking and for the answer to get out.
const RESERVE: Duration = Duration::from_millis(150);
/// The most travellers of one search.
const MOST_TRAVELLERS: u8 = 9;

/// What a search needs.
pub struct Deps {
    sources: Vec<Source>,
    timeout: Duration,
    currency: Option<Currency>,
    weights: Weights,
    scales: Scales,
    flags: FlagSource,
    duffel_day_searches: Allowance,
}

impl Deps {
    /// These providers, each with `timeout` to answer, and the usual weights.
    pub fn new(providers: impl IntoIterator<Item = Provider>, timeout: Duration) -> Self {
        let sources = providers.into_iter().map(|provider| Source::new(provider, timeout)).collect();
        Self {
            sources,
            timeout,
            currency: None,
            weights: Weights::default(),
            scales: Scales::default(),
            flags: FlagSource::default(),
            duffel_day_searches: Allowance::default(),
        }
    }

    /// The providers whose keys are set, else sample flights.
    ///
    /// `DUFFEL_API_TOKEN` switches Duffel on, `AMADEUS_CLIENT_ID` with `AMADEUS_CLIENT_SECRET` Amadeus; `DUFFEL_BASE_URL` and
    /// `AMADEUS_BASE_URL` say where they are; `DUFFEL_LINKS_RETURN_URL`, an `https` address to come back to, switches Duffel's own pages
    /// for booking on. `FLIGHTS_TIMEOUT_MS` (8000) is the time that each has; `FLIGHTS_CURRENCY` the
    /// one that prices should be in where the traveller names none; `RANKING_WEIGHTS` and `RANKING_SCALES` see [`Weights`]
    /// and [`Scales`]. `COLLOQUY_SAMPLE_FLIGHTS` says when there are sample flights: `auto` (only without a provider),
    /// `always`, `never`. `DUFFEL_DAY_SEARCHES` (0) is how many searches that only compare days Duffel may be asked in a day.
    ///
    /// # Errors
    /// A variable that is missing or cannot be read, named; no provider at all.
    pub fn from_env() -> anyhow::Result<Self> {
        let currency = config::optional("FLIGHTS_CURRENCY").map(|code| {
            let wrong = || format!("the environment variable FLIGHTS_CURRENCY: {code:?} is not an ISO 4217 code");
            Currency::from_code(code.trim()).with_context(wrong)
        });
        let currency = currency.transpose()?;
        let (weights, scales) = (Weights::from_env()?, Scales::from_env()?);
        let mut providers = providers_from_env(currency)?;
        let sampled = match config::optional("COLLOQUY_SAMPLE_FLIGHTS").as_deref() {
            None | Some("auto") => providers.is_empty(),
            Some("always") => true,
            Some("never") => false,
            Some(other) => bail!("COLLOQUY_SAMPLE_FLIGHTS is {other:?}; it can be auto, always or never"),
        };
        if sampled {
            let currency = currency.unwrap_or(Currency::USD);
            providers.push(Provider::Sample(Sample { currency, scales: scales.clone() }));
        }
        if providers.is_empty() {
            bail!("there is no flight provider: set DUFFEL_API_TOKEN, or AMADEUS_CLIENT_ID and AMADEUS_CLIENT_SECRET");
        }
        let timeout = Duration::from_millis(config::parsed("FLIGHTS_TIMEOUT_MS", 8_000)?);
        let deps = Self { currency, weights, scales, flags: FlagSource::from_env(), ..Self::new(providers, timeout) };
        Ok(deps.with_duffel_day_searches(config::parsed("DUFFEL_DAY_SEARCHES", 0)?))
    }

    /// The same, with switches that are read from `flags`.
    pub fn with_flags(self, flags: FlagSource) -> Self {
        Self { flags, ..self }
    }

    /// The same, whose Duffel is asked for so many searches a day that only compare days.
    pub fn with_duffel_day_searches(self, a_day: u32) -> Self {
        Self { duffel_day_searches: Allowance::new(a_day), ..self }
    }

    /// Whether a source is searched: Duffel to compare days only as often as is allowed.
    fn is_asked(&self, source: &Source, query: &FlightQuery) -> bool {
        !query.compares_days || !source.is_duffel() || self.duffel_day_searches.take(today())
    }

    /// The providers that are searched.
    pub fn provider_names(&self) -> Vec<&'static str> {
        self.sources.iter().map(Source::name).collect()
    }
}

/// The providers whose keys are set. The client they share is built only for them: it takes some milliseconds.
fn providers_from_env(currency: Option<Currency>) -> anyhow::Result<Vec<Provider>> {
    let duffel = Secret::from_env("DUFFEL_API_TOKEN");
    let amadeus = match (Secret::from_env("AMADEUS_CLIENT_ID"), Secret::from_env("AMADEUS_CLIENT_SECRET")) {
        (Some(id), Some(secret)) => Some((id, secret)),
        (None, None) => None,
        (Some(_), None) => bail!("AMADEUS_CLIENT_ID is set, and AMADEUS_CLIENT_SECRET is not"),
        (None, Some(_)) => bail!("AMADEUS_CLIENT_SECRET is set, and AMADEUS_CLIENT_ID is not"),
    };
    if duffel.is_none() && amadeus.is_none() {
        return Ok(Vec::new());
    }
    let client = upstream::client()?;
    let url = |name: &str, default: &str| config::optional(name).unwrap_or_else(|| default.to_owned());
    let links = links_from_env()?;
    let duffel = duffel.map(|token| {
        let duffel = Duffel::new(client.clone(), &url("DUFFEL_BASE_URL", duffel::BASE_URL), token);
        Provider::Duffel(links.into_iter().fold(duffel, Duffel::with_links))
    });
    let amadeus = amadeus.map(|(id, secret)| {
        let url = url("AMADEUS_BASE_URL", amadeus::BASE_URL);
        Provider::Amadeus(Amadeus::new(client.clone(), &url, id, secret, currency))
    });
    Ok(duffel.into_iter().chain(amadeus).collect())
}

/// Where travellers come back to from Duffel's own pages, which are switched on by it.
fn links_from_env() -> anyhow::Result<Option<Url>> {
    let Some(address) = config::optional("DUFFEL_LINKS_RETURN_URL") else { return Ok(None) };
    let url = Url::parse(address.trim()).ok().filter(|url| url.scheme() == "https" && url.has_host());
    let wrong = || format!("the environment variable DUFFEL_LINKS_RETURN_URL: {address:?} is not an https address");
    url.with_context(wrong).map(Some)
}

/// The routes.
pub fn router(deps: Deps) -> Router {
    let deps = Arc::new(deps);
    let search = FLIGHTS.serve(deps.clone(), search).merge(FLIGHTS_PRICE.serve(deps.clone(), price::price));
    search.merge(FLIGHTS_WARM.serve(deps.clone(), warm)).merge(FLIGHTS_HEALTH.serve(deps, health))
}

/// Tries every provider, and the flags, which all steps read from one place. Offers come from the others while one is away, and words while all are.
async fn health(deps: Arc<Deps>, _: HealthRequest, deadline: Deadline) -> Result<HealthChecks, Problem> {
    let limit = deadline.less(RESERVE);
    let checks = join_all(deps.sources.iter().map(async |source| {
        let name = format!("provider:{}", source.name());
        let (name, tried) = check_dependency(&name, HealthStatus::Degraded, limit, source.probe()).await;
        (name, HealthCheck { circuit: source.circuit(), ..tried })
    }));
    let flags = check_dependency("flags", HealthStatus::Degraded, limit, deps.flags.check());
    let (checks, flags) = tokio::join!(checks, flags);
    Ok(checks.into_iter().chain([flags]).collect())
}

/// Has every provider's key read, and tokens fetched that hold for as long as asked.
async fn warm(deps: Arc<Deps>, request: WarmRequest, deadline: Deadline) -> Result<Warmed, Problem> {
    let (hold, limit) = (Duration::from_secs(request.hold_s), deadline.less(RESERVE).within(deps.timeout));
    let outcomes = join_all(deps.sources.iter().map(|source| source.warm(hold, limit))).await;
    let mut warmed = Warmed::default();
    for (source, outcome) in deps.sources.iter().zip(outcomes) {
        match outcome {
            Ok(()) => warmed.ready.push(source.name().to_owned()),
            Err(failure) => warmed.degraded.push(Degraded::new(source.name(), failure.reason.as_str())),
        }
    }
    Ok(warmed)
}

async fn search(deps: Arc<Deps>, query: FlightQuery, deadline: Deadline) -> Result<FlightResults, Problem> {
    check(&query)?;
    let limit = deadline.less(RESERVE).within(deps.timeout);
    let flags = deps.flags.of_turn().await;
    let sources: Vec<&Source> = deps.sources.iter().filter(|source| flags.has_provider(source.name())).collect();
    let is_on = !sources.is_empty();
    let sources: Vec<&Source> = sources.into_iter().filter(|source| deps.is_asked(source, &query)).collect();
    if query.compares_days {
        sources.iter().for_each(|source| meter::day_search(source.name()));
    }
    let searches = sources.iter().map(|source| source.search(&query, limit));
    let answers = match flags.steps {
        Order::Concurrent => join_all(searches).await,
        Order::Sequential => stream::iter(searches).then(|search| search).collect().await,
    };
    let mut degraded = Vec::new();
    if sources.is_empty() {
        degraded.push(Degraded::new("flights", if is_on { "not_compared" } else { "switched_off" }));
    }
    let mut offers = Vec::new();
    for (source, answer) in sources.iter().zip(answers) {
        match answer {
            Ok(found) => offers.extend(found.into_iter().filter(|offer| merge::fits(offer, &query))),
            Err(failure) => degraded.push(Degraded::new(source.name(), failure.reason.as_str())),
        }
    }
    let offers = merge::merge(offers);
    if merge::mixes_currencies(&offers, &query) {
        degraded.push(Degraded::new("flights", "mixed_currencies"));
    }
    let currency = merge::currency(&offers, &query, deps.currency);
    let offers = rank::rank(offers, &query, currency, &deps.weights, &deps.scales);
    Ok(FlightResults { offers, degraded })
}

fn today() -> Date {
    Offset::UTC.to_datetime(Timestamp::now()).date()
}

fn check(query: &FlightQuery) -> Result<(), Problem> {
    if !(1..=MOST_TRAVELLERS).contains(&query.passengers.total()) {
        return Err(Problem::field("passengers", format!("one search is for 1 to {MOST_TRAVELLERS} travellers")));
    }
    Ok(())
}
