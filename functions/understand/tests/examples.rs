//! Reads the tables of examples whose classes more than one reader takes part in, each as a whole message.

#![allow(clippy::expect_used, reason = "a test fails by it")]

use contracts::dialogue::{Pick, PlaceMention, PlaceRole, Wish};
use contracts::travel::Airline;
use understand::understand;

/// Each line of a table is read as it says.
fn holds(table: &str, read: impl Fn(&str) -> String) {
    let lines = table.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let wrong: Vec<String> = lines
        .filter_map(|line| {
            let (words, expected) = line.split_once(" => ").expect("words => what they are read as");
            let found = read(words);
            (found != expected.trim()).then(|| format!("{words} => {found}"))
        })
        .collect();
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn places_are_read_as_the_table_says() {
    holds(include_str!("../examples/places.txt"), |words| {
        let said = understand(words);
        let ends = said.places.iter().map(place);
        let via = said.through.iter().map(|place| format!("via {}", place.iata));
        let avoided = said.without_places.iter().map(|place| format!("avoid {}", place.iata));
        ends.chain(via).chain(avoided).collect::<Vec<_>>().join(" ")
    });
}

fn place(mention: &PlaceMention) -> String {
    let role = match mention.role {
        PlaceRole::Origin => "from",
        PlaceRole::Destination => "to",
        PlaceRole::ReturnOrigin => "back from",
        PlaceRole::ReturnDestination => "back to",
        PlaceRole::Unknown => "at",
    };
    let flags =
        [(mention.negated, "not "), (mention.either, "or "), (mention.near, "near "), (mention.region, "one of ")];
    let flags: String = flags.into_iter().filter(|(set, _)| *set).map(|(_, name)| name).collect();
    let code = mention.candidates.first().map_or_else(|| "?".to_owned(), |place| place.iata.to_string());
    format!("{flags}{role} {code}")
}

#[test]
fn money_is_read_as_the_table_says() {
    holds(include_str!("../examples/money.txt"), |words| match understand(words).max_price {
        None => String::new(),
        Some(Wish::Any) => "any".to_owned(),
        Some(Wish::Only(budget)) => {
            let named = budget.currency.or(budget.unit);
            let each = budget.each.then(|| "each".to_owned());
            [Some(budget.amount), named, each].into_iter().flatten().collect::<Vec<_>>().join(" ")
        }
    });
}

#[test]
fn airlines_are_read_as_the_table_says() {
    let codes =
        |airlines: &[Airline]| airlines.iter().map(|airline| airline.iata.clone()).collect::<Vec<_>>().join(" ");
    holds(include_str!("../examples/airlines.txt"), |words| {
        let said = understand(words);
        let wanted = match &said.airlines {
            None => String::new(),
            Some(Wish::Any) => "any".to_owned(),
            Some(Wish::Only(wanted)) => codes(wanted),
        };
        let without = codes(&said.without_airlines);
        let without = if without.is_empty() { without } else { format!("not {without}") };
        let picked = match &said.pick {
            Some(Pick::By(airline)) => format!("offer of {}", airline.iata),
            _ => String::new(),
        };
        [wanted, without, picked].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    });
}
