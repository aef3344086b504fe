//! How large a number of a currency means as much to people as a dollar: a scale for weighing time against money, and
//! for inventing sample fares. It is rough, never changes, and is no exchange rate: no price is ever converted with it.

use std::collections::HashMap;

use anyhow::Context;
use iso_currency::Currency;
use runtime::config;

/// Units of each currency to a US dollar, by order of magnitude.
const UNITS: &[(Currency, f64)] = &[
    (Currency::AED, 3.7),
    (Currency::ARS, 1_000.0),
    (Currency::AUD, 1.5),
    (Currency::BDT, 120.0),
    (Currency::BGN, 1.8),
    (Currency::BHD, 0.38),
    (Currency::BRL, 5.5),
    (Currency::CAD, 1.4),
    (Currency::CHF, 0.85),
    (Currency::CLP, 950.0),
    (Currency::CNY, 7.2),
    (Currency::COP, 4_100.0),
    (Currency::CZK, 23.0),
    (Currency::DKK, 7.0),
    (Currency::EGP, 49.0),
    (Currency::EUR, 0.9),
    (Currency::GBP, 0.8),
    (Currency::HKD, 7.8),
    (Currency::HUF, 360.0),
    (Currency::IDR, 16_000.0),
    (Currency::ILS, 3.6),
    (Currency::INR, 85.0),
    (Currency::IQD, 1_300.0),
    (Currency::IRR, 42_000.0),
    (Currency::ISK, 135.0),
    (Currency::JOD, 0.71),
    (Currency::JPY, 150.0),
    (Currency::KES, 130.0),
    (Currency::KRW, 1_400.0),
    (Currency::KWD, 0.31),
    (Currency::KZT, 500.0),
    (Currency::LKR, 300.0),
    (Currency::MAD, 9.8),
    (Currency::MXN, 19.0),
    (Currency::MYR, 4.4),
    (Currency::NGN, 1_600.0),
    (Currency::NOK, 10.8),
    (Currency::NPR, 135.0),
    (Currency::NZD, 1.7),
    (Currency::OMR, 0.38),
    (Currency::PEN, 3.7),
    (Currency::PHP, 57.0),
    (Currency::PKR, 280.0),
    (Currency::PLN, 4.0),
    (Currency::QAR, 3.6),
    (Currency::RON, 4.5),
    (Currency::RSD, 107.0),
    (Currency::RUB, 90.0),
    (Currency::SAR, 3.8),
    (Currency::SEK, 10.5),
    (Currency::SGD, 1.3),
    (Currency::THB, 34.0),
    (Currency::TND, 3.1),
    (Currency::TRY, 35.0),
    (Currency::TWD, 32.0),
    (Currency::UAH, 41.0),
    (Currency::USD, 1.0),
    (Currency::UYU, 42.0),
    (Currency::UZS, 12_700.0),
    (Currency::VND, 25_000.0),
    (Currency::XAF, 600.0),
    (Currency::XOF, 600.0),
    (Currency::ZAR, 18.0),
];

/// The scale of every currency.
#[derive(Debug, Clone, Default)]
pub struct Scales {
    own: HashMap<Currency, f64>,
}

impl Scales {
    /// The scales built in, changed by `RANKING_SCALES` (`EUR=0.92,XPF=110`: units to a US dollar).
    ///
    /// # Errors
    /// A code that is no currency, or a value that is no number above 0.
    pub fn from_env() -> anyhow::Result<Self> {
        let text = config::optional("RANKING_SCALES").unwrap_or_default();
        let pairs = pairs("RANKING_SCALES", &text)?.into_iter().map(|(code, units)| {
            let currency = Currency::from_code(code).filter(|_| units > 0.0);
            let wrong =
                || format!("the environment variable RANKING_SCALES: {code}={units} is not a scale of a currency");
            Ok((currency.with_context(wrong)?, units))
        });
        Ok(Self { own: pairs.collect::<anyhow::Result<_>>()? })
    }

    /// How many units weigh as much as a US dollar; 1 for a currency that nobody gave a scale.
    pub fn of(&self, currency: Currency) -> f64 {
        let built_in = || UNITS.iter().find(|(other, _)| *other == currency).map(|(_, units)| *units);
        self.own.get(&currency).copied().or_else(built_in).unwrap_or(1.0)
    }
}

/// Reads `name=value,name=value` with values from 0.
pub(crate) fn pairs<'t>(variable: &str, text: &'t str) -> anyhow::Result<Vec<(&'t str, f64)>> {
    let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    let pairs = entries.map(|entry| {
        let (name, value) = entry.split_once('=')?;
        let value: f64 = value.trim().parse().ok().filter(|value: &f64| value.is_finite() && *value >= 0.0)?;
        Some((name.trim(), value))
    });
    let pairs: Option<Vec<_>> = pairs.collect();
    pairs.with_context(|| format!("the environment variable {variable} is read as name=number,name=number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_read_and_rubbish_names_the_variable() {
        assert_eq!(pairs("X", " hours = 20, stops=80.5 ,").unwrap(), [("hours", 20.0), ("stops", 80.5)]);
        assert_eq!(pairs("X", "").unwrap(), []);
        for text in ["hours", "hours=", "hours=-1", "hours=NaN", "hours=inf"] {
            assert!(pairs("RANKING_WEIGHTS", text).unwrap_err().to_string().contains("RANKING_WEIGHTS"), "{text}");
        }
    }
}
