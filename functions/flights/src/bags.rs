//! What may be taken along on all flights of a journey, from what is told of each flight and traveller.

use contracts::travel::Bags;

/// What every one of them has at least; `None` where one is not told, or where some count pieces and others weigh.
pub fn least(told: impl IntoIterator<Item = Option<Bags>>) -> Option<Bags> {
    let told: Vec<Bags> = told.into_iter().collect::<Option<_>>()?;
    let fewest = |of: fn(&Bags) -> Option<u16>| told.iter().map(of).collect::<Option<Vec<_>>>()?.into_iter().min();
    let pieces = fewest(|bags| bags.pieces.map(u16::from)).and_then(|pieces| u8::try_from(pieces).ok());
    let kilograms = fewest(|bags| bags.kilograms).filter(|_| pieces != Some(0));
    (pieces.is_some() || kilograms.is_some()).then_some(Bags { pieces, kilograms })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_is_what_is_promised_and_what_one_does_not_tell_is_unknown() {
        let pieces = |pieces| Some(Bags { pieces: Some(pieces), kilograms: None });
        let weight = |kilograms| Some(Bags { pieces: None, kilograms: Some(kilograms) });
        let both = |pieces, kilograms| Some(Bags { pieces: Some(pieces), kilograms: Some(kilograms) });
        for (told, expected) in [
            (vec![pieces(2), pieces(1)], pieces(1)),
            (vec![pieces(1), pieces(0)], pieces(0)),
            (vec![weight(30), weight(20)], weight(20)),
            (vec![both(1, 23), both(2, 32)], both(1, 23)),
            (vec![both(1, 23), pieces(2)], pieces(1)),
            (vec![both(0, 23), both(0, 23)], pieces(0)),
            (vec![pieces(1), weight(20)], None),
            (vec![pieces(1), None], None),
            (vec![], None),
        ] {
            assert_eq!(least(told.clone()), expected, "{told:?}");
        }
    }
}
