//! "Book it": the price is asked once more, a change is told, and there is a way to go on. Nothing is booked, and nobody is asked
//! who they are.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use flights::amadeus::Amadeus;
use flights::duffel::Duffel;
use flights::provider::Provider;
use http::StatusCode;
use runtime::config::Secret;
use serde_json::{Value, json};
use tests::{App, serve, session_of};

const MESSAGE: &str = "fly me from Lahore to Dubai on 27 November, two of us";

/// An offer of Duffel's for two from Lahore to Dubai, on sale until long after this test.
fn duffel_offer(id: &str, number: &str, amount: &str) -> Value {
    let place = |iata: &str, city: &str| json!({"iata_code": iata, "city_name": city});
    let bags = json!([{"type": "checked", "quantity": 1}]);
    let seat = |id: &str| json!({"passenger_id": id, "cabin_class": "economy", "baggages": bags});
    let airline = json!({"iata_code": "EK", "name": "Emirates"});
    json!({
        "id": id, "total_amount": amount, "total_currency": "GBP", "live_mode": true, "expires_at": "2099-01-01T00:00:00Z",
        "owner": airline, "passengers": [{"id": "pas_1", "type": "adult"}, {"id": "pas_2", "type": "adult"}],
        "conditions": {"refund_before_departure": {"allowed": true, "penalty_amount": "80.00", "penalty_currency": "GBP"},
            "change_before_departure": null},
        "payment_requirements": {"requires_instant_payment": true}, "total_emissions_kg": "460",
        "slices": [{"segments": [{
            "origin": place("LHE", "Lahore"), "destination": place("DXB", "Dubai"), "departing_at": "2026-11-27T09:15:00",
            "arriving_at": "2026-11-27T11:30:00", "marketing_carrier": airline, "marketing_carrier_flight_number": number,
            "aircraft": {"name": "Boeing 777-300"}, "passengers": [seat("pas_1"), seat("pas_2")],
        }]}],
    })
}

