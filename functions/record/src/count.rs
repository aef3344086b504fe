//! What a turn adds to the sums of its day.

use std::collections::BTreeMap;

use contracts::api::Writer;
use contracts::turns::Counted;
use contracts::usd::Usd;

use crate::prices::Prices;

/// What the turn's model cost; `None` where its use or its price is not known.
pub(crate) fn cost(counted: &Counted, prices: &Prices) -> Option<Usd> {
    match &counted.usage {
        Some(usage) => prices.cost(usage),
        None => (counted.written_by != Writer::Model).then_some(Usd(0)),
    }
}

/// The counters, as [`aws::totals`] names them.
pub(crate) fn counters(counted: &Counted, cost: Option<Usd>) -> BTreeMap<String, i128> {
    let usage = counted.usage.clone().unwrap_or_default();
    let (read, wrote) = (i128::from(usage.prompt_tokens), i128::from(usage.completion_tokens));
    let writer = match counted.written_by {
        Writer::Rules => "rules",
        Writer::Extract => "extract",
        Writer::Model => "model",
        Writer::Other => "other",
    };
    let counters = [
        ("turns".to_owned(), 1),
        ("incomplete".to_owned(), i128::from(counted.incomplete)),
        ("prompt_tokens".to_owned(), read),
        ("completion_tokens".to_owned(), wrote),
        ("unpriced_tokens".to_owned(), if cost.is_none() { read + wrote } else { 0 }),
        ("cost".to_owned(), cost.map_or(0, |cost| i128::try_from(cost.0).unwrap_or(i128::MAX))),
        (format!("action:{}", counted.action), 1),
        (format!("written_by:{writer}"), 1),
    ];
    let degraded = counted.degraded.iter().map(|part| (format!("degraded:{part}"), 1));
    let danger = counted.danger.iter().map(|danger| (format!("danger:{danger}"), 1));
    counters.into_iter().chain(degraded).chain(danger).filter(|(_, by)| *by != 0).collect()
}

#[cfg(test)]
mod tests {
    use contracts::api::Usage;

    use super::*;

    fn by_model(model: &str) -> Counted {
        let usage =
            Usage { prompt_tokens: 1_000, completion_tokens: 200, model: Some(model.to_owned()), estimated: false };
        Counted { action: "retrieve".into(), written_by: Writer::Model, usage: Some(usage), ..Counted::default() }
    }

    fn added(counted: &Counted) -> Vec<(String, i128)> {
        let cost = cost(counted, &Prices::with(None).unwrap());
        counters(counted, cost).into_iter().collect()
    }

    #[test]
    fn a_turn_of_a_model_adds_its_tokens_and_their_cost() {
        let expected = [
            ("action:retrieve", 1),
            ("completion_tokens", 200),
            ("cost", 270_000_000),
            ("prompt_tokens", 1_000),
            ("turns", 1),
            ("written_by:model", 1),
        ];
        assert_eq!(added(&by_model("gpt-4o-mini")), expected.map(|(name, by)| (name.to_owned(), by)));
    }

    #[test]
    fn tokens_without_a_price_are_said_to_have_none() {
        let added: BTreeMap<_, _> = added(&by_model("my own")).into_iter().collect();
        assert_eq!((added.get("unpriced_tokens"), added.get("cost")), (Some(&1_200), None));
    }

    #[test]
    fn a_model_whose_use_is_not_told_has_no_cost_and_rules_cost_nothing() {
        let prices = Prices::with(None).unwrap();
        let untold = Counted { usage: None, ..by_model("gpt-4o-mini") };
        assert_eq!((cost(&untold, &prices), cost(&Counted::default(), &prices)), (None, Some(Usd(0))));
    }

    #[test]
    fn a_danger_is_counted_by_its_class_and_country_alone() {
        let counted = Counted { action: "crisis".into(), danger: Some("suicide GB".into()), ..Counted::default() };
        let expected = [("action:crisis", 1), ("danger:suicide GB", 1), ("turns", 1), ("written_by:rules", 1)];
        assert_eq!(added(&counted), expected.map(|(name, by)| (name.to_owned(), by)));
    }

    #[test]
    fn what_was_missing_is_counted_by_its_name() {
        let degraded = ["duffel".to_owned(), "model".to_owned()].into();
        let counted = Counted { action: "ask".into(), degraded, incomplete: true, ..Counted::default() };
        let expected = [
            ("action:ask", 1),
            ("degraded:duffel", 1),
            ("degraded:model", 1),
            ("incomplete", 1),
            ("turns", 1),
            ("written_by:rules", 1),
        ];
        assert_eq!(added(&counted), expected.map(|(name, by)| (name.to_owned(), by)));
    }
}
