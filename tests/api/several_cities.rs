//! A journey over several cities is understood, asked for flight by flight, searched and shown.

use serde_json::{Value, json};
use tests::{App, session_of};

/// The flights of a journey as they are kept: where from, where to, when.
fn legs(reply: &Value) -> Vec<String> {
    let legs = reply["slots"]["legs"].as_array().cloned().unwrap_or_default();
    let end = |leg: &Value, end: &str| leg[end]["iata"].as_str().unwrap_or("?").to_owned();
    legs.iter()
        .map(|leg| {
            format!("{}-{} {}", end(leg, "origin"), end(leg, "destination"), leg["date"].as_str().unwrap_or("?"))
        })
        .collect()
}

#[tokio::test]
async fn several_cities_are_searched_together_and_shown_flight_by_flight() {
    let app = App::start().await;

    let first =
        app.say(None, "London to Rome on 3 March, then Rome to Athens, back to London from Athens on the 12th").await;
    assert_eq!(first["action"], "ask");
    assert_eq!(first["reply"], "When would you like to fly from Rome to Athens, the second leg?");
    let reply = app.say(Some(session_of(&first)), "on the 7th").await;

    assert_eq!(reply["action"], "search_flights");
    assert_eq!(legs(&reply), ["LON-ROM 2027-03-03", "ROM-ATH 2027-03-07", "ATH-LON 2027-03-12"]);
    assert_eq!(reply["slots"]["departure_date"], "2027-03-03");
    assert_eq!(reply["slots"].get("return_date"), None);
    let offers = reply["offers"].as_array().unwrap();
    assert!(!offers.is_empty());
    for offer in offers {
        let ways = offer["itineraries"].as_array().unwrap();
        let days: Vec<&str> =
            ways.iter().map(|way| &way["segments"][0]["departs_at"].as_str().unwrap()[..10]).collect();
        assert_eq!(days, ["2027-03-03", "2027-03-07", "2027-03-12"]);
    }
    let words = reply["reply"].as_str().unwrap();
    for said in
        ["Rome to Athens on Sunday 7 March 2027", "   Rome to Athens, Sun 7 Mar: ", "   Athens to London, Fri 12 Mar: "]
    {
        assert!(words.contains(said), "{said}: {words}");
    }
}

#[tokio::test]
async fn a_way_home_from_another_city_is_a_flight_of_its_own() {
    let app = App::start().await;
    let reply = app.say(None, "we live in Dublin: into Paris on 3 March, home from Nice on the 9th").await;
    assert_eq!((&reply["action"], legs(&reply).len()), (&json!("search_flights"), 2));
    assert_eq!(legs(&reply)[1], "NCE-DUB 2027-03-09");

    let reply = app.say(Some(session_of(&reply)), "just Paris, there and back").await;
    assert_eq!(legs(&reply), Vec::<String>::new());
    assert_eq!(
        (&reply["slots"]["origin"]["iata"], &reply["slots"]["return_date"]),
        (&json!("DUB"), &json!("2027-03-09"))
    );
}
