//! The price of one offer of Amadeus', asked once more. Its pricing wants the offer back as it was sent, some kilobytes of
//! JSON: instead of keeping that of every offer shown, the flights are searched again and the same ones are priced.

use contracts::travel::{FlightQuery, Offer, Passengers};
use reqwest::header::ACCEPT;
use runtime::upstream::{Answer, Failure, exchange};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Amadeus, Dictionaries, NAME, OfferList, WireOffer, coded, refusal};
use crate::merge;
use crate::wire;

/// Error codes that say that a fare, or a seat, is not sold any more.
const GONE: [&str; 2] = ["4926", "34651"];

#[derive(Serialize)]
struct PricingRequest {
    data: PricingData,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PricingData {
    r#type: &'static str,
    flight_offers: [Box<RawValue>; 1],
}

#[derive(Deserialize)]
struct Pricing<'a> {
    #[serde(borrow)]
    data: PricingList<'a>,
    dictionaries: Option<Dictionaries>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PricingList<'a> {
    #[serde(borrow)]
    flight_offers: Vec<&'a RawValue>,
}

impl Amadeus {
    /// The offer as it is sold now; `None` where it is not.
    ///
    /// # Errors
    /// Why that is not known.
    pub async fn price(&self, query: &FlightQuery, shown: &Offer) -> Result<Option<Offer>, Failure> {
        let (passengers, sample, shown) = (query.passengers, self.is_test(), shown.clone());
        let found = self.answered(query).await?;
        let Some(raw) = found.read(move |answer| same(answer, passengers, &shown)).await? else { return Ok(None) };
        let token = self.tokens.get(self.token()).await?;
        let body = PricingRequest { data: PricingData { r#type: "flight-offers-pricing", flight_offers: [raw] } };
        let request = self
            .client
            .post(format!("{}/v1/shopping/flight-offers/pricing", self.base_url))
            .bearer_auth(&token.0)
            .header(ACCEPT, "application/json")
            // It reads; its input is too large for an address.
            .header("X-HTTP-Method-Override", "GET")
            .json(&body);
        let answer = exchange("amadeus_pricing", request).await?;
        answer.read(move |answer| priced(answer, passengers, sample)).await
    }
}

/// The same flights as they were sent now, at the price nearest to the one shown.
fn same(answer: &Answer, passengers: Passengers, shown: &Offer) -> Result<Option<Box<RawValue>>, Failure> {
    if !answer.status.is_success() {
        return Err(refusal(answer));
    }
    let list: OfferList<'_> = wire::read(&answer.body)?;
    let names = list.dictionaries.unwrap_or_default();
    let read =
        |raw: &&RawValue| serde_json::from_str::<WireOffer>(raw.get()).ok()?.read(passengers, &names, shown.sample);
    let offers: Vec<(Offer, &RawValue)> = list.data.into_iter().filter_map(|raw| Some((read(&raw)?, raw))).collect();
    let (offers, raws): (Vec<_>, Vec<_>) = offers.into_iter().unzip();
    Ok(merge::place_of_same(&offers, shown).and_then(|at| raws.get(at).map(|raw| (*raw).to_owned())))
}

/// Reads an answer of whatever status; `None` where the offer is not sold any more.
pub(super) fn priced(answer: &Answer, passengers: Passengers, sample: bool) -> Result<Option<Offer>, Failure> {
    if !answer.status.is_success() {
        let is_gone = answer.status.as_u16() < 500 && coded(answer).is_some_and(|code| GONE.contains(&code.as_str()));
        return if is_gone { Ok(None) } else { Err(refusal(answer)) };
    }
    let with_status = |failure| Failure { status: Some(answer.status), ..failure };
    let pricing: Pricing<'_> = wire::read(&answer.body).map_err(with_status)?;
    let names = pricing.dictionaries.unwrap_or_default();
    let read = |offer: WireOffer| offer.read(passengers, &names, sample);
    Ok(wire::each(NAME, &pricing.data.flight_offers, read).map_err(with_status)?.into_iter().next())
}
