//! What offers include and allow, in words: bags, changes, refunds, aircraft, emissions, holding a price. Only what their
//! provider tells; an offer of which it tells nothing is named as such.

use contracts::dialogue::Topic;
use contracts::travel::{Bags, Condition, Hold, Money, Offer};
use jiff::Timestamp;
use jiff::tz::Offset;

use crate::phrases::cabin_name;

/// What the offers tell of a topic, in one sentence for those that tell the same; `None` where none of them tells anything.
pub(crate) fn answer(topic: Topic, offers: &[&Offer]) -> Option<String> {
    let mut told: Vec<(Option<String>, Vec<u32>)> = Vec::new();
    for offer in offers {
        let said = of(topic, offer);
        match told.iter_mut().find(|(same, _)| *same == said) {
            Some((_, ranks)) => ranks.push(offer.rank),
            None => told.push((said, vec![offer.rank])),
        }
    }
    if told.iter().all(|(said, _)| said.is_none()) {
        return None;
    }
    let sentence = |(said, ranks): &(Option<String>, Vec<u32>)| match said {
        Some(said) => format!("{}: {said}.", named(ranks)),
        None => format!("{}: the provider doesn't tell; the airline does.", named(ranks)),
    };
    Some(told.iter().map(sentence).collect::<Vec<_>>().join(" "))
}

/// All that is known of one offer, a sentence each; nothing where nothing is.
pub(crate) fn all(offer: &Offer) -> Vec<String> {
    const TOPICS: [Topic; 4] = [Topic::Baggage, Topic::Refunds, Topic::Hold, Topic::Emissions];
    TOPICS.iter().filter_map(|topic| of(*topic, offer)).map(|said| format!("{}.", capital(&said))).collect()
}

