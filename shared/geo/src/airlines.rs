//! Airlines by IATA designator: the name to show, and the names people say.

use std::collections::HashMap;
use std::sync::LazyLock;

use contracts::travel::Alliance;

/// An airline and what it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carrier {
    /// Its IATA designator, two letters or digits.
    pub designator: &'static str,
    /// The name to show.
    pub name: &'static str,
    /// What else people say, lower case.
    pub aliases: Vec<Alias>,
}

/// Another name of an airline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alias {
    /// The name, lower case.
    pub name: &'static str,
    /// It means something else as well ("American", "Delta"), so only the words around it tell.
    pub ordinary: bool,
}

static CARRIERS: LazyLock<Vec<Carrier>> = LazyLock::new(|| {
    let lines = include_str!("../../data/airlines.tsv").lines().filter(|line| !line.starts_with('#'));
    let mut carriers: Vec<Carrier> = lines.filter_map(read).collect();
    carriers.sort_by_key(|carrier| carrier.designator);
    carriers
});

/// All airlines of the table, in the order of their designators.
pub fn carriers() -> &'static [Carrier] {
    &CARRIERS
}

/// The name to show for a designator in capitals; `None` where the airline is not in the table.
pub fn name_of(designator: &str) -> Option<&'static str> {
    let at = CARRIERS.binary_search_by_key(&designator, |carrier| carrier.designator).ok()?;
    CARRIERS.get(at).map(|carrier| carrier.name)
}

/// The addresses of the airlines' own sites, by designator.
static SITES: LazyLock<HashMap<&'static str, String>> = LazyLock::new(|| {
    let lines = include_str!("../../data/airline_sites.tsv").lines().filter(|line| !line.starts_with('#'));
    let site = |(designator, domain)| (designator, format!("https://www.{domain}"));
    lines.filter_map(|line| line.split_once('\t')).map(site).collect()
});

/// The address of an airline's own site, by its designator in capitals; `None` where the table has none.
pub fn site_of(designator: &str) -> Option<&'static str> {
    SITES.get(designator).map(String::as_str)
}

/// What airlines belong to: the group, and the designators of its members.
static GROUPS: LazyLock<Vec<(&'static str, Vec<&'static str>)>> = LazyLock::new(|| {
    let lines = include_str!("../../data/airline_groups.tsv").lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once('\t')).map(|(group, of)| (group, of.split(' ').collect())).collect()
});

fn belongs(designator: &str, group: &str) -> bool {
    GROUPS.iter().any(|(name, members)| *name == group && members.contains(&designator))
}

/// The alliance of an airline.
pub fn alliance_of(designator: &str) -> Option<Alliance> {
    [("star", Alliance::Star), ("oneworld", Alliance::Oneworld), ("skyteam", Alliance::Skyteam)]
        .into_iter()
        .find_map(|(group, alliance)| belongs(designator, group).then_some(alliance))
}

/// Whether an airline sells seats and little else.
pub fn is_low_cost(designator: &str) -> bool {
    belongs(designator, "low_cost")
}

fn read(line: &'static str) -> Option<Carrier> {
    let mut fields = line.split('\t');
    let (designator, name) = (fields.next()?, fields.next()?);
    let aliases = fields.next().unwrap_or_default().split('|').filter(|alias| !alias.is_empty());
    let aliases = aliases.map(|alias| match alias.strip_prefix('~') {
        Some(name) => Alias { name, ordinary: true },
        None => Alias { name: alias, ordinary: false },
    });
    Some(Carrier { designator, name, aliases: aliases.collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn designators_have_the_names_people_write() {
        for (designator, name) in [
            ("UA", Some("United Airlines")),
            ("DL", Some("Delta Airlines")),
            ("BA", Some("British Airways")),
            ("SA", Some("South African Airways")),
            ("9P", Some("Fly Jinnah")),
            ("??", None),
        ] {
            assert_eq!(name_of(designator), name);
        }
    }

    #[test]
    fn sites_are_of_airlines_of_the_table_and_there_is_one_of_each() {
        assert_eq!(site_of("EK"), Some("https://www.emirates.com"));
        assert_eq!(site_of("??"), None);
        let lines = include_str!("../../data/airline_sites.tsv").lines().filter(|line| !line.starts_with('#'));
        assert_eq!(lines.clone().count(), SITES.len());
        for line in lines {
            let (designator, domain) = line.split_once('\t').unwrap();
            assert!(name_of(designator).is_some(), "{line}");
            assert!(
                domain.contains('.')
                    && domain.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte))
            );
        }
    }

    #[test]
    fn airlines_belong_to_one_alliance_at_most_and_no_alliance_sells_seats_alone() {
        let members: Vec<&str> = GROUPS.iter().flat_map(|(_, members)| members.iter().copied()).collect();
        assert_eq!(GROUPS.len(), 4);
        for member in &members {
            assert_eq!(members.iter().filter(|other| *other == member).count(), 1, "{member}");
        }
        assert_eq!(alliance_of("QR"), Some(Alliance::Oneworld));
        assert_eq!((alliance_of("EK"), is_low_cost("U2"), is_low_cost("LH")), (None, true, false));
    }

    #[test]
    fn every_line_is_read_and_no_designator_twice() {
        assert_eq!(carriers().len(), include_str!("../../data/airlines.tsv").lines().count() - 1);
        assert!(carriers().is_sorted_by(|one, next| one.designator < next.designator));
        assert!(carriers().iter().all(|carrier| carrier.designator.len() == 2 && !carrier.name.is_empty()));
    }
}
