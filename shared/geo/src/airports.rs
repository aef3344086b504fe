//! Airports and metropolitan areas: where they are, what time it is there, and which of them share a city.
//!
//! The tables are embedded, written by `data/make_airports.py`, and read once at first use (some 1 ms): every airport
//! with an IATA code, and the codes that stand for all airports of a city (`LON`).

use std::sync::LazyLock;

use contracts::travel::Iata;
use jiff::tz::TimeZone;

/// An airport with an IATA code.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Airport {
    /// Its code.
    pub iata: Iata,
    /// Its own name ("London Heathrow Airport").
    pub name: &'static str,
    /// The city it serves, as people name it.
    pub city: &'static str,
    /// The state, province or region; empty where unknown.
    pub subdivision: &'static str,
    /// ISO 3166-1 alpha-2 (`XK` for Kosovo).
    pub country: &'static str,
    /// Degrees, north positive.
    pub latitude: f64,
    /// Degrees, east positive.
    pub longitude: f64,
    /// The IANA name of its time zone.
    pub zone: &'static str,
    /// How much it is flown to: 4 above some 30 million passengers a year, 0 below half a million.
    pub tier: u8,
}

/// A city whose airports share a code. The code may be that of one of them, too (`DXB`).
#[derive(Debug, Clone, PartialEq)]
pub struct Metro {
    /// The code of the city.
    pub iata: Iata,
    /// The city, as people name it.
    pub name: &'static str,
    /// Its airports, the busiest first.
    pub airports: Vec<&'static Airport>,
}

impl Airport {
    /// The time zone; `None` only for a zone newer than the bundled time zone database.
    pub fn time_zone(&self) -> Option<TimeZone> {
        TimeZone::get(self.zone).ok()
    }
}

static AIRPORTS: LazyLock<Vec<Airport>> =
    LazyLock::new(|| include_str!("../../data/airports.tsv").lines().filter_map(read_airport).collect());

static METROS: LazyLock<Vec<Metro>> =
    LazyLock::new(|| include_str!("../../data/metros.tsv").lines().filter_map(read_metro).collect());

/// The airports of the metropolitan areas, in the order of their codes.
static MEMBERS: LazyLock<Vec<(Iata, &'static Metro)>> = LazyLock::new(|| {
    let members = METROS.iter().flat_map(|metro| metro.airports.iter().map(move |airport| (airport.iata, metro)));
    let mut members: Vec<_> = members.collect();
    members.sort_by_key(|(airport, _)| *airport);
    members
});

/// All airports in the order of their codes.
pub fn airports() -> &'static [Airport] {
    &AIRPORTS
}

/// All metropolitan areas in the order of their codes.
pub fn metros() -> &'static [Metro] {
    &METROS
}

/// The airport that bears this code.
pub fn airport(code: Iata) -> Option<&'static Airport> {
    let at = AIRPORTS.binary_search_by_key(&code, |airport| airport.iata).ok()?;
    AIRPORTS.get(at)
}

/// The metropolitan area that bears this code.
pub fn metro(code: Iata) -> Option<&'static Metro> {
    let at = METROS.binary_search_by_key(&code, |metro| metro.iata).ok()?;
    METROS.get(at)
}

/// The metropolitan area that an airport belongs to.
pub fn metro_of(airport: Iata) -> Option<&'static Metro> {
    let at = MEMBERS.binary_search_by_key(&airport, |(member, _)| *member).ok()?;
    MEMBERS.get(at).map(|(_, metro)| *metro)
}

/// The airports a code stands for, the busiest first: those of the city where it is a city's, else the one airport;
/// none where the code is unknown.
pub fn airports_of(code: Iata) -> impl Iterator<Item = &'static Airport> {
    let city = metro(code).map_or(&[][..], |metro| &metro.airports);
    let single = if city.is_empty() { airport(code) } else { None };
    city.iter().copied().chain(single)
}

/// The time zone at an airport or in a metropolitan area.
pub fn time_zone(code: Iata) -> Option<TimeZone> {
    airports_of(code).next()?.time_zone()
}

