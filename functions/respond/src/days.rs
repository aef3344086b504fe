//! What days cost, in words: a line each, the cheapest by name, and which were looked at.

use contracts::api::ReplyRequest;
use contracts::dialogue::{Action, Slot};
use contracts::travel::{CalendarDay, Passengers, cheapest_day};
use jiff::ToSpan;
use jiff::civil::Date;

use crate::phrases::{day, travellers};

/// What days cost that were compared, or why that is not known; nothing where none were to be.
pub(crate) fn compared(request: &ReplyRequest) -> Vec<String> {
    let missing = missing(request);
    let Some(best) = cheapest_day(&request.calendar) else { return missing.into_iter().collect() };
    let mut bits = vec![heading(request)];
    bits.extend(request.calendar.iter().map(line));
    bits.push(cheapest(best, request));
    bits.extend(spread(request));
    if best.sample && request.offers.is_empty() {
        bits.push("These are sample prices, worked out from real airports and distances. ".to_owned());
    }
    bits.extend(missing);
    bits
}

/// The question which of the days it is to be, where none is known.
pub(crate) fn question(request: &ReplyRequest) -> Option<String> {
    let asks = matches!(request.action, Action::Ask { slot: Slot::DepartureDate, because: None });
    let best = cheapest_day(&request.calendar).filter(|_| asks)?;
    Some(format!("Shall I show the flights on {}, or which day?", day(best.date, request)))
}

/// "The cheapest price on each day for 2 adults, each time with 7 nights there:".
fn heading(request: &ReplyRequest) -> String {
    let party = travellers(&request.session.slots.passengers.unwrap_or(Passengers::ONE));
    let stay = |day: &CalendarDay| Some(day.return_date?.since(day.date).ok()?.get_days());
    let stays: Vec<Option<i32>> = request.calendar.iter().map(stay).collect();
    let way = match stays.first() {
        Some(Some(nights)) if stays.iter().all(|other| other == &Some(*nights)) => {
            let nights = if *nights == 1 { "1 night".to_owned() } else { format!("{nights} nights") };
            format!("there and back, each time with {nights} there")
        }
        Some(Some(_)) => "there and back".to_owned(),
        _ => "one way".to_owned(),
    };
    format!("The cheapest price by day for {party}, {way}:\n")
}

/// "– Thu 10 Dec, back Thu 17 Dec: USD 98.00".
fn line(day: &CalendarDay) -> String {
    let short = |date: Date| date.strftime("%a %-d %b").to_string();
    let back = day.return_date.map(|back| format!(", back {}", short(back))).unwrap_or_default();
    let price = day.price.map_or_else(|| "no flights found".to_owned(), |price| price.to_string());
    format!("– {}{back}: {price}\n", short(day.date))
}

/// Which is the cheapest, and how much less it costs than the day that was asked for.
fn cheapest(best: &CalendarDay, request: &ReplyRequest) -> String {
    let price = best.price.map(|price| price.to_string()).unwrap_or_default();
    let asked = request.session.slots.departure_date;
    let own = request.calendar.iter().find(|day| Some(day.date) == asked).and_then(|day| day.price);
    let saved = own.zip(best.price).filter(|(own, best)| own.currency == best.currency);
    let saved = saved.map(|(own, best)| contracts::travel::Money { minor: own.minor - best.minor, ..own });
    let name = day(best.date, request);
    match (asked, saved) {
        (Some(asked), _) if asked == best.date => {
            format!("{name}, the day you asked for, is the cheapest, at {price}. ")
        }
        (Some(asked), Some(saved)) if saved.minor > 0 => {
            format!("{name} is the cheapest, at {price}: {saved} less than {}. ", day(asked, request))
        }
        (Some(asked), Some(_)) => {
            format!("{name} is no dearer than {}, at {price}, and no other day is cheaper. ", day(asked, request))
        }
        _ => format!("{name} is the cheapest, at {price}. "),
    }
}

