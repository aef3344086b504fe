//! Goes through a message and reads each place it names.

use std::cmp::Reverse;
use std::ops::Range;

use contracts::travel::{Iata, Place};
use geo::airports;

use super::evidence::{Context, Evidence};
use super::mention::{Mention, Named};
use super::names::{self, Bearer, is_ordinary};
use super::regions::{Extent, Region, qualifier, regions};
use super::somewhere;
use crate::airlines;
use crate::tokens::Token;
use crate::towns::{Town, is_landmark, town};

/// The most words a name has ("Washington District of Columbia").
const MOST_WORDS: usize = 5;
/// The most candidates that are asked about.
const MOST_CANDIDATES: usize = 5;
/// The most names of one message that are searched for typing errors.
const MOST_SEARCHES: usize = 60;
/// Codes that are words which stand behind "to" and before names.
const NEVER_CODES: [&str; 16] =
    ["the", "and", "any", "all", "her", "his", "our", "my", "one", "two", "get", "see", "fly", "for", "you", "now"];
/// From this tier on a code counts in lower case, too ("from lhr").
const WELL_KNOWN: u8 = 3;
/// Abbreviated states and countries that are words a person types far more often.
const COMMON_ABBREVIATIONS: [&str; 16] =
    ["on", "or", "in", "me", "hi", "ok", "oh", "de", "id", "us", "co", "act", "al", "la", "ma", "pa"];

/// The places that a message names, in its order; their tokens never overlap.
pub fn find(tokens: &[Token]) -> Vec<Mention> {
    let mut taken = vec![false; tokens.len()];
    for token in airlines::find(tokens).into_iter().flat_map(|mention| mention.tokens) {
        if let Some(taken) = taken.get_mut(token) {
            *taken = true;
        }
    }
    let mut scan = Scan { tokens, taken, context: Context::new(tokens), searches: 0, last: 0 };
    let mut mentions: Vec<Mention> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        match scan.read(at) {
            Some(mention) => {
                (at, scan.last) = (mention.tokens.end, mention.tokens.end);
                join(&mut mentions, mention, tokens);
            }
            None => at += 1,
        }
    }
    mentions
}

struct Scan<'a> {
    tokens: &'a [Token],
    /// Tokens that name something else.
    taken: Vec<bool>,
    context: Context<'a>,
    searches: usize,
    /// Where the last place ended.
    last: usize,
}