/// The great-circle distance in kilometres (haversine, on a sphere of the Earth's mean radius).
pub fn distance_km(from: &Airport, to: &Airport) -> f64 {
    const MEAN_RADIUS_KM: f64 = 6_371.009;
    let (north, south) = (from.latitude.to_radians(), to.latitude.to_radians());
    let along = ((south - north) / 2.0).sin();
    let across = ((to.longitude - from.longitude).to_radians() / 2.0).sin();
    let haversine = along * along + north.cos() * south.cos() * across * across;
    2.0 * MEAN_RADIUS_KM * haversine.sqrt().min(1.0).asin()
}

/// Reads a line of `airports.tsv`; coordinates are in ten-thousandths of a degree.
fn read_airport(line: &'static str) -> Option<Airport> {
    let mut fields = line.split('\t');
    let degrees = |text: &str| text.parse::<i32>().ok().map(|ten_thousandths| f64::from(ten_thousandths) / 10_000.0);
    Some(Airport {
        iata: fields.next()?.parse().ok()?,
        name: fields.next()?,
        city: fields.next()?,
        subdivision: fields.next()?,
        country: fields.next()?,
        latitude: degrees(fields.next()?)?,
        longitude: degrees(fields.next()?)?,
        zone: fields.next()?,
        tier: fields.next()?.parse().ok()?,
    })
}

/// Reads a line of `metros.tsv`.
fn read_metro(line: &'static str) -> Option<Metro> {
    let mut fields = line.split('\t');
    Some(Metro {
        iata: fields.next()?.parse().ok()?,
        name: fields.next()?,
        airports: fields.next()?.split(' ').filter_map(|code| airport(code.parse().ok()?)).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Iata {
        text.parse().unwrap()
    }

    #[test]
    fn every_line_of_the_tables_is_read_and_sorted() {
        assert_eq!(airports().len(), include_str!("../../data/airports.tsv").lines().count());
        assert_eq!(metros().len(), include_str!("../../data/metros.tsv").lines().count());
        assert!(airports().is_sorted_by(|one, next| one.iata < next.iata));
        assert!(metros().is_sorted_by(|one, next| one.iata < next.iata));
        assert!(metros().iter().all(|metro| metro.airports.len() > 1));
    }

    #[test]
    fn every_airport_has_a_zone_a_city_and_coordinates_on_earth() {
        for airport in airports() {
            assert!(airport.time_zone().is_some(), "{airport:?}");
            assert!(!airport.city.is_empty() && airport.country.len() == 2, "{airport:?}");
            assert!(airport.latitude.abs() <= 90.0 && airport.longitude.abs() <= 180.0, "{airport:?}");
        }
    }

    #[test]
    fn airports_carry_the_city_people_name() {
        for (iata, city, country, zone) in [
            ("YVR", "Vancouver", "CA", "America/Vancouver"),
            ("LHE", "Lahore", "PK", "Asia/Karachi"),
            ("GVA", "Geneva", "CH", "Europe/Zurich"),
            ("DPS", "Bali", "ID", "Asia/Makassar"),
            ("EWR", "Newark", "US", "America/New_York"),
        ] {
            let airport = airport(code(iata)).unwrap();
            assert_eq!((airport.city, airport.country, airport.zone), (city, country, zone));
        }
        assert_eq!(airport(code("ZZZ")), None);
    }

    #[test]
    fn a_code_stands_for_its_city_before_its_airport() {
        let codes = |of| airports_of(code(of)).map(|airport| airport.iata.to_string()).collect::<Vec<_>>();
        assert_eq!(codes("LON"), ["LHR", "LGW", "STN", "LTN", "LCY", "SEN"]);
        assert_eq!(codes("NYC"), ["JFK", "EWR", "LGA"]);
        assert_eq!(codes("DXB"), ["DXB", "DWC"]);
        assert_eq!(codes("LHE"), ["LHE"]);
        assert_eq!(codes("ZZZ"), <[&str; 0]>::default());
        assert_eq!(metro_of(code("CDG")).map(|metro| metro.name), Some("Paris"));
        assert_eq!(time_zone(code("TYO")).unwrap().iana_name(), Some("Asia/Tokyo"));
    }

    #[test]
    fn distances_are_those_on_the_globe() {
        for (from, to, kilometres) in
            [("LHR", "JFK", 5_540.0), ("LHE", "DXB", 1_980.0), ("SYD", "SCL", 11_340.0), ("LHR", "LHR", 0.0)]
        {
            let found = distance_km(airport(code(from)).unwrap(), airport(code(to)).unwrap());
            assert!((found - kilometres).abs() < 25.0, "{from} {to}: {found}");
        }
    }
}
