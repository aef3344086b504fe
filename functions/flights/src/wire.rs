//! What the providers' formats have in common: values that come as text or as numbers, and lists in which one bad entry
//! must not spoil the others.

use std::fmt;

use contracts::travel::{Cabin, Offer};
use runtime::upstream::{Failure, Reason};
use serde::de::{DeserializeOwned, Error, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A text, or a number written as one.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Text(pub String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrNumber;

        impl Visitor<'_> for TextOrNumber {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a number")
            }

            fn visit_str<E: Error>(self, value: &str) -> Result<Text, E> {
                Ok(Text(value.to_owned()))
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Text, E> {
                Ok(Text(value.to_string()))
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Text, E> {
                Ok(Text(value.to_string()))
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<Text, E> {
                Ok(Text(value.to_string()))
            }
        }

        deserializer.deserialize_any(TextOrNumber)
    }
}

/// Reads a provider's answer.
///
/// # Errors
/// It is not the JSON that was expected. serde's own message can quote it, so that it is not handed on.
pub fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|_| Failure::new(Reason::InvalidAnswer))
}

/// Reads each offer of a list and leaves out those that cannot be read or make no sense.
///
/// # Errors
/// There are offers, and none of them can be read: the format is not what it was.
pub fn each<'a, T: Deserialize<'a>>(
    provider: &'static str,
    list: &[&'a RawValue],
    offer: impl Fn(T) -> Option<Offer>,
) -> Result<Vec<Offer>, Failure> {
    let offers: Vec<_> = list.iter().filter_map(|entry| offer(serde_json::from_str(entry.get()).ok()?)).collect();
    let left_out = list.len() - offers.len();
    if left_out > 0 {
        tracing::warn!(provider, left_out, offers = list.len(), "offers that cannot be read are left out");
    }
    if offers.is_empty() && left_out > 0 {
        return Err(Failure::new(Reason::InvalidAnswer));
    }
    Ok(offers)
}

/// Reads what an offer is no worse without: where it is not what was expected, it is unknown.
///
/// # Errors
/// It is no JSON at all.
pub fn if_readable<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Option<T>, D::Error> {
    Ok(serde_json::from_value(serde_json::Value::deserialize(deserializer)?).ok())
}

/// A cabin by the name that both providers have for it, in either case.
pub fn cabin(name: &str) -> Option<Cabin> {
    match name.to_ascii_lowercase().as_str() {
        "economy" => Some(Cabin::Economy),
        "premium_economy" => Some(Cabin::PremiumEconomy),
        "business" => Some(Cabin::Business),
        "first" => Some(Cabin::First),
        _ => None,
    }
}

/// The name that both providers have for a cabin, in lower case.
pub fn cabin_name(cabin: Cabin) -> Option<&'static str> {
    match cabin {
        Cabin::Economy => Some("economy"),
        Cabin::PremiumEconomy => Some("premium_economy"),
        Cabin::Business => Some("business"),
        Cabin::First => Some("first"),
        Cabin::Other => None,
    }
}