impl Scan<'_> {
    /// The place whose name starts at this token.
    fn read(&mut self, at: usize) -> Option<Mention> {
        if let Some(mention) = self.somewhere(at) {
            return Some(mention);
        }
        let windows = self.windows(at);
        let mention = self
            .code(at)
            .or_else(|| self.routed(at))
            .or_else(|| windows.iter().find_map(|(name, end)| self.named(name, at..*end)))
            .or_else(|| self.lower_case_code(at))
            .or_else(|| self.misspelt(&windows, at))?;
        Some(self.with_airport(mention))
    }

    /// The names that may start at a token, the longest first, each with its end. Between its words may stand what is
    /// written within names: "St. Louis", "Winston-Salem", "Martha's Vineyard".
    fn windows(&self, start: usize) -> Vec<(String, usize)> {
        let mut windows: Vec<(String, usize)> = Vec::with_capacity(MOST_WORDS);
        let (mut name, mut at) = (String::new(), start);
        for _ in 0..MOST_WORDS {
            let Some(word) = self.tokens.get(at).filter(|word| word.is_word() && !self.taken(at)) else { break };
            if !name.is_empty() {
                name.push(' ');
            }
            name.push_str(&word.text);
            windows.push((name.clone(), at + 1));
            at += 1;
            if self.context.text(at) == "'s" {
                name.push('s');
                at += 1;
                windows.push((name.clone(), at));
            }
            while matches!(self.context.text(at), "." | "-" | "/") {
                at += 1;
            }
        }
        windows.reverse();
        windows
    }

    fn taken(&self, at: usize) -> bool {
        self.taken.get(at).copied().unwrap_or(true)
    }

    /// "Somewhere warm in Europe", "anywhere sunny", "somewhere in Asia": a wish in place of a place.
    fn somewhere(&self, at: usize) -> Option<Mention> {
        if !matches!(self.context.text(at), "somewhere" | "anywhere" | "someplace") {
            return None;
        }
        let mut next = at + 1 + usize::from(matches!(self.context.text(at + 1), "really" | "very" | "with"));
        let mut kind = None;
        // Of "nice and warm" the second says more.
        while let Some(named) = somewhere::kind(self.context.text(next)) {
            kind = kind.filter(|_| named == "any").or(Some(named));
            next += 1;
            next += usize::from(
                matches!(self.context.text(next), "and" | ",")
                    && somewhere::kind(self.context.text(next + 1)).is_some(),
            );
        }
        let within = matches!(self.context.text(next), "in" | "within" | "around");
        let region = self.windows(next + usize::from(within)).into_iter().filter(|_| within).find_map(|(name, end)| {
            let region = regions(&name).iter().find(|region| !somewhere::suggested("any", region.name).is_empty())?;
            Some((region.name, end))
        });
        let (region, end) = region.unwrap_or(("any", next));
        if kind.is_none() && region == "any" {
            return None;
        }
        let busiest = somewhere::suggested(kind.unwrap_or("any"), region);
        (!busiest.is_empty()).then_some(Mention { tokens: at..end, named: Named::Region { name: region, busiest } })
    }

    /// An IATA code written in capitals.
    fn code(&self, at: usize) -> Option<Mention> {
        let text = self.context.text(at);
        if text.len() != 3 || self.taken(at) || !self.context.capitals(at) {
            return None;
        }
        if regions(text).iter().any(|region| region.extent == Extent::Country) {
            return None;
        }
        let bearer = names::bearer(text.parse().ok()?)?;
        let around = self.context.around(&(at..at + 1), self.last);
        let expected = around.leads_on || around.alone || around.placed && around.closed;
        let meant = !is_ordinary(text) || expected && !self.context.beside_a_date(at);
        // "SAN Francisco" is no code.
        let longer = || self.windows(at).iter().any(|(name, end)| *end > at + 1 && !names::bearers(name).is_empty());
        (meant && !longer()).then(|| clear(&bearer, at..at + 1))
    }

    /// A well-known code in lower case, where a place is expected.
    fn lower_case_code(&self, at: usize) -> Option<Mention> {
        let text = self.context.text(at);
        if self.taken(at) || is_ordinary(text) {
            return None;
        }
        let bearer = names::bearer(text.parse().ok()?).filter(|bearer| bearer.tier >= WELL_KNOWN)?;
        let around = self.context.around(&(at..at + 1), self.last);
        // "From paris cdg": the airport right behind its city.
        let behind_its_city = self.last > 0
            && self.last == at
            && self.context.text(at - 1).len() > 3
            && names::bearers(self.context.text(at - 1))
                .iter()
                .any(|city| airports::airports_of(city.iata).any(|airport| airport.iata == bearer.iata));
        // "Do I hav to pay": only what leads to a place is one.
        let leads = around.leads_on && self.starts_place(at + 2);
        (around.placed || around.alone || leads || behind_its_city).then(|| clear(&bearer, at..at + 1))
    }

    /// A code or a name that a sign or "to" joins to another: "bkk > hkt", "cpt→jnb", "nice to paris".
    fn routed(&self, at: usize) -> Option<Mention> {
        let text = self.context.text(at);
        // "To Los Angeles" names no LOS.
        let longer = || self.windows(at).iter().any(|(name, end)| *end > at + 1 && !names::bearers(name).is_empty());
        // "To the Caribbean" names no THE, which is Teresina.
        if self.taken(at) || text.len() < 2 || NEVER_CODES.contains(&text) || longer() {
            return None;
        }
        // "bkk hkg 9 dec": two codes side by side.
        let is_code = |at: usize| {
            let text = self.context.text(at);
            let bearer = text.parse().ok().and_then(names::bearer);
            bearer.is_some_and(|bearer| bearer.tier >= names::PROMINENT)
                && !is_ordinary(text)
                && names::bearers(text).is_empty()
        };
        let beside = is_code(at) && (is_code(at + 1) || at > 0 && self.last == at && is_code(at - 1));
        let behind = || self.context.joint(at + 1).is_some_and(|length| self.starts_place(at + 1 + length));
        let before = || {
            (1..=3).any(|length| {
                at > length && self.context.joint(at - length) == Some(length) && self.last == at - length
            })
        };
        let code = text.parse().ok().and_then(names::bearer);
        let clean = |sign: &str| matches!(sign, "-" | ">" | "/" | "→" | "➡" | "=" | "»");
        // "Goa" is the city, not Genoa.
        let named = names::bearers(text).first();
        let outranks =
            |bearer: &Bearer| named.is_none_or(|named| named.iata == bearer.iata || named.tier < bearer.tier);
        let code = code.filter(|bearer| outranks(bearer) && regions(text).is_empty());
        match code {
            Some(bearer) => {
                let signed = clean(self.context.text(at + 1)) || at > 0 && clean(self.context.text(at - 1));
                // "to" is said between words, too: a code before it must be one that people know, or begin the sentence.
                let known = signed || bearer.tier >= names::PROMINENT;
                let (behind, before) = (behind(), before());
                let side = at > 0 && self.tokens.get(at - 1).is_some_and(Token::is_word) && !signed;
                let begins = !side
                    || matches!(self.context.text(at - 1), "from" | "fly" | "flight" | "flights" | "hey" | "need");
                let coded = || self.last > 0 && self.context.text(self.last - 1).len() == 3;
                let meant =
                    behind && (begins || !is_ordinary(text)) || before && (signed || !is_ordinary(text) || coded());
                (known && meant || beside).then(|| clear(&bearer, at..at + 1))
            }
            None => {
                let bearers = names::bearers(text);
                let first = bearers.first().filter(|first| first.tier >= names::PROMINENT && is_ordinary(text))?;
                let begins = at == 0
                    || !self.tokens.get(at - 1).is_some_and(Token::is_word)
                    || matches!(
                        self.context.text(at - 1),
                        "from" | "wrong" | "no" | "then" | "flight" | "flights" | "ticket" | "tickets"
                    )
                    || self.context.text(at - 1).starts_with(|first: char| first.is_ascii_digit());
                (begins && behind() && !first.iata.as_str().is_empty())
                    .then(|| Mention { named: Named::Place(likeliest(bearers)), tokens: at..at + 1 })
            }
        }
    }

    /// A name or code that needs no evidence starts at a token.
    fn starts_place(&self, at: usize) -> bool {
        let code = self.context.text(at).parse().ok().and_then(names::bearer);
        let end = !self.tokens.get(at + 1).is_some_and(Token::is_word) || self.context.ends_place(at + 1);
        // "ISB to man 17 dec": also a code that is a word, where a day or nothing follows.
        let dated = || {
            let next = self.context.text(at + 1);
            next.starts_with(|first: char| first.is_ascii_digit())
                || !self.tokens.get(at + 1).is_some_and(Token::is_word)
        };
        let ordinary = is_ordinary(self.context.text(at));
        code.is_some_and(|bearer| !ordinary && (bearer.tier > 0 || end) || bearer.tier >= names::PROMINENT && dated())
            || self.windows(at).iter().any(|(name, _)| {
                let known = names::bearers(name).first().is_some_and(|first| first.tier > 0);
                known && (!is_ordinary(name) || end) || !name.is_ascii() && town(name).is_some()
            })
    }

    /// What the words around a name say; one that leads on to a place ("Cambridge to Edinburgh") is placed.
    fn leading_on(&self, span: &Range<usize>) -> Evidence {
        let mut around = self.context.around(span, self.last);
        let begins = span.start == 0
            || !self.tokens.get(span.start - 1).is_some_and(Token::is_word)
            || matches!(
                self.context.text(span.start - 1),
                "flight" | "flights" | "tickets" | "ticket" | "fly" | "cheap"
            );
        around.placed |= around.leads_on && begins && self.starts_place(span.end + 1);
        around
    }

    /// A landmark, a town without an airport, or a city's name in another language.
    fn town(&self, name: &str, span: &Range<usize>) -> Option<Mention> {
        let found = town(name)?;
        let around = self.leading_on(span);
        let foreign = !name.is_ascii();
        let landmark = is_landmark(name) && (name.contains(' ') || !is_ordinary(name));
        let meant = foreign
            || landmark && (around.expects_a_place() || name.contains(' '))
            || is_landmark(name) && around.placed && around.closed
            || around.suffices(name, 1) && (name.len() > 3 || around.placed);
        let place = |code: &Iata| names::bearer(*code).map(|bearer| names::place(&bearer));
        let named = match &found {
            Town::City(code) => Named::Place(vec![place(code)?]),
            Town::Near(codes) => Named::Near { airports: codes.iter().filter_map(place).collect() },
        };
        meant.then(|| Mention { named, tokens: span.clone() })
    }

    /// A name spelt as it is in the tables.
    fn named(&self, name: &str, span: Range<usize>) -> Option<Mention> {
        let bearers = names::bearers(name);
        let here = regions(name);
        let little_known = bearers.first().is_none_or(|first| first.tier == 0);
        let whole = here.iter().any(|region| region.extent != Extent::Part);
        if little_known
            && (is_landmark(name) || !whole && bearers.is_empty())
            && let Some(mention) = self.town(name, &span)
        {
            return Some(mention);
        }
        if bearers.is_empty() && here.is_empty() {
            return None;
        }
        if let Some(mention) = self.in_region(name, bearers, &span) {
            return Some(mention);
        }
        let around = self.leading_on(&span);
        let city = bearers.first().filter(|first| {
            let in_capitals = name.len() < 4 && self.context.capitals(span.start);
            first.tier >= names::PROMINENT && in_capitals || around.suffices(name, first.tier)
        });
        let region = here.iter().find(|region| self.means(region, name, &span, &around));
        match (city, region) {
            (Some(city), Some(region)) if !outweighs(city, region) => Some(unresolved(region, span)),
            (Some(_), _) => Some(Mention { named: Named::Place(likeliest(bearers)), tokens: span }),
            (None, Some(region)) => Some(unresolved(region, span)),
            (None, None) => None,
        }
    }

    /// A name with the region it lies in: "Portland, OR", "San Jose in Costa Rica", "London England".
    fn in_region(&self, name: &str, bearers: &[Bearer], span: &Range<usize>) -> Option<Mention> {
        bearers.first()?;
        let joiner = self.context.text(span.end);
        let (comma, within) = (matches!(joiner, "," | "("), joiner == "in");
        let mut start = span.end + usize::from(comma || within);
        start += usize::from(within && self.context.text(start) == "the");
        let windows = self.windows(start);
        let (regions, end) = windows
            .iter()
            .find_map(|(name, end)| Some((regions(name), *end)).filter(|(found, _)| !found.is_empty()))?;
        let abbreviated = end == start + 1 && self.context.text(start).len() <= 3;
        if abbreviated && !self.is_abbreviation(start, comma) {
            return None;
        }
        let there: Vec<Bearer> = bearers
            .iter()
            .filter(|bearer| regions.iter().any(|region| region.holds(bearer.airport)))
            .copied()
            .collect();
        let end = end + usize::from(joiner == "(" && self.context.text(end) == ")");
        let around = self.context.around(&(span.start..end), self.last);
        let written = self.tokens.get(span.start).is_some_and(|token| token.capital);
        if there.is_empty() {
            // "Paris, Germany" names one place that we do not know, "Paris Germany" perhaps two.
            let known = self.context.around(span, self.last).suffices(name, bearers.first()?.tier);
            let unknown = comma && known && !abbreviated;
            return unknown.then(|| Mention { tokens: span.start..end, named: Named::Place(Vec::new()) });
        }
        if is_ordinary(name) && !(around.placed || around.alone || written) {
            return None;
        }
        let usual = bearers.first().zip(there.first()).is_some_and(|(usual, this)| usual.iata == this.iata);
        let places = if usual && likeliest(&there).len() == 1 {
            there.iter().take(1).map(names::place).collect()
        } else {
            at_the_top(&there).map(qualified).collect()
        };
        Some(Mention { tokens: span.start..end, named: Named::Place(places) })
    }

    /// A word of up to three letters is an abbreviated region, not the word it also is ("or", "in", "me").
    fn is_abbreviation(&self, at: usize, after_comma: bool) -> bool {
        let Some(word) = self.tokens.get(at) else { return false };
        let closed = self.context.around(&(at..at + 1), 0).closed;
        let common = COMMON_ABBREVIATIONS.contains(&word.text.as_str());
        self.context.capitals(at)
            || after_comma && (word.capital || !common || closed && !matches!(word.text.as_str(), "or" | "in" | "on"))
            || !common && !is_ordinary(&word.text)
    }

    /// A region is named by itself.
    fn means(&self, region: &Region, name: &str, span: &Range<usize>, around: &Evidence) -> bool {
        let country = region.extent == Extent::Country;
        let abbreviated = name.len() <= 3;
        let spelt = !abbreviated || country && (name != "us" || self.context.capitals(span.start));
        let ordinary = name.split(' ').all(is_ordinary);
        spelt
            && (around.placed && (!ordinary || around.closed)
                || around.alone && !abbreviated
                || around.alone && country
                // "UK not Alabama".
                || self.context.text(span.end) == "not" && self.names_region(span.end + 1)
                || span.start > 0 && self.context.text(span.start - 1) == "not" && !abbreviated
                // "The UK one".
                || country && self.context.text(span.end) == "one")
    }

    /// A region, whole or part of a country, is named at a token.
    fn names_region(&self, at: usize) -> bool {
        self.windows(at).iter().any(|(name, _)| !regions(name).is_empty())
    }

    /// A prominent name with one typing error, where a place is expected.
    fn misspelt(&mut self, windows: &[(String, usize)], at: usize) -> Option<Mention> {
        windows.iter().filter(|(_, end)| *end < at + 6).find_map(|(name, end)| {
            let letters = name.chars().count();
            let words: Vec<&str> = name.split(' ').collect();
            if letters < 5 || words.len() > 3 || words.first()?.len() < 2 || words.iter().all(|word| is_ordinary(word))
            {
                return None;
            }
            let around = self.context.around(&(at..*end), self.last);
            if !around.expects_a_place()
                || name.bytes().any(|byte| byte.is_ascii_digit())
                || self.searches >= MOST_SEARCHES
            {
                return None;
            }
            self.searches += 1;
            let mut meant: Vec<Bearer> =
                names::misspelt(name).filter_map(|known| names::bearers(known).first().copied()).collect();
            meant.sort_by_key(|bearer| (Reverse(bearer.tier), bearer.iata));
            meant.dedup_by_key(|bearer| bearer.iata);
            let places = likeliest(&meant);
            (!places.is_empty()).then_some(Mention { tokens: at..*end, named: Named::Place(places) })
        })
    }

    /// Takes in the word "airport" after a name.
    fn with_airport(&self, mut mention: Mention) -> Mention {
        let mut end = mention.tokens.end;
        if matches!(self.context.text(end), "international" | "intl") {
            end += 1;
        }
        if matches!(self.context.text(end), "airport" | "airports") {
            mention.tokens.end = end + 1;
        }
        mention
    }
}

