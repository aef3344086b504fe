//! Duffel, API v2: one POST that searches the airlines and waits for their offers.
//!
//! Its offers are in the currency of the account, whatever is asked; those of a test account (`live_mode` false) are not
//! for sale. Airlines and price are filtered by us.

mod fare;
mod price;

use std::sync::Arc;
use std::time::Duration;

use contracts::private::Private;
use contracts::travel::{Airline, FlightQuery, Iata, Money, Offer, Passengers};
use iso_currency::Currency;
use reqwest::header::ACCEPT;
use reqwest::{Client, StatusCode, Url};
use runtime::config::Secret;
use runtime::deadline::Deadline;
use runtime::upstream::{Answer, Failure, Reason, exchange, probe};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use self::fare::{WireBaggage, WireConditions, WirePayment, WireService, WireTraveller, fare, kilograms};
use crate::draft::{Draft, Flight, clock, minutes, place, times};
use crate::wire::{self, Text};

/// Where it is, unless `DUFFEL_BASE_URL` says otherwise.
pub const BASE_URL: &str = "https://api.duffel.com";

const NAME: &str = "duffel";
/// What Duffel needs after the last airline answered.
const SUPPLIER_MARGIN: Duration = Duration::from_secs(1);
/// The least and the most that Duffel takes as the airlines' time, in milliseconds.
const SUPPLIER_TIMEOUT: (u128, u128) = (2_000, 60_000);
/// Ages that stand for a child and an infant, since a traveller is not asked for them.
const CHILD_AGE: u8 = 8;
const INFANT_AGE: u8 = 1;

/// A Duffel account.
#[derive(Debug)]
pub struct Duffel {
    client: Client,
    url: String,
    token: Secret,
    /// Where travellers come back to from its pages for booking, where those are used.
    links: Option<Url>,
}

impl Duffel {
    /// The account of a token.
    pub fn new(client: Client, base_url: &str, token: Secret) -> Self {
        Self { client, url: format!("{}/air/offer_requests", base_url.trim_end_matches('/')), token, links: None }
    }

    /// Offers for the query.
    ///
    /// # Errors
    /// Why there are none; no offers for sale are not a failure.
    pub async fn search(&self, query: &FlightQuery, limit: Deadline) -> Result<Vec<Offer>, Failure> {
        let token = self.token().await?;
        let supplier_timeout = limit.remaining().saturating_sub(SUPPLIER_MARGIN).as_millis();
        let supplier_timeout = supplier_timeout.clamp(SUPPLIER_TIMEOUT.0, SUPPLIER_TIMEOUT.1);
        let request = self
            .client
            .post(&self.url)
            .query(&[("return_offers", "true"), ("supplier_timeout", &supplier_timeout.to_string())])
            .bearer_auth(&token.0)
            .header("Duffel-Version", "v2")
            .header(ACCEPT, "application/json")
            .json(&Envelope { data: OfferRequest::new(query) });
        let answer = exchange(NAME, request).await?;
        if answer.status == StatusCode::UNAUTHORIZED {
            // For the next search, in case it was replaced.
            self.token.renewed(&token.0).await;
        }
        let passengers = query.passengers;
        answer.read(move |answer| offers(answer, passengers)).await
    }

    /// Tries the account by asking for one airline's name, which costs nothing.
    ///
    /// # Errors
    /// See [`probe`].
    pub async fn probe(&self) -> Result<(), Failure> {
        let url = self.url.replace("/air/offer_requests", "/air/airlines");
        let request = self.client.get(url).query(&[("limit", "1")]).bearer_auth(&self.token().await?.0);
        probe(NAME, request.header("Duffel-Version", "v2").header(ACCEPT, "application/json")).await
    }

    /// The account's token, read at first use.
    ///
    /// # Errors
    /// It cannot be read.
    pub async fn token(&self) -> Result<Arc<Private<String>>, Failure> {
        self.token.reveal().await.map_err(|cause| {
            tracing::error!(provider = NAME, cause = format!("{cause:#}"), "the token cannot be read");
            Failure::new(Reason::Unauthorized)
        })
    }
}

