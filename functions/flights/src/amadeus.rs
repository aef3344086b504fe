//! Amadeus Flight Offers Search (Enterprise), version 2: an OAuth token, then one GET; for journeys over several cities one
//! POST, which is a search as well and changes nothing there.
//!
//! Local times come without an offset and without a zone, so that the zone is the airport's in our own table. The highest
//! price is taken per traveller and in whole units there, so that it only narrows; stops above none and the exact limit
//! are filtered by us.

mod fare;
mod price;

use std::collections::HashMap;
use std::time::Duration;

use contracts::private::Private;
use contracts::travel::{Airline, Cabin, FlightQuery, Iata, Money, Offer, Passengers};
use geo::airlines;
use iso_currency::Currency;
use jiff::civil::Date;
use reqwest::header::ACCEPT;
use reqwest::{Client, StatusCode};
use runtime::config::Secret;
use runtime::upstream::{Answer, Failure, Reason, exchange};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use self::fare::{WireBags, calm, fare};
use crate::draft::{Draft, Flight, clock, minutes, place, times};
use crate::token::{Token, Tokens};
use crate::wire::{self, Text};

/// Where Enterprise customers reach it, unless `AMADEUS_BASE_URL` says otherwise.
pub const BASE_URL: &str = "https://travel.api.amadeus.com";

const NAME: &str = "amadeus";
/// How many offers are asked for; more than are shown, since some fall away in filtering and merging.
const MOST_OFFERS: &str = "100";
/// The same for journeys over several cities.
const MOST_LEG_OFFERS: u32 = 100;
/// How long a token lives that does not say so, in seconds.
const TOKEN_LIFETIME: u64 = 600;
/// The error codes for too many requests at once, and for a used up quota.
const RATE_LIMITED: [&str; 2] = ["38194", "38195"];

/// An Amadeus account.
#[derive(Debug)]
pub struct Amadeus {
    client: Client,
    base_url: String,
    client_id: Secret,
    client_secret: Secret,
    currency: Option<Currency>,
    tokens: Tokens,
}

impl Amadeus {
    /// The account of a client id and secret, asked for prices in `currency` where a query names none.
    pub fn new(
        client: Client,
        base_url: &str,
        client_id: Secret,
        client_secret: Secret,
        currency: Option<Currency>,
    ) -> Self {
        let base_url = base_url.trim_end_matches('/').to_owned();
        Self { client, base_url, client_id, client_secret, currency, tokens: Tokens::default() }
    }

    /// Offers for the query. A token that is refused is replaced once.
    ///
    /// # Errors
    /// Why there are none; no offers for sale are not a failure.
    pub async fn search(&self, query: &FlightQuery) -> Result<Vec<Offer>, Failure> {
        let (passengers, sample) = (query.passengers, self.is_test());
        self.answered(query).await?.read(move |answer| offers(answer, passengers, sample)).await
    }

    async fn answered(&self, query: &FlightQuery) -> Result<Answer, Failure> {
        let token = self.tokens.get(self.token()).await?;
        let mut answer = self.ask(query, &token).await?;
        if answer.status == StatusCode::UNAUTHORIZED {
            self.tokens.refused(&token).await;
            let token = self.tokens.get(self.token()).await?;
            answer = self.ask(query, &token).await?;
        }
        Ok(answer)
    }