/// A city that is meant rather than the region of its name: a big one, or one that is as good as its country.
fn outweighs(city: &Bearer, region: &Region) -> bool {
    city.tier >= WELL_KNOWN || region.extent == Extent::Country && region.country == city.airport.country
}

fn unresolved(region: &Region, tokens: Range<usize>) -> Mention {
    Mention { tokens, named: Named::Region { name: region.name, busiest: busiest(region) } }
}

/// The places of a region that are prominent, those flown to most first.
fn busiest(region: &Region) -> Vec<Place> {
    if region.extent == Extent::Part || region.country == "-" {
        return somewhere::suggested("any", region.name);
    }
    let mut cities: Vec<Bearer> = Vec::new();
    for airport in airports::airports().iter().filter(|airport| region.holds(airport)) {
        let city = airports::metro_of(airport.iata).map_or(airport.iata, |metro| metro.iata);
        // Of a small state the small ones are told, too.
        let least = if matches!(region.extent, Extent::Subdivision(_)) { 1 } else { names::PROMINENT };
        if let Some(bearer) = names::bearer(city).filter(|bearer| bearer.tier >= least)
            && cities.iter().all(|other| other.iata != bearer.iata)
        {
            cities.push(bearer);
        }
    }
    cities.sort_by_key(|bearer| (Reverse(bearer.tier), bearer.iata));
    cities.iter().take(MOST_CANDIDATES).map(names::place).collect()
}

