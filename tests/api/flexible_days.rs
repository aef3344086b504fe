//! Which day is cheapest: at most seven searches at once, told day by day, and chosen from by the next message.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::routing::post;
use axum::{Json, Router};
use flights::Deps;
use serde_json::{Value, json};
use tests::{App, session_of};

/// The days of a reply's calendar, each as `out` or `out/back`.
fn days(reply: &Value) -> Vec<String> {
    let days = reply["calendar"].as_array().cloned().unwrap_or_default();
    let shown = days.iter().map(|day| match day["return_date"].as_str() {
        Some(back) => format!("{}/{back}", day["date"].as_str().unwrap()),
        None => day["date"].as_str().unwrap().to_owned(),
    });
    shown.collect()
}

/// The day that costs least.
fn cheapest(reply: &Value) -> String {
    let price = |day: &Value| day["price"]["amount"].as_str().map(|amount| amount.parse::<f64>().unwrap());
    let days = reply["calendar"].as_array().unwrap().iter();
    let priced = days.filter_map(|day| Some((price(day)?, day["date"].as_str()?.to_owned())));
    priced.min_by(|one, other| one.0.total_cmp(&other.0)).unwrap().1
}

#[tokio::test]
async fn the_days_around_are_compared_and_one_is_chosen_by_the_next_message() {
    let app = App::start().await;
    let reply = app.say(None, "Lahore to Dubai on 10 December, back on the 17th, give or take 3 days").await;

    assert_eq!(reply["action"], "search_flights");
    assert_eq!(
        days(&reply),
        ["07", "08", "09", "10", "11", "12", "13"].map(|day| {
            let back: u8 = day.parse::<u8>().unwrap() + 7;
            format!("2026-12-{day}/2026-12-{back}")
        })
    );
    assert!(reply["calendar"].as_array().unwrap().iter().all(|day| day["sample"] == true), "{}", reply["calendar"]);
    assert!(!reply["offers"].as_array().unwrap().is_empty(), "those of the day that was asked for");
    assert_eq!(reply["slots"]["departure_date"], "2026-12-10");
    let words = reply["reply"].as_str().unwrap();
    assert!(words.contains("each time with 7 nights there:\n– Mon 7 Dec, back Mon 14 Dec: USD "), "{words}");
    assert_eq!(words.matches("\n– ").count(), 7);
    assert!(words.contains("is the cheapest, at USD "), "{words}");

    let chosen = app.say(Some(session_of(&reply)), "ok the 12th").await;
    assert_eq!(chosen["action"], "search_flights");
    let slots = &chosen["slots"];
    assert_eq!((&slots["departure_date"], &slots["return_date"]), (&json!("2026-12-12"), &json!("2026-12-19")));
    assert_eq!(chosen.get("calendar"), None, "an ordinary search");
    assert!(chosen["offers"][0]["total_price"].is_object());

    // As the button of the page has it.
    let button = app.say(Some(session_of(&reply)), "leave on Tuesday 8 December 2026").await;
    assert_eq!(button["slots"]["departure_date"], "2026-12-08");
    assert_eq!(button["slots"]["return_date"], "2026-12-15");
}

#[tokio::test]
async fn the_price_of_a_chosen_day_is_the_one_that_was_told() {
    let app = App::start().await;
    let reply = app.say(None, "what's the cheapest day to fly from Lahore to Dubai in January?").await;
    assert_eq!((&reply["action"], &reply["offers"]), (&json!("ask"), &json!([])));
    let told = days(&reply);
    assert_eq!(told.len(), 7);
    assert_eq!((told[0].as_str(), told[6].as_str()), ("2027-01-01", "2027-01-31"));
    let words = reply["reply"].as_str().unwrap();
    assert!(words.contains("I looked at 7 days from Friday 1 January 2027 to Sunday 31 January 2027"), "{words}");
    assert!(words.ends_with(", or which day?"), "{words}");
    assert_eq!(reply["slots"].get("departure_date"), None);

    let session = session_of(&reply);
    let other = app.say(Some(session), "how many bags may I take?").await;
    assert_eq!(other.get("calendar"), None, "it is told once");
    let again = app.say(Some(session), "in business instead").await;
    assert_eq!(again["action"], "ask");
    let chosen = app.say(Some(session), "the cheapest day then").await;
    assert_eq!(chosen["slots"]["departure_date"], json!(cheapest(&reply)), "{}", chosen["reply"]);

    let fresh = app.say(None, "what's the cheapest day to fly from Lahore to Dubai in January?").await;
    let chosen = app.say(Some(session_of(&fresh)), "yes please").await;
    assert_eq!(
        (&chosen["action"], &chosen["slots"]["departure_date"]),
        (&json!("search_flights"), &json!(cheapest(&fresh)))
    );
    let told =
        fresh["calendar"].as_array().unwrap().iter().find(|day| day["date"] == chosen["slots"]["departure_date"]);
    let lowest =
        chosen["offers"].as_array().unwrap().iter().map(|offer| offer["total_price"]["amount"].as_str().unwrap());
    let lowest = lowest.min_by(|one, other| one.parse::<f64>().unwrap().total_cmp(&other.parse().unwrap()));
    let told = told.unwrap()["price"]["amount"].as_str().unwrap().parse::<f64>().unwrap();
    assert!(lowest.unwrap().parse::<f64>().unwrap() >= told, "what is shown first is not always what costs least");
}

