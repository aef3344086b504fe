//! From scores to the best texts: one order for words, meaning and both together.
//!
//! Fusion is a convex mix (Bruch, Gai and Ingber 2023, "An Analysis of Fusion Functions for Hybrid Retrieval"), not of
//! scores stretched between the lowest and the highest that a question found, but of two that mean the same for every
//! question: the cosine, and the share of what the question's words could score. On four public sets both ways are as good
//! at the best weight of each, but this one changes little between 0.6 and 0.8, and a text's place does not depend on what
//! else there is.

/// What meaning weighs in the mix; words weigh the rest.
pub const MEANING_WEIGHT: f32 = 0.7;

/// The mix of a text's share of the words and its cosine, 0 to 1.
pub fn mix(share: f32, cosine: f32, meaning_weight: f32) -> f32 {
    (meaning_weight * cosine.max(0.0) + (1.0 - meaning_weight) * share).clamp(0.0, 1.0)
}

/// The positions of the `limit` best scores among those that `keep` lets through, the best first; equal ones by position.
pub fn best(scores: &[f32], limit: usize, keep: impl Fn(usize) -> bool) -> Vec<usize> {
    let mut ranked: Vec<(f32, usize)> =
        scores.iter().enumerate().filter(|(at, _)| keep(*at)).map(|(at, score)| (*score, at)).collect();
    let order = |a: &(f32, usize), b: &(f32, usize)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
    if limit == 0 {
        return Vec::new();
    }
    if ranked.len() > limit {
        ranked.select_nth_unstable_by(limit - 1, order);
        ranked.truncate(limit);
    }
    ranked.sort_unstable_by(order);
    ranked.into_iter().map(|(_, at)| at).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_mix_weighs_both() {
        for (share, cosine, expected) in [(0.5, 0.6, 0.57), (0.0, 0.6, 0.42), (1.0, -0.2, 0.3), (1.0, 1.000_000_1, 1.0)]
        {
            assert!((mix(share, cosine, 0.7) - expected).abs() < 1e-6, "{share} {cosine}");
        }
    }

    #[test]
    fn equal_scores_keep_their_order() {
        assert_eq!(best(&[1.0, 2.0, 1.0, 2.0], 3, |_| true), [1, 3, 0]);
        assert_eq!(best(&[1.0, 2.0, 1.0, 2.0], 3, |at| at != 1), [3, 0, 2]);
        assert_eq!(best(&[1.0], 0, |_| true), [0; 0]);
    }

    proptest! {
        #[test]
        fn ranking_is_what_sorting_everything_gives(
            scores in prop::collection::vec(prop_oneof![Just(f32::NAN), Just(0.0), -1.0_f32..1.0], 0..60),
            limit in 0_usize..70,
        ) {
            let mut all: Vec<usize> = (0..scores.len()).collect();
            all.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b)));
            all.truncate(limit);
            prop_assert_eq!(best(&scores, limit, |_| true), all);
        }

        #[test]
        fn the_mix_grows_with_both_scores_and_stays_in_bounds(
            (share, cosine) in (0.0_f32..=1.0, -1.0_f32..=1.0), more in 0.0_f32..=1.0, weight in 0.0_f32..=1.0,
        ) {
            let mixed = mix(share, cosine, weight);
            prop_assert!((0.0..=1.0).contains(&mixed));
            prop_assert!(mix((share + more).min(1.0), cosine, weight) >= mixed);
            prop_assert!(mix(share, (cosine + more).min(1.0), weight) >= mixed);
        }
    }
}
