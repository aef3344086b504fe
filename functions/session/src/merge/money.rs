//! Amounts of money as they were said, in the currency that is meant.

use contracts::dialogue::{Budget, Session, Understanding};
use contracts::travel::Money;
use iso_currency::Currency;

use super::travellers;
use crate::nearness::country;

/// The amount of a limit. A name that several currencies go by is that of the country where the journey starts, else of
/// where it ends; an amount without one is in that of the limit before, of the offers shown, or in US dollars.
pub(super) fn money(budget: &Budget, session: &Session) -> Option<Money> {
    let slots = &session.slots;
    let shown = session.shown.first().map(|offer| offer.total_price.currency);
    let currency = match (&budget.currency, &budget.unit) {
        (Some(code), _) => Currency::from_code(code)?,
        (None, Some(unit)) => {
            let ends = [&slots.origin, &slots.destination];
            let local = ends.into_iter().flatten().find_map(|place| local(unit, country(place.iata)?));
            Currency::from_code(local.unwrap_or_else(|| usual(unit)))?
        }
        (None, None) => {
            let before = slots.max_price.or(session.budget_each).map(|limit| limit.currency);
            let ends = [&slots.origin, &slots.destination];
            // "Up to 15k" from Hyderabad is no sum of dollars.
            let thousands = budget.amount.parse::<f64>().is_ok_and(|amount| amount >= LOCAL_FROM);
            let local = || {
                let place = ends.into_iter().flatten().next().filter(|_| thousands)?;
                Currency::from_code(small_money(country(place.iata)?)?)
            };
            before.or_else(local).or(shown).unwrap_or(Currency::USD)
        }
    };
    if budget.amount.is_empty() {
        // "Rupees, of course": the amount that is known.
        let known = session.budget_each.or(slots.max_price)?;
        let digits = u32::from(known.currency.exponent().unwrap_or(2));
        let whole = known.minor / 10_i64.pow(digits);
        return Money::parse(&whole.to_string(), currency).ok();
    }
    Money::parse(&budget.amount, currency).ok()
}

/// From this amount on a sum without a currency is in that of the origin, where flights cost thousands of it.
const LOCAL_FROM: f64 = 2_000.0;

/// The currency of a country in which a flight costs thousands.
fn small_money(country: &str) -> Option<&'static str> {
    const OTHERS: [(&str, &str); 8] = [
        ("JP", "JPY"),
        ("HU", "HUF"),
        ("VN", "VND"),
        ("NG", "NGN"),
        ("TW", "TWD"),
        ("KZ", "KZT"),
        ("EG", "EGP"),
        ("GH", "GHS"),
    ];
    const LARGE: [&str; 9] = ["KWD", "BHD", "JOD", "OMR", "TND", "LYD", "IQD", "CUP", "SCR"];
    let named = CURRENCIES.iter().find(|(_, where_, _)| *where_ == country).map(|(_, _, code)| *code);
    let other = || OTHERS.iter().find(|(where_, _)| *where_ == country).map(|(_, code)| *code);
    named.or_else(other).filter(|code| !LARGE.contains(code))
}

/// What money is called, where, and its code.
const CURRENCIES: [(&str, &str, &str); 53] = [
    ("rupee", "PK", "PKR"),
    ("rupee", "IN", "INR"),
    ("rupee", "LK", "LKR"),
    ("rupee", "NP", "NPR"),
    ("rupee", "MU", "MUR"),
    ("rupee", "SC", "SCR"),
    ("krone", "SE", "SEK"),
    ("krone", "NO", "NOK"),
    ("krone", "DK", "DKK"),
    ("krone", "IS", "ISK"),
    ("krone", "CZ", "CZK"),
    ("dinar", "KW", "KWD"),
    ("dinar", "BH", "BHD"),
    ("dinar", "JO", "JOD"),
    ("dinar", "IQ", "IQD"),
    ("dinar", "RS", "RSD"),
    ("dinar", "TN", "TND"),
    ("dinar", "DZ", "DZD"),
    ("dinar", "LY", "LYD"),
    ("riyal", "SA", "SAR"),
    ("riyal", "QA", "QAR"),
    ("riyal", "OM", "OMR"),
    ("riyal", "YE", "YER"),
    ("riyal", "IR", "IRR"),
    ("peso", "MX", "MXN"),
    ("peso", "PH", "PHP"),
    ("peso", "AR", "ARS"),
    ("peso", "CL", "CLP"),
    ("peso", "CO", "COP"),
    ("peso", "UY", "UYU"),
    ("peso", "CU", "CUP"),
    ("peso", "DO", "DOP"),
    ("dirham", "AE", "AED"),
    ("dirham", "MA", "MAD"),
    ("won", "KR", "KRW"),
    ("lira", "TR", "TRY"),
    ("taka", "BD", "BDT"),
    ("baht", "TH", "THB"),
    ("ringgit", "MY", "MYR"),
    ("rand", "ZA", "ZAR"),
    ("naira", "NG", "NGN"),
    ("shilling", "KE", "KES"),
    ("shilling", "UG", "UGX"),
    ("shilling", "TZ", "TZS"),
    ("shilling", "SO", "SOS"),
    ("real", "BR", "BRL"),
    ("ruble", "RU", "RUB"),
    ("ruble", "BY", "BYN"),
    ("rupiah", "ID", "IDR"),
    ("zloty", "PL", "PLN"),
    ("krone", "FO", "DKK"),
    ("krone", "GL", "DKK"),
    ("rupee", "MV", "MVR"),
];

/// The currency of a country, where it goes by that name.
fn local(unit: &str, country: &str) -> Option<&'static str> {
    CURRENCIES.iter().find(|(name, where_, _)| *name == unit && *where_ == country).map(|(_, _, code)| *code)
}

/// Whose money a name is most often.
fn usual(unit: &str) -> &'static str {
    match unit {
        "rupee" => "INR",
        "krone" => "SEK",
        "dinar" => "KWD",
        "riyal" => "SAR",
        "peso" => "MXN",
        "dirham" => "AED",
        "won" => "KRW",
        "lira" => "TRY",
        "taka" => "BDT",
        "baht" => "THB",
        "ringgit" => "MYR",
        "rand" => "ZAR",
        "naira" => "NGN",
        "shilling" => "KES",
        "real" => "BRL",
        "ruble" => "RUB",
        "rupiah" => "IDR",
        "zloty" => "PLN",
        _ => "USD",
    }
}

/// "500, then": where there is a limit, a number that can count no travellers is another one, meant as that was; and right
/// after a limit was named, "ok 30" of 20,000 is 30,000. Whether it was read so.
pub(super) fn limit_again(session: &mut Session, said: &Understanding) -> bool {
    let [number] = said.numbers.as_slice() else { return false };
    let named_before = session.limit_named;
    let limit = if session.budget_each.is_some() { &mut session.budget_each } else { &mut session.slots.max_price };
    let Some(limit) = limit.as_mut() else { return false };
    let before = limit.approximate();
    let thousands = f64::from(*number) * 1_000.0;
    let amount = if travellers::is_beyond_counting(*number) {
        number.to_string()
    } else if named_before && before >= 5_000.0 && thousands >= before * 0.4 && thousands <= before * 4.0 {
        format!("{number}000")
    } else {
        return false;
    };
    match Money::parse(&amount, limit.currency) {
        Ok(money) => {
            *limit = money;
            true
        }
        Err(_) => false,
    }
}
