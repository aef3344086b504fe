//! One typing error.

/// The two words differ by one letter that is missing, added, wrong, or in its neighbour's place (an optimal string
/// alignment distance of exactly one).
pub fn one_edit_apart(one: &str, other: &str) -> bool {
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    let most_bytes = if long.is_ascii() { 1 } else { 4 };
    if long.len() - short.len() > most_bytes || short == long {
        return false;
    }
    let mut left: (std::str::Chars, std::str::Chars) = (short.chars(), long.chars());
    loop {
        let at = left.clone();
        match (left.0.next(), left.1.next()) {
            (Some(a), Some(b)) if a == b => {}
            _ => return differ_by_one(at.0.as_str(), at.1.as_str()),
        }
    }
}

/// Both without what they begin with in common.
fn differ_by_one(short: &str, long: &str) -> bool {
    let (mut a, mut b) = (short.chars(), long.chars());
    let (first_a, first_b) = (a.next(), b.next());
    let (rest_a, rest_b) = (a.as_str(), b.as_str());
    let (second_a, second_b) = (a.next(), b.next());
    let swapped = first_a.is_some() && first_a == second_b && first_b == second_a && a.as_str() == b.as_str();
    short == rest_b || rest_a == long || rest_a == rest_b || swapped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_letter_may_be_missing_added_wrong_or_swapped() {
        for (one, other, expected) in [
            ("lahore", "lahor", true),
            ("lahore", "lahoore", true),
            ("lahore", "lahpre", true),
            ("lahore", "lhaore", true),
            ("lahore", "lahoer", true),
            ("lahore", "lahore", false),
            ("lahore", "laohr", false),
            ("lahore", "lhroae", false),
            ("lahore", "lah", false),
            ("", "a", true),
            ("", "", false),
            ("ab", "ba", true),
        ] {
            assert_eq!(one_edit_apart(one, other), expected, "{one} {other}");
            assert_eq!(one_edit_apart(other, one), expected, "{other} {one}");
        }
    }

    proptest! {
        #[test]
        fn it_is_the_distance_of_one(one in "[abc]{0,5}", other in "[abc]{0,5}") {
            prop_assert_eq!(one_edit_apart(&one, &other), strsim::osa_distance(&one, &other) == 1);
        }
    }
}
