//! Days, lengths of time, travellers and cabins as people say them.

use contracts::api::ReplyRequest;
use contracts::travel::{Cabin, Passengers};
use jiff::civil::Date;

pub(crate) fn travellers(passengers: &Passengers) -> String {
    let count = |number: u8, one: &str, many: &str| match number {
        0 => None,
        1 => Some(format!("1 {one}")),
        _ => Some(format!("{number} {many}")),
    };
    let groups = [
        count(passengers.adults, "adult", "adults"),
        count(passengers.children, "child", "children"),
        count(passengers.infants, "infant", "infants"),
    ];
    groups.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

pub(crate) fn cabin_name(cabin: Cabin) -> &'static str {
    match cabin {
        Cabin::Economy => "economy",
        Cabin::PremiumEconomy => "premium economy",
        Cabin::Business => "business",
        Cabin::First => "first class",
        Cabin::Other => "another cabin",
    }
}

/// A day as people say it, with the year where it is not this one.
pub(crate) fn day(date: Date, request: &ReplyRequest) -> String {
    let format = if date.year() == request.client_time.0.year() { "%A %-d %B" } else { "%A %-d %B %Y" };
    date.strftime(format).to_string()
}

pub(crate) fn duration(minutes: u32) -> String {
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}