fn clear(bearer: &Bearer, tokens: Range<usize>) -> Mention {
    Mention { tokens, named: Named::Place(vec![names::place(bearer)]) }
}

/// Those that are flown to most, and alike.
fn at_the_top(bearers: &[Bearer]) -> impl Iterator<Item = &Bearer> {
    let tier = bearers.first().map(|first| first.tier);
    bearers.iter().take_while(move |bearer| Some(bearer.tier) == tier).take(MOST_CANDIDATES)
}

/// Who is most likely meant: one, or several told apart by where they lie.
fn likeliest(bearers: &[Bearer]) -> Vec<Place> {
    let top: Vec<&Bearer> = at_the_top(bearers).collect();
    match top.as_slice() {
        [one] => vec![names::place(one)],
        several => several.iter().copied().map(qualified).collect(),
    }
}

fn qualified(bearer: &Bearer) -> Place {
    let place = names::place(bearer);
    Place { name: format!("{}, {}", place.name, qualifier(bearer.airport)), iata: place.iata }
}

/// Adds a mention, or makes it one with the last where both name the same place: "London (LHR)", "Heathrow, London".
fn join(mentions: &mut Vec<Mention>, next: Mention, tokens: &[Token]) {
    let joined = mentions.last().and_then(|last| {
        let between = tokens.get(last.tokens.end..next.tokens.start)?;
        let apposed = between.len() <= 1
            && between.iter().all(|token| matches!(token.text.as_str(), "," | "(" | "in" | "-" | "/"));
        let narrower = narrower(&last.named, &next.named).filter(|_| apposed)?;
        let closing = tokens.get(next.tokens.end).is_some_and(|token| token.text == ")");
        let end = next.tokens.end + usize::from(closing && between.iter().any(|token| token.text == "("));
        Some(Mention { tokens: last.tokens.start..end, named: Named::Place(vec![narrower]) })
    });
    match joined {
        Some(mention) => {
            mentions.pop();
            mentions.push(mention);
        }
        None => mentions.push(next),
    }
}

/// The more exact of two names of one place; nothing where they are two places.
fn narrower(one: &Named, other: &Named) -> Option<Place> {
    let (Named::Place(one), Named::Place(other)) = (one, other) else { return None };
    let ([other], [first, ..]) = (other.as_slice(), one.as_slice()) else { return None };
    let airports = |code: Iata| airports::airports_of(code).map(|airport| airport.iata).collect::<Vec<_>>();
    let within = |place: &Place, whole: &Place| {
        let whole = airports(whole.iata);
        airports(place.iata).iter().all(|airport| whole.contains(airport))
    };
    if one.iter().any(|place| within(other, place)) {
        Some(other.clone())
    } else {
        (one.len() == 1 && within(first, other)).then(|| first.clone())
    }
}