/// Which days were looked at, where that is not every day.
fn spread(request: &ReplyRequest) -> Option<String> {
    let (first, last) = request.session.comparing.first().zip(request.session.comparing.last())?;
    let every_day = request.session.comparing.windows(2).all(|pair| match pair {
        [one, next] => one.date.checked_add(1.day()).is_ok_and(|following| following == next.date),
        _ => true,
    });
    (!every_day).then(|| {
        let (count, from, to) = (request.calendar.len(), day(first.date, request), day(last.date, request));
        format!("I looked at {count} days from {from} to {to}; others may be cheaper. ")
    })
}

/// Why days are not told that were to be compared.
fn missing(request: &ReplyRequest) -> Option<String> {
    let missing = request.degraded.iter().find(|missing| missing.part == "days")?;
    Some(match missing.reason.as_str() {
        "not_compared" => "I can't compare the prices of several days here; name a day and I search it. ".to_owned(),
        _ if request.calendar.is_empty() => "I could not compare the prices of other days in time. ".to_owned(),
        _ => "Days that did not answer in time are left out. ".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn request(action: Value, slots: Value, calendar: Value) -> ReplyRequest {
        serde_json::from_value(json!({
            "assistant": "travel", "action": action, "client_time": "2026-11-20T09:00:00Z",
            "session": {"slots": slots, "comparing": calendar}, "calendar": calendar,
        }))
        .unwrap()
    }

    fn usd(date: &str, back: Option<&str>, amount: Option<&str>) -> Value {
        let price = amount.map(|amount| json!({"amount": amount, "currency": "USD"}));
        json!({"date": date, "return_date": back, "price": price, "sample": true})
    }

    #[test]
    fn days_are_told_line_by_line_and_the_cheapest_by_name() {
        let days = json!([
            usd("2026-12-09", Some("2026-12-16"), Some("120.00")),
            usd("2026-12-10", Some("2026-12-17"), Some("98.00")),
            usd("2026-12-11", Some("2026-12-18"), None),
        ]);
        let slots = json!({"departure_date": "2026-12-09", "passengers": {"adults": 2}});
        let mut asked = request(json!({"type": "search_flights", "query": query()}), slots, days);
        let words: String = compared(&asked).concat();
        assert_eq!(
            words,
            "The cheapest price by day for 2 adults, there and back, each time with 7 nights there:\n\
             – Wed 9 Dec, back Wed 16 Dec: USD 120.00\n– Thu 10 Dec, back Thu 17 Dec: USD 98.00\n\
             – Fri 11 Dec, back Fri 18 Dec: no flights found\n\
             Thursday 10 December is the cheapest, at USD 98.00: USD 22.00 less than Wednesday 9 December. \
             These are sample prices, worked out from real airports and distances. "
        );
        assert_eq!(question(&asked), None);
        asked.calendar.remove(0);
        asked.degraded.push(contracts::api::Degraded::new("days", "timeout"));
        assert!(compared(&asked).concat().ends_with("Days that did not answer in time are left out. "));
    }

    #[test]
    fn days_spread_over_a_month_are_told_as_such_and_one_is_asked_for() {
        let days = json!([usd("2027-01-01", None, Some("120.00")), usd("2027-01-16", None, Some("120.00"))]);
        let asked = request(json!({"type": "ask", "slot": "departure_date"}), json!({}), days);
        let words: String = compared(&asked).concat();
        assert!(
            words.contains(
                "Friday 1 January 2027 is the cheapest, at USD 120.00. I looked at 2 days from Friday 1 January 2027 to"
            ),
            "{words}"
        );
        assert_eq!(
            question(&asked).as_deref(),
            Some("Shall I show the flights on Friday 1 January 2027, or which day?")
        );
    }

    #[test]
    fn days_that_cannot_be_compared_are_told_so() {
        let mut asked = request(json!({"type": "ask", "slot": "departure_date"}), json!({}), json!([]));
        assert_eq!((compared(&asked), question(&asked)), (Vec::new(), None));
        for (reason, expected) in [("not_compared", "can't compare the prices of several days"), ("timeout", "in time")]
        {
            asked.degraded = vec![contracts::api::Degraded::new("days", reason)];
            assert!(compared(&asked).concat().contains(expected));
        }
    }

    fn query() -> Value {
        json!({
            "origin": {"name": "Lahore", "iata": "LHE"}, "destination": {"name": "Dubai", "iata": "DXB"},
            "departure_date": "2026-12-09", "passengers": {"adults": 2},
        })
    }
}
