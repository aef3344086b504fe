//! The price of one offer of Duffel's, asked once more, and the page on which Duffel sells to a traveller (Duffel Links).

use contracts::travel::{FlightQuery, Offer, Passengers};
use jiff::Timestamp;
use reqwest::header::ACCEPT;
use reqwest::{StatusCode, Url};
use runtime::deadline::Deadline;
use runtime::upstream::{Answer, Failure, Reason, exchange};
use serde::{Deserialize, Serialize};

use super::{Duffel, Envelope, WireOffer, told};
use crate::merge;
use crate::wire;

/// What metrics and `degraded` call the page.
const LINKS: &str = "duffel_links";
/// Error codes that say that an offer is not sold any more.
const GONE: [&str; 3] = ["offer_no_longer_available", "offer_expired", "not_found"];

/// What a page is made with. No traveller is named: who they are is asked there.
#[derive(Serialize)]
struct LinkRequest<'a> {
    reference: &'a str,
    success_url: String,
    failure_url: String,
    abandonment_url: String,
    flights: Switch,
    stays: Switch,
}

/// A switch, which is a text there.
#[derive(Serialize)]
struct Switch {
    enabled: &'static str,
}

#[derive(Deserialize)]
struct Link {
    url: String,
}

impl Duffel {
    /// The same, opening pages of Duffel's that lead back to `return_url`.
    pub fn with_links(self, return_url: Url) -> Self {
        Self { links: Some(return_url), ..self }
    }

    /// The offer as it is sold now; `None` where it is not. Offers hold for minutes: where it ended, the same flights are
    /// searched once more.
    ///
    /// # Errors
    /// Why that is not known.
    pub async fn price(&self, query: &FlightQuery, shown: &Offer, limit: Deadline) -> Result<Option<Offer>, Failure> {
        if let Some(now) = self.offer(&shown.id, query.passengers).await? {
            return Ok(Some(now));
        }
        Ok(merge::same_flights(self.search(query, limit).await?, shown))
    }

    async fn offer(&self, id: &str, passengers: Passengers) -> Result<Option<Offer>, Failure> {
        // It becomes a part of an address.
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Ok(None);
        }
        let token = self.token().await?;
        let request = self
            .client
            .get(format!("{}/{id}", self.url.replace("/air/offer_requests", "/air/offers")))
            .query(&[("return_available_services", "true")])
            .bearer_auth(&token.0)
            .header("Duffel-Version", "v2")
            .header(ACCEPT, "application/json");
        let answer = exchange("duffel_offer", request).await?;
        if answer.status == StatusCode::UNAUTHORIZED {
            self.token.renewed(&token.0).await;
        }
        answer.read(move |answer| read_offer(answer, passengers)).await
    }

    /// A page on which a traveller searches and books with Duffel, where such pages are switched on; its address. Whoever
    /// comes back from it brings `reference`.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn checkout(&self, reference: &str) -> Option<Result<String, Failure>> {
        let return_url = self.links.as_ref()?;
        Some(self.link(return_url, reference).await)
    }

    async fn link(&self, return_url: &Url, reference: &str) -> Result<String, Failure> {
        let back = |outcome: &str| {
            let mut url = return_url.clone();
            url.query_pairs_mut().append_pair("booking", outcome);
            String::from(url)
        };
        let data = LinkRequest {
            reference,
            success_url: back("made"),
            failure_url: back("failed"),
            abandonment_url: back("left"),
            flights: Switch { enabled: "true" },
            stays: Switch { enabled: "false" },
        };
        let request = self
            .client
            .post(self.url.replace("/air/offer_requests", "/links/sessions"))
            .bearer_auth(&self.token().await?.0)
            .header("Duffel-Version", "v2")
            .header(ACCEPT, "application/json")
            .json(&Envelope { data });
        let answer = exchange(LINKS, request).await?;
        if !answer.status.is_success() {
            return Err(Failure::answered(answer.status, &answer.headers, told(&answer.body)));
        }
        let Envelope { data: Link { url } } = wire::read(&answer.body)?;
        // It is pressed by a traveller who is about to pay.
        let url = Url::parse(&url).ok().filter(|url| url.scheme() == "https");
        url.map(String::from).ok_or(Failure { status: Some(answer.status), ..Failure::new(Reason::InvalidAnswer) })
    }
}

/// Reads an answer of whatever status; `None` where the offer is not sold any more.
pub(super) fn read_offer(answer: &Answer, passengers: Passengers) -> Result<Option<Offer>, Failure> {
    if is_gone(answer) {
        return Ok(None);
    }
    if !answer.status.is_success() {
        return Err(Failure::answered(answer.status, &answer.headers, told(&answer.body)));
    }
    let offer: Envelope<WireOffer> = wire::read(&answer.body)?;
    let invalid = || Failure { status: Some(answer.status), ..Failure::new(Reason::InvalidAnswer) };
    let offer = offer.data.read(passengers).ok_or_else(invalid)?;
    Ok(Some(offer).filter(|offer| offer.expires_at.is_none_or(|end| end > Timestamp::now())))
}

fn is_gone(answer: &Answer) -> bool {
    #[derive(Deserialize)]
    struct Errors {
        errors: Vec<CodedError>,
    }

    #[derive(Deserialize)]
    struct CodedError {
        code: Option<String>,
    }

    let codes = || {
        let errors: Option<Errors> = serde_json::from_slice(&answer.body).ok();
        errors.into_iter().flat_map(|told| told.errors).filter_map(|error| error.code)
    };
    match answer.status.as_u16() {
        404 | 410 => true,
        400..=499 => codes().any(|code| GONE.contains(&code.as_str())),
        _ => false,
    }
}