    /// Fetches a token, unless the one held lives for `hold` and longer.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn warm(&self, hold: Duration) -> Result<(), Failure> {
        self.tokens.hold(hold, self.token()).await.map(drop)
    }

    /// Tries the account by fetching a token of which nobody makes use, which costs nothing.
    ///
    /// # Errors
    /// There is none.
    pub async fn probe(&self) -> Result<(), Failure> {
        self.token().await.map(drop)
    }

    async fn ask(&self, query: &FlightQuery, token: &Private<String>) -> Result<Answer, Failure> {
        let url = format!("{}/v2/shopping/flight-offers", self.base_url);
        let request = match query.onward.as_slice() {
            [] => self.client.get(url).query(&self.parameters(query)),
            _ => self.client.post(url).json(&self.search_of_legs(query)),
        };
        let request = request.bearer_auth(&token.0);
        exchange(NAME, request.header(ACCEPT, "application/json")).await
    }

    fn parameters(&self, query: &FlightQuery) -> Vec<(&'static str, String)> {
        let some = |count: u8| (count > 0).then(|| count.to_string());
        let codes = |airlines: &[Airline]| {
            let codes: Vec<&str> = airlines.iter().map(|airline| airline.iata.as_str()).collect();
            (!codes.is_empty()).then(|| codes.join(","))
        };
        let currency = query.max_price.map(|limit| limit.currency).or(self.currency);
        let parameters = [
            ("originLocationCode", Some(query.origin.iata.to_string())),
            ("destinationLocationCode", Some(query.destination.iata.to_string())),
            ("departureDate", Some(query.departure_date.to_string())),
            ("returnDate", query.return_date.map(|date| date.to_string())),
            ("adults", Some(query.passengers.adults.to_string())),
            ("children", some(query.passengers.children)),
            ("infants", some(query.passengers.infants)),
            ("travelClass", query.cabin.and_then(wire::cabin_name).map(str::to_ascii_uppercase)),
            ("includedAirlineCodes", codes(&query.airlines)),
            // One of the two lists alone is allowed.
            ("excludedAirlineCodes", codes(&query.without_airlines).filter(|_| query.airlines.is_empty())),
            ("nonStop", (query.max_stops == Some(0)).then(|| "true".to_owned())),
            ("currencyCode", currency.map(|currency| currency.code().to_owned())),
            // No traveller pays more than all together may; it must be positive.
            ("maxPrice", query.max_price.map(|limit| format!("{:.0}", limit.approximate().ceil().max(1.0)))),
            ("max", Some(MOST_OFFERS.to_owned())),
        ];
        parameters.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }

    /// The body for a journey over several cities. An infant is named with the adult on whose lap it sits.
    fn search_of_legs(&self, query: &FlightQuery) -> serde_json::Value {
        let ways = query.ways();
        let ids: Vec<String> = (1..=ways.len()).map(|number| number.to_string()).collect();
        let legs: Vec<_> = ids
            .iter()
            .zip(&ways)
            .map(|(id, way)| {
                json!({
                    "id": id,
                    "originLocationCode": way.origin.iata,
                    "destinationLocationCode": way.destination.iata,
                    "departureDateTimeRange": {"date": way.date},
                })
            })
            .collect();
        let Passengers { adults, children, infants } = query.passengers;
        let kinds = [("ADULT", adults), ("CHILD", children), ("HELD_INFANT", infants)];
        let kinds = kinds.into_iter().flat_map(|(kind, count)| std::iter::repeat_n(kind, usize::from(count)));
        let mut laps = 0;
        let travelers: Vec<_> = (1..)
            .zip(kinds)
            .map(|(number, kind)| {
                let mut traveler = json!({"id": number.to_string(), "travelerType": kind});
                if kind == "HELD_INFANT" {
                    laps += 1;
                    traveler["associatedAdultId"] = json!(laps.to_string());
                }
                traveler
            })
            .collect();
        let codes = |airlines: &[Airline]| airlines.iter().map(|airline| airline.iata.clone()).collect::<Vec<_>>();
        let mut filters = json!({});
        if let Some(cabin) = query.cabin.and_then(wire::cabin_name) {
            let cabin = cabin.to_ascii_uppercase();
            filters["cabinRestrictions"] =
                json!([{"cabin": cabin, "coverage": "MOST_SEGMENTS", "originDestinationIds": ids}]);
        }
        // One of the two lists alone is allowed.
        if !query.airlines.is_empty() {
            filters["carrierRestrictions"] = json!({"includedCarrierCodes": codes(&query.airlines)});
        } else if !query.without_airlines.is_empty() {
            filters["carrierRestrictions"] = json!({"excludedCarrierCodes": codes(&query.without_airlines)});
        }
        if query.max_stops == Some(0) {
            filters["connectionRestriction"] = json!({"maxNumberOfConnections": 0});
        }
        let mut body = json!({
            "originDestinations": legs,
            "travelers": travelers,
            "sources": ["GDS"],
            "searchCriteria": {"maxFlightOffers": MOST_LEG_OFFERS, "flightFilters": filters},
        });
        if let Some(currency) = query.max_price.map(|limit| limit.currency).or(self.currency) {
            body["currencyCode"] = json!(currency.code());
        }
        body
    }

    async fn token(&self) -> Result<Token, Failure> {
        let (id, secret) = tokio::try_join!(self.client_id.reveal(), self.client_secret.reveal()).map_err(|cause| {
            tracing::error!(provider = NAME, cause = format!("{cause:#}"), "the credentials cannot be read");
            Failure::new(Reason::Unauthorized)
        })?;
        let form = [("grant_type", "client_credentials"), ("client_id", &*id.0), ("client_secret", &*secret.0)];
        let request = self.client.post(format!("{}/v1/security/oauth2/token", self.base_url)).form(&form);
        let answer = exchange("amadeus_token", request).await?;
        if !answer.status.is_success() {
            if answer.status == StatusCode::UNAUTHORIZED {
                // For the next search, in case they were replaced.
                tokio::join!(self.client_id.renewed(&id.0), self.client_secret.renewed(&secret.0));
            }
            return Err(refusal(&answer));
        }
        let token: WireToken = wire::read(&answer.body)?;
        let lifetime = token.expires_in.and_then(|seconds| seconds.0.parse().ok()).unwrap_or(TOKEN_LIFETIME);
        Ok(Token { value: token.access_token, lifetime: Duration::from_secs(lifetime) })
    }

    /// The test environments hold a part of yesterday's market.
    fn is_test(&self) -> bool {
        self.base_url.contains("://test.")
    }
}

