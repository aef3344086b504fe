//! What a model's tokens cost, exactly: whole numbers of a millionth of a millionth of a US dollar, never a float.

use std::collections::HashMap;

use anyhow::Context;
use contracts::api::Usage;
use contracts::usd::{DECIMALS, DOLLAR, Usd};
use runtime::config;
use serde::Deserialize;

/// The decimals of a price for a million tokens: more, and one token would cost a fraction of the unit.
const PRICE_DECIMALS: usize = 6;
/// The highest price for a million tokens, in dollars: what costs more is a slip of the pen.
const HIGHEST: u128 = 1_000_000;

/// The table that the project comes with.
const TABLE: &str = include_str!("../../../shared/data/prices.toml");

/// What a million tokens of a model cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Price {
    input: Usd,
    output: Usd,
}

impl Price {
    fn check(self) -> anyhow::Result<Self> {
        for price in [self.input, self.output] {
            let exact = price.0 % 10u128.pow((DECIMALS - PRICE_DECIMALS) as u32) == 0;
            anyhow::ensure!(exact, "the price {price} has more than {PRICE_DECIMALS} decimals");
            anyhow::ensure!(price.0 <= HIGHEST * DOLLAR, "the price {price} is above {HIGHEST} dollars");
        }
        Ok(self)
    }

    /// Of one token, a price for a million is a millionth: a whole number, for [`Self::check`] saw to that.
    fn cost(self, usage: &Usage) -> Usd {
        let of = |tokens: u64, price: Usd| Usd(u128::from(tokens).saturating_mul(price.0 / 1_000_000));
        of(usage.prompt_tokens, self.input) + of(usage.completion_tokens, self.output)
    }
}

/// The prices of models, by their names.
#[derive(Debug, Clone)]
pub struct Prices(HashMap<String, Price>);

impl Prices {
    /// Those of the table in `shared/data/prices.toml`, and in their place or besides them those of `more`, as
    /// `MODEL_PRICES` writes them: `llama3.1:8b=0.05/0.08,gpt-4o-mini=0.15/0.60`, in US dollars for a million tokens read
    /// and written.
    ///
    /// # Errors
    /// What of it cannot be read.
    pub fn with(more: Option<&str>) -> anyhow::Result<Self> {
        let mut prices: HashMap<String, Price> = toml::from_str(TABLE).context("the table of prices")?;
        for entry in more.unwrap_or_default().split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            let wrong = || format!("{entry:?} is not MODEL=INPUT/OUTPUT, in dollars for a million tokens");
            let (model, price) = entry.rsplit_once('=').with_context(wrong)?;
            let (input, output) = price.split_once('/').with_context(wrong)?;
            let amount = |text: &str| text.trim().parse().map_err(anyhow::Error::msg).with_context(wrong);
            prices.insert(model.trim().to_owned(), Price { input: amount(input)?, output: amount(output)? });
        }
        let checked = prices.into_iter().map(|(model, price)| Ok((model, price.check()?)));
        checked.collect::<anyhow::Result<_>>().map(Self)
    }

    /// With what `MODEL_PRICES` adds.
    ///
    /// # Errors
    /// What of it cannot be read.
    pub fn from_env() -> anyhow::Result<Self> {
        Self::with(config::optional("MODEL_PRICES").as_deref()).context("the environment variable MODEL_PRICES")
    }

    /// What that use cost; `None` where the model has no price. A model named with the day of its release
    /// (`gpt-4o-mini-2024-07-18`) costs what the one without it does, unless it has a price of its own.
    pub fn cost(&self, usage: &Usage) -> Option<Usd> {
        let model = usage.model.as_deref()?;
        let price = self.0.get(model).or_else(|| self.0.get(without_day(model)?))?;
        Some(price.cost(usage))
    }
}

/// `gpt-4o-mini` of `gpt-4o-mini-2024-07-18`.
fn without_day(model: &str) -> Option<&str> {
    let (name, day) = model.split_at_checked(model.len().checked_sub("-2024-07-18".len())?)?;
    let shape =
        |(index, byte): (usize, u8)| if [0, 5, 8].contains(&index) { byte == b'-' } else { byte.is_ascii_digit() };
    day.bytes().enumerate().all(shape).then_some(name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn usage(model: &str, prompt_tokens: u64, completion_tokens: u64) -> Usage {
        Usage { prompt_tokens, completion_tokens, model: Some(model.to_owned()), estimated: false }
    }

    #[test]
    fn tokens_cost_what_the_table_says() {
        let prices = Prices::with(Some("my-model:8b=0.000001/3, free=0/0,gpt-4o=5/15")).unwrap();
        let cases = [
            (usage("gpt-4o-mini", 1_000_000, 1_000_000), Some("0.75")),
            (usage("gpt-4o-mini", 1, 0), Some("0.00000015")),
            (usage("gpt-4o-mini-2024-07-18", 1_234, 56), Some("0.0002187")),
            (usage("my-model:8b", 1, 2), Some("0.000006000001")),
            (usage("free", 5, 5), Some("0")),
            (usage("gpt-4o", 1_000, 1_000), Some("0.02")),
            (usage("nobody-knows", 1, 1), None),
            (Usage { prompt_tokens: 1, completion_tokens: 1, ..Usage::default() }, None),
        ];
        for (usage, cost) in cases {
            assert_eq!(prices.cost(&usage).map(|cost| cost.to_string()).as_deref(), cost, "{usage:?}");
        }
    }

    #[test]
    fn prices_that_cannot_be_read_are_named() {
        for wrong in
            ["gpt", "gpt=1", "gpt=1/x", "gpt=-1/2", "gpt=0.0000001/2", "gpt=1e3/1", "gpt=1/2/3", "gpt=1000001/1"]
        {
            assert!(Prices::with(Some(wrong)).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn an_amount_is_read_as_it_is_written(amount in 0..u128::from(u64::MAX) * 1_000) {
            prop_assert_eq!(Usd(amount).to_string().parse(), Ok(Usd(amount)));
        }

        #[test]
        fn turns_cost_together_what_their_tokens_cost_together(
            uses in proptest::collection::vec((0..1u64 << 40, 0..1u64 << 40), 0..50),
            (input, output) in (0..1_000_000_000u64, 0..1_000_000_000u64),
        ) {
            let decimal = |millionths: u64| format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000);
            let prices = Prices::with(Some(&format!("m={}/{}", decimal(input), decimal(output)))).unwrap();
            let one_by_one: Usd = uses.iter().filter_map(|(read, wrote)| prices.cost(&usage("m", *read, *wrote))).sum();
            let (read, wrote) = uses.iter().fold((0, 0), |(read, wrote), use_| (read + use_.0, wrote + use_.1));
            prop_assert_eq!(Some(one_by_one), prices.cost(&usage("m", read, wrote)));
            prop_assert_eq!(one_by_one.0, u128::from(read) * u128::from(input) + u128::from(wrote) * u128::from(output));
        }

        #[test]
        fn no_count_of_tokens_overflows(read: u64, wrote: u64) {
            let prices = Prices::with(Some("m=1000000/1000000")).unwrap();
            prop_assert!(prices.cost(&usage("m", read, wrote)).is_some());
        }
    }
}