#[tokio::test]
async fn a_wish_for_other_days_waits_until_the_journey_is_known() {
    let app = App::start().await;
    let first = app.say(None, "I want to fly to Dubai, my dates are flexible").await;
    assert_eq!((&first["action"], first.get("calendar")), (&json!("ask"), None));
    let second = app.say(Some(session_of(&first)), "from Lahore on 10 December").await;
    assert_eq!((&second["action"], days(&second).len()), (&json!("search_flights"), 7), "{}", second["reply"]);
    let third = app.say(Some(session_of(&first)), "in business please").await;
    assert_eq!(third.get("calendar"), None, "once, unless it is asked for again");
    let fourth = app.say(Some(session_of(&first)), "which day is cheapest that week?").await;
    assert_eq!(days(&fourth)[0], "2026-12-07", "{}", fourth["reply"]);
}

/// A stand-in for Duffel that hangs on some days, and the days that it was asked for.
async fn duffel(hangs: &'static [&'static str], allowed: u32) -> (App, Arc<Mutex<Vec<String>>>) {
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = asked.clone();
    let search = async move |Json(body): Json<Value>| {
        let day = body["data"]["slices"][0]["departure_date"].as_str().unwrap().to_owned();
        seen.lock().unwrap().push(day.clone());
        if hangs.contains(&day.as_str()) {
            std::future::pending::<()>().await;
        }
        ([("content-type", "application/json")], tests::DUFFEL_ANSWER)
    };
    let url = tests::serve(Router::new().route("/air/offer_requests", post(search))).await;
    let token = runtime::config::Secret::new("DUFFEL_API_TOKEN", "test".to_owned());
    let duffel = flights::duffel::Duffel::new(reqwest::Client::new(), &url, token);
    let flights = Deps::new([flights::provider::Provider::Duffel(duffel)], Duration::from_millis(600));
    (App::with_flights(flights.with_duffel_day_searches(allowed)).await, asked)
}

/// Why days are missing from a reply.
fn missing_days(reply: &Value) -> Vec<&str> {
    let missing = reply["degraded"].as_array().unwrap().iter().filter(|missing| missing["part"] == "days");
    missing.map(|missing| missing["reason"].as_str().unwrap()).collect()
}

const MESSAGE: &str = "Lahore to Dubai on 10 December 2026 ±2 days";

#[tokio::test]
async fn a_day_that_is_not_answered_in_time_is_left_out_and_said() {
    let (app, asked) = duffel(&["2026-12-09", "2026-12-12"], 100).await;
    let started = Instant::now();
    let reply = app.say(None, MESSAGE).await;
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    assert_eq!(asked.lock().unwrap().len(), 5);
    assert_eq!(days(&reply), ["2026-12-08", "2026-12-10", "2026-12-11"]);
    assert_eq!(missing_days(&reply), ["timeout"]);
    let words = reply["reply"].as_str().unwrap();
    assert!(words.contains("Days that did not answer in time are left out."), "{words}");
}

#[tokio::test]
async fn duffel_is_not_searched_for_other_days_unless_and_as_often_as_allowed() {
    let (app, asked) = duffel(&[], 0).await;
    let reply = app.say(None, MESSAGE).await;
    assert_eq!(asked.lock().unwrap().clone(), ["2026-12-10"]);
    assert_eq!((&reply["action"], reply.get("calendar")), (&json!("search_flights"), None));
    assert!(!reply["offers"].as_array().unwrap().is_empty(), "the day itself is searched as ever");
    assert_eq!(missing_days(&reply), ["not_compared"]);
    assert!(reply["reply"].as_str().unwrap().contains("I can't compare the prices of several days here"));

    let (app, asked) = duffel(&[], 3).await;
    let reply = app.say(None, MESSAGE).await;
    assert_eq!((asked.lock().unwrap().len(), days(&reply).len()), (4, 4), "{reply}");
    app.say(None, MESSAGE).await;
    assert_eq!(asked.lock().unwrap().len(), 5, "the day is used up");
}
