//! The airlines of the sample network: their hubs, cabins and reach.

use std::sync::LazyLock;

use contracts::travel::Alliance;
use geo::airlines::{alliance_of, name_of};
use geo::airports::{Airport, airport};

/// An airline.
#[derive(Debug)]
pub struct Carrier {
    /// Its designator.
    pub iata: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Where it is at home (ISO 3166).
    pub country: &'static str,
    /// Its alliance.
    pub alliance: Option<Alliance>,
    /// The cabins it sells, as letters: Y, W, J, F.
    pub cabins: &'static str,
    /// The longest flight, in kilometres.
    pub range: f64,
    /// Its hubs, the largest first.
    pub hubs: Vec<&'static Airport>,
}

impl Carrier {
    /// Sells seats and little else.
    pub fn is_low_cost(&self) -> bool {
        self.cabins == "Y" && self.alliance.is_none()
    }

    /// The same airline, or one of the same alliance.
    pub fn is_partner_of(&self, other: &Carrier) -> bool {
        self.iata == other.iata || (self.alliance.is_some() && self.alliance == other.alliance)
    }
}

/// Every airline, by hand in `carriers.tsv`.
pub fn carriers() -> &'static [Carrier] {
    static CARRIERS: LazyLock<Vec<Carrier>> = LazyLock::new(|| {
        let lines = include_str!("carriers.tsv").lines().filter(|line| !line.starts_with('#'));
        lines.filter_map(read_carrier).collect()
    });
    &CARRIERS
}

fn read_carrier(line: &'static str) -> Option<Carrier> {
    let mut fields = line.split('\t');
    let iata = fields.next()?;
    Some(Carrier {
        iata,
        name: name_of(iata)?,
        country: fields.next()?,
        alliance: alliance_of(iata),
        cabins: fields.next()?,
        range: fields.next()?.parse().ok()?,
        hubs: fields.next()?.split(' ').filter_map(|code| airport(code.parse().ok()?)).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_read_with_all_its_hubs() {
        let lines = include_str!("carriers.tsv").lines().filter(|line| !line.starts_with('#'));
        assert_eq!(carriers().len(), lines.clone().count());
        for (carrier, line) in carriers().iter().zip(lines) {
            assert_eq!(carrier.hubs.len(), line.rsplit('\t').next().unwrap().split(' ').count(), "{line}");
            assert!(carrier.cabins.starts_with('Y') && carrier.range > 2_000.0, "{line}");
        }
    }
}
