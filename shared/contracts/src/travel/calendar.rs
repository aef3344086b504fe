//! What the days around a journey cost.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Money;

/// One of several days that were compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CalendarDay {
    /// The day out.
    pub date: Date,
    /// The day back that goes with it; none for the way out alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_date: Option<Date>,
    /// What the cheapest flights of that day cost for all travellers; none where there are no flights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Money>,
    /// It was worked out for trying things out: nothing that can be bought.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sample: bool,
}

/// The cheapest of some days, the earliest of those that cost the same. Of several currencies, the one that most days are in
/// counts: amounts in different ones cannot be compared.
pub fn cheapest_day(days: &[CalendarDay]) -> Option<&CalendarDay> {
    let of = |day: &CalendarDay| day.price.map(|price| price.currency);
    let same = |day: &CalendarDay| days.iter().filter(|other| of(other) == of(day)).count();
    let priced = days.iter().filter_map(|day| Some((day, day.price?)));
    let most = priced.clone().map(|(day, _)| same(day)).max()?;
    let (_, first) = priced.clone().find(|(day, _)| same(day) == most)?;
    let comparable = priced.filter(|(_, price)| price.currency == first.currency);
    comparable.min_by_key(|(day, price)| (price.minor, day.date)).map(|(day, _)| day)
}

#[cfg(test)]
mod tests {
    use iso_currency::Currency;
    use jiff::civil::date;

    use super::*;

    fn on(day: i8, amount: &str, currency: Currency) -> CalendarDay {
        CalendarDay {
            date: date(2027, 1, day),
            return_date: None,
            sample: false,
            price: Money::parse(amount, currency).ok(),
        }
    }

    #[test]
    fn the_cheapest_day_is_the_earliest_of_those_in_the_currency_of_most() {
        let none = CalendarDay { price: None, ..on(1, "0", Currency::USD) };
        let days = [
            none,
            on(2, "120.00", Currency::USD),
            on(3, "80.00", Currency::EUR),
            on(4, "99.00", Currency::USD),
            on(5, "99.00", Currency::USD),
        ];
        assert_eq!(cheapest_day(&days).map(|day| day.date), Some(date(2027, 1, 4)));
        assert_eq!(cheapest_day(&[none]), None);
    }
}