/// Reads an answer of whatever status.
fn offers(answer: &Answer, passengers: Passengers, sample: bool) -> Result<Vec<Offer>, Failure> {
    if !answer.status.is_success() {
        return Err(refusal(answer));
    }
    let with_status = |failure| Failure { status: Some(answer.status), ..failure };
    let list: OfferList<'_> = wire::read(&answer.body).map_err(with_status)?;
    let names = list.dictionaries.unwrap_or_default();
    wire::each(NAME, &list.data, |offer: WireOffer| offer.read(passengers, &names, sample)).map_err(with_status)
}

/// The code of an error, in either form: a list with a code, or the flat one of the token endpoint.
fn coded(answer: &Answer) -> Option<String> {
    #[derive(Deserialize)]
    struct Errors {
        errors: Option<Vec<CodedError>>,
        code: Option<Text>,
    }

    #[derive(Deserialize)]
    struct CodedError {
        code: Option<Text>,
    }

    let errors: Option<Errors> = serde_json::from_slice(&answer.body).ok();
    errors
        .and_then(|told| told.errors.into_iter().flatten().find_map(|error| error.code).or(told.code))
        .map(|code| code.0)
}

/// Why there is no answer.
fn refusal(answer: &Answer) -> Failure {
    let limited = coded(answer).is_some_and(|code| RATE_LIMITED.contains(&code.as_str()));
    Failure::answered(answer.status, &answer.headers, limited.then_some(Reason::RateLimited))
}

#[derive(Deserialize)]
struct WireToken {
    access_token: Private<String>,
    expires_in: Option<Text>,
}

#[derive(Deserialize)]
struct OfferList<'a> {
    #[serde(borrow)]
    data: Vec<&'a RawValue>,
    dictionaries: Option<Dictionaries>,
}

/// What the codes of an answer stand for.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Dictionaries {
    #[serde(deserialize_with = "wire::if_readable")]
    carriers: Option<HashMap<String, String>>,
    #[serde(deserialize_with = "wire::if_readable")]
    aircraft: Option<HashMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireOffer {
    id: Text,
    itineraries: Vec<WireItinerary>,
    price: WirePrice,
    traveler_pricings: Option<Vec<WirePricing>>,
    #[serde(default, deserialize_with = "wire::if_readable")]
    validating_airline_codes: Option<Vec<String>>,
    #[serde(default, deserialize_with = "wire::if_readable")]
    instant_ticketing_required: Option<bool>,
    #[serde(default, deserialize_with = "wire::if_readable")]
    last_ticketing_date: Option<Date>,
}

