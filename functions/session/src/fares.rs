//! Questions about what fares include and allow: which of them the offers that were shown answer themselves.

use contracts::dialogue::{Session, Topic, Understanding};
use contracts::travel::Offer;

/// It asks what an offer includes or allows.
fn is_of_fare(topic: Topic) -> bool {
    matches!(topic, Topic::Baggage | Topic::Refunds | Topic::Aircraft | Topic::Emissions | Topic::Hold)
}

/// The offers shown tell what is asked, of the one that is meant or of any: no text need be asked.
pub(crate) fn is_told(session: &Session, said: &Understanding, topic: Topic, rank: Option<u32>) -> bool {
    let meant = session.shown.iter().filter(|offer| rank.is_none_or(|rank| offer.rank == rank));
    is_of_fare(topic) && points_at_offers(said) && meant.into_iter().any(|offer| tells(offer, topic))
}

fn tells(offer: &Offer, topic: Topic) -> bool {
    let fare = &offer.fare;
    match topic {
        Topic::Baggage => fare.checked_bags.is_some() || fare.carry_on.is_some(),
        Topic::Refunds => fare.change.is_some() || fare.refund.is_some(),
        Topic::Aircraft => {
            let mut segments = offer.itineraries.iter().flat_map(|way| &way.segments);
            segments.any(|segment| segment.aircraft.is_some())
        }
        Topic::Emissions => offer.co2_kg.is_some(),
        Topic::Hold => fare.hold.is_some(),
        _ => false,
    }
}

/// "Does it include a bag?", "bags?"; not "can I take my guitar?", for which airlines have rules of their own.
fn points_at_offers(said: &Understanding) -> bool {
    /// A message of no more words asks of what is in front of it.
    const SHORT: usize = 4;
    const POINTING: [&str; 27] = [
        "it",
        "its",
        "this",
        "that",
        "these",
        "those",
        "they",
        "them",
        "one",
        "ones",
        "flight",
        "flights",
        "ticket",
        "tickets",
        "fare",
        "fares",
        "offer",
        "offers",
        "option",
        "options",
        "included",
        "include",
        "includes",
        "come",
        "comes",
        "many",
        "allowance",
    ];
    const OWN_RULES: [&str; 22] = [
        "guitar",
        "cello",
        "instrument",
        "bike",
        "bicycle",
        "surfboard",
        "ski",
        "skis",
        "golf",
        "stroller",
        "pram",
        "buggy",
        "pushchair",
        "seat",
        "zamzam",
        "size",
        "dimensions",
        "cm",
        "overweight",
        "excess",
        "weigh",
        "rules",
    ];
    let words = &said.words.0;
    let any = |of: &[&str]| words.iter().any(|word| of.contains(&word.as_str()));
    let points = said.pick.is_some() || words.len() <= SHORT || any(&POINTING);
    points && !any(&OWN_RULES)
}

#[cfg(test)]
mod tests {
    use contracts::private::Private;
    use serde_json::json;

    use super::*;

    fn said(words: &str) -> Understanding {
        Understanding { words: Private(words.split(' ').map(str::to_owned).collect()), ..Understanding::default() }
    }

    fn session() -> Session {
        let offer = |rank: u32, fare: serde_json::Value| {
            json!({
                "id": "1", "provider": "duffel", "sample": false, "rank": rank, "dominated": false, "stops": 0,
                "airline_changes": 0, "total_price": {"amount": "1.00", "currency": "GBP"},
                "price_per_traveller": {"amount": "1.00", "currency": "GBP"}, "cost": {"total": 0.0, "terms": []},
                "itineraries": [], "fare": fare,
            })
        };
        let bags = json!({"checked_bags": {"pieces": 1}});
        serde_json::from_value(json!({"shown": [offer(1, json!({})), offer(2, bags)]})).unwrap()
    }

    #[test]
    fn what_the_offers_tell_is_asked_of_them() {
        for (words, topic, rank, expected) in [
            ("does it include bags", Topic::Baggage, None, true),
            ("bags", Topic::Baggage, Some(2), true),
            ("how many bags can i take along then", Topic::Baggage, None, true),
            ("bags", Topic::Baggage, Some(1), false),
            ("can i take my guitar on it", Topic::Baggage, None, false),
            ("what do airlines in general say about heavy luggage", Topic::Baggage, None, false),
            ("is it refundable", Topic::Refunds, None, false),
            ("is it cheap", Topic::Price, None, false),
        ] {
            assert_eq!(is_told(&session(), &said(words), topic, rank), expected, "{words}");
        }
    }
}
