//! Countries, states and other regions: they tell namesakes apart ("Portland, Maine"), and named alone they ask for a
//! city.

use std::collections::HashMap;
use std::sync::LazyLock;

use geo::airports::Airport;

use super::names::{bearers, key, table};

/// A country, a state, or something else that is no city.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// What people call it.
    pub name: &'static str,
    /// ISO 3166-1 alpha-2; `-` where it is several countries.
    pub country: &'static str,
    /// How much of the country it is.
    pub extent: Extent,
}

/// How much of a country a region is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Country,
    /// A state or province, as the airports' table names it.
    Subdivision(&'static str),
    /// A part that the airports' table does not tell ("the Algarve").
    Part,
}

static REGIONS: LazyLock<HashMap<String, Vec<Region>>> = LazyLock::new(|| {
    let mut regions: HashMap<String, Vec<Region>> = HashMap::new();
    for (region, names) in table(include_str!("../../data/regions.tsv")).filter_map(read) {
        for name in names.split('|') {
            regions.entry(key(name)).or_default().push(region);
        }
    }
    regions
});

static COUNTRIES: LazyLock<HashMap<&'static str, &'static str>> = LazyLock::new(|| {
    let whole = REGIONS.values().flatten().filter(|region| region.extent == Extent::Country);
    whole.map(|region| (region.country, region.name)).collect()
});

fn read(line: &'static str) -> Option<(Region, &'static str)> {
    let mut fields = line.split('\t');
    let country = fields.next()?;
    let extent = match fields.next()? {
        "-" => Extent::Country,
        "~" => Extent::Part,
        name => Extent::Subdivision(name),
    };
    let names = fields.next()?;
    let name = names.split('|').next()?;
    Some((Region { name, country, extent }, names))
}

/// Cities whose airport lies across the border of the state that people name with them.
const ACROSS_THE_BORDER: [(&str, &str); 4] =
    [("CVG", "Ohio"), ("MCI", "Kansas"), ("STL", "Illinois"), ("TRI", "Virginia")];

/// The regions of a folded name or abbreviation.
pub fn regions(name: &str) -> &'static [Region] {
    REGIONS.get(name).map_or(&[], Vec::as_slice)
}

/// The folded word is the name of a place or region, or short for one.
pub fn names_something(word: &str) -> bool {
    !bearers(word).is_empty() || !regions(word).is_empty()
}

/// What tells an airport's city from its namesakes: the state where states are commonly said, else the country.
pub fn qualifier(airport: &Airport) -> &'static str {
    if matches!(airport.country, "US" | "CA" | "AU") && !airport.subdivision.is_empty() {
        return airport.subdivision;
    }
    COUNTRIES.get(airport.country).copied().unwrap_or(airport.country)
}

impl Region {
    /// The airport lies in it, as far as the tables tell, or is named with it.
    pub fn holds(&self, airport: &Airport) -> bool {
        self.country == airport.country
            && match self.extent {
                Extent::Country | Extent::Part => true,
                Extent::Subdivision(name) => {
                    name == airport.subdivision || ACROSS_THE_BORDER.contains(&(airport.iata.as_str(), name))
                }
            }
    }
}