/// Duffel as it answers in a test: what a search finds, what an offer that is asked for again is, and the page it opens.
#[derive(Clone)]
struct Stand {
    searches: Arc<Mutex<Vec<Vec<Value>>>>,
    offer: (StatusCode, Value),
    page: (StatusCode, Value),
    /// The paths asked for and the bodies sent there.
    seen: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Stand {
    /// A search finds two offers; each later search finds what is in `later`.
    fn new(offer: (StatusCode, Value), later: Vec<Value>) -> Self {
        let first = vec![duffel_offer("off_1", "623", "612.40"), duffel_offer("off_2", "625", "700.00")];
        let page = (StatusCode::OK, json!({"data": {"url": "https://links.duffel.com/?token=abcdef"}}));
        Self { searches: Arc::new(Mutex::new(vec![later, first])), offer, page, seen: Arc::default() }
    }

    fn saw(&self, path: &str, body: Value) {
        self.seen.lock().unwrap().push((path.to_owned(), body));
    }

    fn seen(&self, path: &str) -> Vec<Value> {
        let seen = self.seen.lock().unwrap();
        seen.iter().filter(|(one, _)| one == path).map(|(_, body)| body.clone()).collect()
    }

    fn router(&self) -> Router {
        let answer = |(status, body): (StatusCode, Value)| -> Response { (status, Json(body)).into_response() };
        let (searching, asking, opening) = (self.clone(), self.clone(), self.clone());
        let search = async move |Json(body): Json<Value>| {
            searching.saw("search", body);
            let found = searching.searches.lock().unwrap().pop().unwrap_or_default();
            (StatusCode::CREATED, Json(json!({"data": {"offers": found}}))).into_response()
        };
        let ask = async move |Path(id): Path<String>| {
            asking.saw("offer", json!(id));
            answer(asking.offer.clone())
        };
        let open = async move |Json(body): Json<Value>| {
            opening.saw("links", body);
            answer(opening.page.clone())
        };
        Router::new()
            .route("/air/offer_requests", post(search))
            .route("/air/offers/{id}", get(ask))
            .route("/links/sessions", post(open))
    }

    async fn app(&self, links: bool) -> App {
        let token = Secret::new("DUFFEL_API_TOKEN", "test".to_owned());
        let duffel = Duffel::new(reqwest::Client::new(), &serve(self.router()).await, token);
        let return_url = "https://agency.example/chat".parse().unwrap();
        let duffel = if links { duffel.with_links(return_url) } else { duffel };
        App::with_flights(flights::Deps::new([Provider::Duffel(duffel)], Duration::from_secs(1))).await
    }
}

fn still(amount: &str) -> (StatusCode, Value) {
    (StatusCode::OK, json!({"data": duffel_offer("off_1", "623", amount)}))
}

fn gone() -> (StatusCode, Value) {
    (StatusCode::NOT_FOUND, json!({"errors": [{"type": "invalid_request_error", "code": "not_found"}]}))
}

/// The reply to a wish to book after a search.
async fn booked(app: &App, wish: &str) -> Value {
    let found = app.say(None, MESSAGE).await;
    assert_eq!(found["action"], "search_flights", "{found}");
    app.say(Some(session_of(&found)), wish).await
}

fn says(reply: &Value, parts: &[&str]) {
    let words = reply["reply"].as_str().unwrap();
    for part in parts {
        assert!(words.contains(part), "{part}: {words}");
    }
}

#[tokio::test]
async fn an_offer_still_sold_leads_to_a_page_of_the_provider() {
    let stand = Stand::new(still("612.40"), Vec::new());
    let app = stand.app(true).await;

    let reply = booked(&app, "book the first one").await;

    assert_eq!(reply["action"], "show_offer");
    let expected =
        json!({"rank": 1, "state": "for_sale", "is_checkout": true, "url": "https://links.duffel.com/?token=abcdef"});
    assert_eq!((&reply["booking"], &reply["degraded"]), (&expected, &json!([])));
    assert_eq!(reply["offers"].as_array().unwrap().len(), 1);
    says(&reply, &["is still sold, at GBP 612.40", "2 adults", "Emirates EK 623", "Friday 27 November 2026 at 09:15"]);
    says(&reply, &["1 checked bag", "https://links.duffel.com/?token=abcdef", "I book nothing myself"]);
    assert_eq!(stand.seen("offer"), [json!("off_1")]);
    let expected = json!({"data": {
        "reference": reply["turn_id"],
        "success_url": "https://agency.example/chat?booking=made",
        "failure_url": "https://agency.example/chat?booking=failed",
        "abandonment_url": "https://agency.example/chat?booking=left",
        "flights": {"enabled": "true"},
        "stays": {"enabled": "false"},
    }});
    assert_eq!(stand.seen("links"), [expected]);
}

#[tokio::test]
async fn a_price_that_changed_is_told_and_is_the_price_from_then_on() {
    let app = Stand::new(still("650.40"), Vec::new()).app(false).await;

    let reply = booked(&app, "book the first one please").await;

    assert_eq!(reply["booking"]["state"], "price_changed");
    assert_eq!(reply["booking"]["price_before"], json!({"amount": "612.40", "currency": "GBP"}));
    assert_eq!(reply["booking"]["url"], "https://www.emirates.com");
    says(&reply, &["now costs GBP 650.40", "GBP 38.00 more than when I showed it", "https://www.emirates.com"]);
    let next = app.say(Some(session_of(&reply)), "how much is it?").await;
    says(&next, &["GBP 650.40"]);
}

#[tokio::test]
async fn an_offer_that_ended_is_found_again_by_its_flights_or_said_to_be_gone() {
    let stand =
        Stand::new(gone(), vec![duffel_offer("off_8", "625", "612.40"), duffel_offer("off_9", "0623", "620.00")]);
    let reply = booked(&stand.app(false).await, "book the first one").await;
    assert_eq!((&reply["booking"]["state"], &reply["offers"][0]["id"]), (&json!("price_changed"), &json!("off_9")));
    assert_eq!(stand.seen("search").len(), 2);

    let reply = booked(&Stand::new(gone(), Vec::new()).app(true).await, "book the first one").await;
    assert_eq!(reply["booking"], json!({"rank": 1, "state": "gone"}));
    assert_eq!((&reply["offers"], &reply["degraded"]), (&json!([]), &json!([])));
    says(&reply, &["no longer sold", "search again"]);
}

#[tokio::test]
async fn a_provider_that_hangs_or_fails_is_named_and_the_airline_is_left() {
    let stand = Stand::new(still("612.40"), Vec::new());
    let hang = Router::new().route("/air/offers/{id}", get(async || std::future::pending::<String>().await)).route(
        "/air/offer_requests",
        post(async |Json(_): Json<Value>| {
            (StatusCode::CREATED, Json(json!({"data": {"offers": [duffel_offer("off_1", "623", "612.40")]}})))
        }),
    );
    let token = Secret::new("DUFFEL_API_TOKEN", "test".to_owned());
    let duffel = Duffel::new(reqwest::Client::new(), &serve(hang).await, token);
    let app = App::with_flights(flights::Deps::new([Provider::Duffel(duffel)], Duration::from_millis(400))).await;
    let started = Instant::now();
    let reply = booked(&app, "book it").await;
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    assert_eq!(reply["degraded"], json!([{"part": "duffel", "reason": "timeout"}]));
    assert_eq!(
        (&reply["booking"]["state"], &reply["booking"]["url"]),
        (&json!("unchecked"), &json!("https://www.emirates.com"))
    );
    says(&reply, &["could not ask for the price again", "GBP 612.40", "EK 623"]);

    // Without its page, the airline's own site is left.
    for page in [
        (StatusCode::FORBIDDEN, json!({"errors": [{"type": "authentication_error"}]})),
        (StatusCode::OK, json!({"data": {"url": "http://links.duffel.com/?token=abcdef"}})),
        (StatusCode::OK, json!({"data": {}})),
    ] {
        let stand = Stand { page, searches: Stand::new(still("1.00"), Vec::new()).searches, ..stand.clone() };
        let reply = booked(&stand.app(true).await, "book the first one").await;
        assert_eq!(reply["degraded"][0]["part"], "duffel_links");
        assert_eq!(reply["booking"], json!({"rank": 1, "state": "for_sale", "url": "https://www.emirates.com"}));
    }
}

#[tokio::test]
async fn of_several_offers_it_is_asked_which_and_a_question_books_nothing() {
    let stand = Stand::new(still("612.40"), Vec::new());
    let app = stand.app(false).await;
    let found = app.say(None, MESSAGE).await;
    let id = session_of(&found);

    for message in ["book it", "how do I book?", "can I pay with a card?"] {
        let reply = app.say(Some(id), message).await;
        assert_eq!((&reply["action"], reply.get("booking")), (&json!("answer"), None), "{message}");
        says(&reply, &["book the first"]);
    }
    assert!(stand.seen("offer").is_empty());
    app.say(Some(id), "the second one").await;
    let reply = app.say(Some(id), "book it").await;
    assert_eq!(stand.seen("offer"), [json!("off_2")]);
    assert_eq!(reply["booking"]["rank"], 2);
}

#[tokio::test]
async fn samples_cannot_be_booked() {
    let app = App::start().await;

    let reply = booked(&app, "book the cheapest").await;

    assert_eq!((&reply["action"], &reply["booking"]["state"]), (&json!("show_offer"), &json!("sample")));
    assert_eq!((&reply["booking"].get("url"), &reply["offers"]), (&None, &json!([])));
    says(&reply, &["is a sample", "can't be booked"]);
}

#[tokio::test]
async fn what_fares_include_is_answered_from_the_offers() {
    let app = Stand::new(still("612.40"), Vec::new()).app(false).await;
    let found = app.say(None, MESSAGE).await;
    let id = session_of(&found);

    for (message, expected) in [
        ("does it include bags?", "Offers 1 and 2: 1 checked bag for each traveller"),
        ("is the first one refundable?", "a refund before departure costs GBP 80.00"),
        ("how much CO2 is that?", "460 kg of CO2"),
        ("which plane is it?", "EK 623 is flown by a Boeing 777-300"),
        ("can I hold it?", "can't be held"),
    ] {
        let reply = app.say(Some(id), message).await;
        assert_eq!(reply["action"], "answer", "{message}");
        says(&reply, &[expected]);
    }

    let app = App::start().await;
    let found = app.say(None, MESSAGE).await;
    for (message, expected) in [("how much CO2 is that?", "don't tell"), ("can I hold it?", "don't tell")] {
        says(&app.say(Some(session_of(&found)), message).await, &[expected]);
    }
}

/// Amadeus with one offer, which is sent back to be priced; what was sent.
async fn amadeus(priced: (StatusCode, Value), sent: Arc<Mutex<Vec<Value>>>) -> App {
    let answer: Value =
        serde_json::from_str(include_str!("../../functions/flights/tests/samples/amadeus-offers.json")).unwrap();
    let search = async move || Json(answer.clone());
    let price = async move |Json(body): Json<Value>| {
        sent.lock().unwrap().push(body);
        (priced.0, Json(priced.1.clone()))
    };
    let token = async || Json(json!({"access_token": "t", "expires_in": 1799}));
    let router = Router::new()
        .route("/v1/security/oauth2/token", post(token))
        .route("/v2/shopping/flight-offers", get(search))
        .route("/v1/shopping/flight-offers/pricing", post(price));
    let secret = |name: &str| Secret::new(name, "secret".to_owned());
    let url = serve(router).await;
    let (id, key) = (secret("AMADEUS_CLIENT_ID"), secret("AMADEUS_CLIENT_SECRET"));
    let amadeus = Amadeus::new(reqwest::Client::new(), &url, id, key, None);
    App::with_flights(flights::Deps::new([Provider::Amadeus(amadeus)], Duration::from_secs(1))).await
}

#[tokio::test]
async fn amadeus_prices_the_offer_as_it_is_sent_now() {
    let samples: Value =
        serde_json::from_str(include_str!("../../functions/flights/tests/samples/amadeus-offers.json")).unwrap();
    let mut offer = samples["data"][0].clone();
    offer["price"]["grandTotal"] = json!("640.20");
    let sent = Arc::new(Mutex::new(Vec::new()));
    let priced = json!({"data": {"type": "flight-offers-pricing", "flightOffers": [offer]}});
    let app = amadeus((StatusCode::OK, priced), sent.clone()).await;
    let message = "fly me from Lahore to Dubai on 27 November, back on 4 December, two of us";
    let found = app.say(None, message).await;
    let rank = found["offers"]
        .as_array()
        .unwrap()
        .iter()
        .find(|offer| offer["total_price"]["currency"] == "GBP")
        .unwrap()["rank"]
        .clone();

    let reply = app.say(Some(session_of(&found)), &format!("book number {rank}")).await;

    assert_eq!((&reply["booking"]["rank"], &reply["booking"]["state"]), (&rank, &json!("price_changed")));
    says(&reply, &["GBP 640.20", "GBP 42.00 more"]);
    let expected = json!({"data": {"type": "flight-offers-pricing", "flightOffers": [samples["data"][0]]}});
    assert_eq!(*sent.lock().unwrap(), [expected]);

    let refused = json!({"errors": [{"status": 400, "code": 4926, "title": "INVALID DATA RECEIVED"}]});
    let app = amadeus((StatusCode::BAD_REQUEST, refused), sent).await;
    let found = app.say(None, message).await;
    let reply = app.say(Some(session_of(&found)), &format!("book number {rank}")).await;
    assert_eq!(reply["booking"]["state"], "gone", "{reply}");
}