/// What an offer tells of a topic.
fn of(topic: Topic, offer: &Offer) -> Option<String> {
    let fare = &offer.fare;
    let parts: Vec<String> = match topic {
        Topic::Baggage => [
            fare.checked_bags.map(|of| format!("{} for each traveller", bags(&of, "checked bag"))),
            fare.carry_on.map(|of| format!("{} for each traveller", bags(&of, "carry-on bag"))),
            fare.extra_bag.map(|price| format!("one more checked bag costs {price}")),
        ]
        .into_iter()
        .flatten()
        .collect(),
        Topic::Refunds => [
            fare.refund.map(|of| condition(&of, "a refund before departure", "refundable")),
            fare.change.map(|of| condition(&of, "a change before departure", "changeable")),
        ]
        .into_iter()
        .flatten()
        .collect(),
        Topic::Aircraft => aircraft(offer),
        Topic::Emissions => offer
            .co2_kg
            .map(|kilograms| format!("about {kilograms} kg of CO2 for all of you, as the provider estimates"))
            .into_iter()
            .collect(),
        Topic::Hold => fare.hold.map(|of| hold(&of)).into_iter().collect(),
        _ => Vec::new(),
    };
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// "Offer 2", "Offers 1, 2 and 4".
fn named(ranks: &[u32]) -> String {
    let words: Vec<String> = ranks.iter().map(u32::to_string).collect();
    match words.split_last() {
        Some((last, [])) => format!("Offer {last}"),
        Some((last, rest)) => format!("Offers {} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// "1 checked bag of up to 23 kg", "no checked bag", "30 kg of checked bags".
fn bags(of: &Bags, name: &str) -> String {
    match (of.pieces, of.kilograms) {
        (Some(0), _) => format!("no {name}"),
        (Some(pieces), kilograms) => {
            let plural = if pieces == 1 { "" } else { "s" };
            let weight = kilograms.map(|kilograms| format!(" of up to {kilograms} kg"));
            format!("{pieces} {name}{plural}{}", weight.unwrap_or_default())
        }
        (None, Some(kilograms)) => format!("{kilograms} kg of {name}s"),
        (None, None) => format!("{name}s unknown"),
    }
}

/// "refundable: no", "a refund before departure costs GBP 130.00".
fn condition(of: &Condition, what: &str, quality: &str) -> String {
    match of.penalty {
        _ if !of.allowed => format!("not {quality} before departure"),
        Some(Money { minor: 0, .. }) => format!("{what} costs nothing"),
        Some(penalty) => format!("{what} costs {penalty}"),
        None => format!("{what} is allowed; what it costs is not told"),
    }
}

fn hold(of: &Hold) -> String {
    if !of.possible {
        return "it can't be held: it is paid when it is booked".to_owned();
    }
    let moment = |moment: Timestamp| Offset::UTC.to_datetime(moment).strftime("%H:%M UTC on %-d %B").to_string();
    let price = of.price_until.map(|until| format!("the price is then guaranteed until {}", moment(until)));
    let pay = of.pay_by.map(|by| format!("it must be paid by {}", moment(by)));
    let ticket = of.ticket_by.map(|day| format!("the ticket can be issued until {}", day.strftime("%-d %B")));
    let parts = [Some("it can be held and paid later".to_owned()), price, pay, ticket];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// "EK 623 is a Boeing 777-300", each flight that tells it; what sets its cabin apart with it.
fn aircraft(offer: &Offer) -> Vec<String> {
    let segments = offer.itineraries.iter().flat_map(|way| &way.segments);
    let told = segments.filter_map(|segment| {
        let aircraft = segment.aircraft.as_ref()?;
        let cabin = segment.cabin.map(|cabin| format!(" (in {})", cabin_name(cabin)));
        let number = format!("{} {}", segment.carrier.iata, segment.flight_number);
        Some(format!("{number} is flown by a {aircraft}{}", cabin.unwrap_or_default()))
    });
    told.collect()
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn offer(rank: u32, fare: serde_json::Value) -> Offer {
        serde_json::from_value(json!({
            "id": "1", "provider": "duffel", "sample": false, "rank": rank, "dominated": false, "stops": 0, "airline_changes": 0,
            "total_price": {"amount": "300.00", "currency": "GBP"}, "price_per_traveller": {"amount": "300.00", "currency": "GBP"},
            "cost": {"total": 0.0, "terms": []}, "fare": fare,
            "itineraries": [{"duration_minutes": 195, "segments": [{
                "carrier": {"name": "Emirates", "iata": "EK"}, "flight_number": "623", "duration_minutes": 195,
                "origin": {"name": "Lahore", "iata": "LHE"}, "destination": {"name": "Dubai", "iata": "DXB"},
                "departs_at": "2026-11-27T09:15:00+05:00", "arrives_at": "2026-11-27T11:30:00+04:00",
            }]}],
        }))
        .unwrap()
    }

    #[test]
    fn what_is_told_is_said_and_what_is_not_told_is_not_none() {
        let gbp = |amount: &str| json!({"amount": amount, "currency": "GBP"});
        let cases = [
            (
                Topic::Baggage,
                json!({"checked_bags": {"pieces": 1, "kilograms": 23}}),
                "1 checked bag of up to 23 kg for each traveller",
            ),
            (
                Topic::Baggage,
                json!({"checked_bags": {"pieces": 0}, "carry_on": {"pieces": 2}}),
                "no checked bag for each traveller; 2 carry-on bags for each traveller",
            ),
            (
                Topic::Baggage,
                json!({"checked_bags": {"kilograms": 30}, "extra_bag": gbp("45.00")}),
                "30 kg of checked bags for each traveller; one more checked bag costs GBP 45.00",
            ),
            (
                Topic::Refunds,
                json!({"refund": {"allowed": true, "penalty": gbp("130.00")}, "change": {"allowed": false}}),
                "a refund before departure costs GBP 130.00; not changeable before departure",
            ),
            (
                Topic::Refunds,
                json!({"refund": {"allowed": true}}),
                "a refund before departure is allowed; what it costs is not told",
            ),
            (
                Topic::Refunds,
                json!({"change": {"allowed": true, "penalty": gbp("0.00")}}),
                "a change before departure costs nothing",
            ),
            (Topic::Hold, json!({"hold": {"possible": false}}), "it can't be held: it is paid when it is booked"),
            (
                Topic::Hold,
                json!({"hold": {"possible": true, "price_until": "2026-11-22T10:00:00Z"}}),
                "it can be held and paid later, the price is then guaranteed until 10:00 UTC on 22 November",
            ),
        ];
        for (topic, fare, expected) in cases {
            let offer = offer(1, fare);
            assert_eq!(answer(topic, &[&offer]), Some(format!("Offer 1: {expected}.")));
        }
        let unknown = offer(1, json!({}));
        for topic in [Topic::Baggage, Topic::Refunds, Topic::Hold, Topic::Emissions, Topic::Aircraft] {
            assert_eq!(answer(topic, &[&unknown]), None);
        }
        assert!(all(&unknown).is_empty());
    }

    #[test]
    fn offers_that_tell_the_same_share_a_sentence() {
        let one = json!({"checked_bags": {"pieces": 1}});
        let offers = [offer(1, one.clone()), offer(2, json!({})), offer(3, one)];
        let said = answer(Topic::Baggage, &offers.iter().collect::<Vec<_>>());
        let expected =
            "Offers 1 and 3: 1 checked bag for each traveller. Offer 2: the provider doesn't tell; the airline does.";
        assert_eq!(said.as_deref(), Some(expected));
    }
}