#[derive(Deserialize)]
struct WireItinerary {
    segments: Vec<WireSegment>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireSegment {
    id: Option<Text>,
    departure: WireStop,
    arrival: WireStop,
    carrier_code: String,
    number: Text,
    operating: Option<WireOperating>,
    duration: Option<String>,
    number_of_stops: Option<u8>,
    #[serde(default, deserialize_with = "wire::if_readable")]
    aircraft: Option<WireAircraft>,
}

#[derive(Deserialize)]
struct WireAircraft {
    code: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireStop {
    iata_code: Iata,
    at: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireOperating {
    carrier_code: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePrice {
    currency: String,
    total: Text,
    grand_total: Option<Text>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePricing {
    traveler_type: Option<String>,
    fare_details_by_segment: Option<Vec<WireFare>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireFare {
    segment_id: Text,
    cabin: Option<String>,
    #[serde(default, deserialize_with = "wire::if_readable")]
    included_checked_bags: Option<WireBags>,
    #[serde(default, deserialize_with = "wire::if_readable")]
    included_cabin_bags: Option<WireBags>,
}

impl WireOffer {
    fn read(self, passengers: Passengers, names: &Dictionaries, sample: bool) -> Option<Offer> {
        let currency = Currency::from_code(&self.price.currency)?;
        let price = self.price.grand_total.unwrap_or(self.price.total);
        let pricings = self.traveler_pricings.unwrap_or_default();
        let fare = fare(&pricings, self.instant_ticketing_required, self.last_ticketing_date);
        let seller = self.validating_airline_codes.and_then(|codes| codes.into_iter().next());
        let cabins = cabins(pricings);
        let directions = self.itineraries.into_iter().map(|itinerary| {
            let flights = itinerary.segments.into_iter().map(|segment| segment.read(names, &cabins));
            flights.collect()
        });
        let draft = Draft {
            provider: NAME,
            id: self.id.0,
            sample,
            total_price: Money::parse(&price.0, currency).ok()?,
            travellers: passengers.seated(),
            directions: directions.collect::<Option<_>>()?,
            // The day until which a ticket can be bought is no promise of its price.
            expires_at: None,
            sold_by: seller.and_then(|code| airline(&code, names)),
            fare,
            // What its figures count, a seat or all of them, is not said.
            co2_kg: None,
        };
        draft.offer()
    }
}

/// The cabin of each segment by its id: where travellers sit apart, what all of them have at least.
fn cabins(pricings: Vec<WirePricing>) -> HashMap<String, Cabin> {
    let mut cabins = HashMap::new();
    for fare in pricings.into_iter().filter_map(|pricing| pricing.fare_details_by_segment).flatten() {
        let Some(cabin) = fare.cabin.as_deref().and_then(wire::cabin) else { continue };
        cabins.entry(fare.segment_id.0).and_modify(|least: &mut Cabin| *least = cabin.min(*least)).or_insert(cabin);
    }
    cabins
}

impl WireSegment {
    fn read(self, names: &Dictionaries, cabins: &HashMap<String, Cabin>) -> Option<Flight> {
        let (origin, destination) = (self.departure.iata_code, self.arrival.iata_code);
        let (departs, arrives) = times(
            (&self.departure.at, clock(origin, None)),
            (&self.arrival.at, clock(destination, None)),
            self.duration.as_deref().and_then(minutes),
        )?;
        let code = self.aircraft.map(|aircraft| aircraft.code);
        let aircraft = code.and_then(|code| names.aircraft.as_ref()?.get(&code)).map(|name| calm(name));
        let operator = self.operating.and_then(|operating| operating.carrier_code);
        Some(Flight {
            carrier: airline(&self.carrier_code, names)?,
            number: self.number.0,
            operated_by: operator.and_then(|code| airline(&code, names)),
            origin: place(origin, None),
            destination: place(destination, None),
            departs,
            arrives,
            technical_stops: self.number_of_stops.unwrap_or(0),
            cabin: self.id.and_then(|id| cabins.get(&id.0).copied()),
            aircraft,
        })
    }
}

/// The airline by the name people know, else by the one in the answer, which shouts.
fn airline(code: &str, names: &Dictionaries) -> Option<Airline> {
    let told = || names.carriers.as_ref()?.get(code).map(String::as_str);
    let known = airlines::name_of(code).or_else(told);
    (!code.is_empty()).then(|| Airline { name: known.unwrap_or(code).to_owned(), iata: code.to_owned() })
}

#[cfg(test)]
mod tests;