#[derive(Serialize, Deserialize)]
struct Envelope<T> {
    data: T,
}

#[derive(Serialize)]
struct OfferRequest {
    slices: Vec<RequestSlice>,
    passengers: Vec<Passenger>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cabin_class: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_connections: Option<u8>,
}

#[derive(Serialize)]
struct RequestSlice {
    origin: Iata,
    destination: Iata,
    departure_date: jiff::civil::Date,
}

#[derive(Clone, Serialize)]
#[serde(untagged)]
enum Passenger {
    Type { r#type: &'static str },
    Age { age: u8 },
}

impl OfferRequest {
    fn new(query: &FlightQuery) -> Self {
        let slices = query.ways().into_iter().map(|way| RequestSlice {
            origin: way.origin.iata,
            destination: way.destination.iata,
            departure_date: way.date,
        });
        let people = |count: u8, passenger: Passenger| std::iter::repeat_n(passenger, usize::from(count));
        let passengers = people(query.passengers.adults, Passenger::Type { r#type: "adult" })
            .chain(people(query.passengers.children, Passenger::Age { age: CHILD_AGE }))
            .chain(people(query.passengers.infants, Passenger::Age { age: INFANT_AGE }));
        Self {
            slices: slices.collect(),
            passengers: passengers.collect(),
            cabin_class: query.cabin.and_then(wire::cabin_name),
            max_connections: query.max_stops.map(|most| most.min(2)),
        }
    }
}

/// Reads an answer of whatever status.
fn offers(answer: &Answer, passengers: Passengers) -> Result<Vec<Offer>, Failure> {
    if !answer.status.is_success() {
        return Err(Failure::answered(answer.status, &answer.headers, told(&answer.body)));
    }
    let with_status = |failure| Failure { status: Some(answer.status), ..failure };
    let list: Envelope<OfferList<'_>> = wire::read(&answer.body).map_err(with_status)?;
    wire::each(NAME, &list.data.offers, |offer: WireOffer| offer.read(passengers)).map_err(with_status)
}

/// What an error's type says, which is right more often than the status.
fn told(body: &[u8]) -> Option<Reason> {
    #[derive(Deserialize)]
    struct Errors {
        errors: Vec<TypedError>,
    }

    #[derive(Deserialize)]
    struct TypedError {
        r#type: String,
    }

    let errors: Errors = serde_json::from_slice(body).ok()?;
    match errors.errors.first()?.r#type.as_str() {
        "rate_limit_error" => Some(Reason::RateLimited),
        "authentication_error" => Some(Reason::Unauthorized),
        "airline_error" | "api_error" => Some(Reason::Unavailable),
        "invalid_request_error" | "validation_error" | "invalid_state_error" => Some(Reason::Rejected),
        _ => None,
    }
}

#[derive(Deserialize)]
struct OfferList<'a> {
    #[serde(borrow)]
    offers: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct WireOffer {
    id: String,
    total_amount: Text,
    total_currency: String,
    expires_at: Option<String>,
    live_mode: Option<bool>,
    slices: Vec<WireSlice>,
    #[serde(default, deserialize_with = "wire::if_readable")]
    owner: Option<WireAirline>,
    #[serde(default, deserialize_with = "wire::if_readable")]
    passengers: Option<Vec<WireTraveller>>,
    #[serde(default, deserialize_with = "wire::if_readable")]
    conditions: Option<WireConditions>,
    #[serde(default, deserialize_with = "wire::if_readable")]
    payment_requirements: Option<WirePayment>,
    #[serde(default, deserialize_with = "wire::if_readable")]
    available_services: Option<Vec<WireService>>,
    #[serde(default, deserialize_with = "wire::if_readable")]
    total_emissions_kg: Option<Text>,
}

#[derive(Deserialize)]
struct WireSlice {
    segments: Vec<WireSegment>,
}

#[derive(Deserialize)]
struct WireSegment {
    origin: WireAirport,
    destination: WireAirport,
    departing_at: String,
    arriving_at: String,
    duration: Option<String>,
    marketing_carrier: WireAirline,
    marketing_carrier_flight_number: Text,
    operating_carrier: Option<WireAirline>,
    stops: Option<Vec<serde::de::IgnoredAny>>,
    passengers: Option<Vec<WirePassenger>>,
    #[serde(default, deserialize_with = "wire::if_readable")]
    aircraft: Option<WireAircraft>,
}

#[derive(Deserialize)]
struct WireAirport {
    iata_code: Iata,
    city_name: Option<String>,
    name: Option<String>,
    time_zone: Option<String>,
}

#[derive(Deserialize)]
struct WireAirline {
    // Some that only operate have none.
    iata_code: Option<String>,
    name: Option<String>,
}

#[derive(Deserialize)]
struct WirePassenger {
    passenger_id: Option<String>,
    cabin_class: Option<String>,
    #[serde(default, deserialize_with = "wire::if_readable")]
    baggages: Option<Vec<WireBaggage>>,
}

#[derive(Deserialize)]
struct WireAircraft {
    name: Option<String>,
}

impl WireOffer {
    fn read(self, passengers: Passengers) -> Option<Offer> {
        let currency = Currency::from_code(&self.total_currency)?;
        let fare = fare(
            &self.slices,
            self.passengers.as_deref().unwrap_or_default(),
            self.conditions.as_ref(),
            self.payment_requirements.as_ref(),
            self.available_services.as_deref().unwrap_or_default(),
        );
        let directions =
            self.slices.into_iter().map(|slice| slice.segments.into_iter().map(WireSegment::read).collect());
        let draft = Draft {
            provider: NAME,
            id: self.id,
            sample: self.live_mode == Some(false),
            total_price: Money::parse(&self.total_amount.0, currency).ok()?,
            travellers: passengers.seated(),
            directions: directions.collect::<Option<_>>()?,
            expires_at: self.expires_at.and_then(|text| text.parse().ok()),
            sold_by: self.owner.and_then(WireAirline::read),
            fare,
            co2_kg: self.total_emissions_kg.as_ref().and_then(kilograms),
        };
        draft.offer()
    }
}

impl WireSegment {
    fn read(self) -> Option<Flight> {
        let (departs, arrives) = times(
            (&self.departing_at, clock(self.origin.iata_code, self.origin.time_zone.as_deref())),
            (&self.arriving_at, clock(self.destination.iata_code, self.destination.time_zone.as_deref())),
            self.duration.as_deref().and_then(minutes),
        )?;
        let cabins = self.passengers.iter().flatten();
        let cabins = cabins.filter_map(|passenger| wire::cabin(passenger.cabin_class.as_deref()?));
        Some(Flight {
            carrier: self.marketing_carrier.read()?,
            number: self.marketing_carrier_flight_number.0,
            operated_by: self.operating_carrier.and_then(WireAirline::read),
            origin: self.origin.read(),
            destination: self.destination.read(),
            departs,
            arrives,
            technical_stops: self.stops.map_or(0, |stops| stops.len().try_into().unwrap_or(u8::MAX)),
            // Where travellers sit apart, what all of them have at least.
            cabin: cabins.min(),
            aircraft: self.aircraft.and_then(|aircraft| aircraft.name).filter(|name| !name.is_empty()),
        })
    }
}

impl WireAirport {
    fn read(self) -> contracts::travel::Place {
        place(self.iata_code, self.city_name.or(self.name).as_deref())
    }
}

impl WireAirline {
    fn read(self) -> Option<Airline> {
        let iata = self.iata_code.filter(|code| !code.is_empty())?;
        Some(Airline { name: self.name.unwrap_or_else(|| iata.clone()), iata })
    }
}

#[cfg(test)]
mod tests;
