//! Patterns over words, from text files that a person can read and extend (`data/*.txt`).
//!
//! ```text
//! @me = i | me | myself            a list of words, used as @me
//! suicide!! @want to (kill | hang) myself .. (tonight | now)
//! suicide?  no (reason | point) to? live
//! -         in my (novel | story)
//! ```
//!
//! A line is what a match says, then words. `(a | b c)` is one of several, `word?` or `(a | b)?` may be missing, `end(s|ing|)`
//! are three words, `stem*` is any word that begins so, `..` up to three words and `...` up to seven in between, `^` the
//! beginning of a sentence and `$` its end. A match never crosses the end of a sentence. What a match says is [`Says`].

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use crate::Class;
use crate::text::{Words, spaced};

/// The most words that `..` and `...` stand for.
const SHORT_GAP: usize = 3;
const LONG_GAP: usize = 7;

/// What a match says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Says {
    /// `class!`, `class!!` (it happens now) and `class?` (it may mean something else).
    Danger {
        /// Which.
        class: Class,
        /// How much of it.
        strength: Strength,
    },
    /// `-`: what overlaps with it is not meant so.
    Calm,
    /// `--`: what else stands in this sentence and may mean something else, does.
    CalmSentence,
    /// `---`: the same for the whole message.
    CalmMessage,
}

impl FromStr for Says {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "-" => return Ok(Self::Calm),
            "--" => return Ok(Self::CalmSentence),
            "---" => return Ok(Self::CalmMessage),
            _ => {}
        }
        let class = text.trim_end_matches(['!', '?']);
        let strength = match text.strip_prefix(class).unwrap_or_default() {
            "!!" => Strength::Now,
            "!" => Strength::Sure,
            "?" => Strength::Weak,
            _ => return Err("it must say how sure it is: `!!`, `!` or `?`".to_owned()),
        };
        let class = Class::named(class).ok_or("there is no such class")?;
        Ok(Self::Danger { class, strength })
    }
}

impl fmt::Display for Says {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Calm => to.write_str("-"),
            Self::CalmSentence => to.write_str("--"),
            Self::CalmMessage => to.write_str("---"),
            Self::Danger { class, strength: Strength::Now } => write!(to, "{}!!", class.name()),
            Self::Danger { class, strength: Strength::Sure } => write!(to, "{}!", class.name()),
            Self::Danger { class, strength: Strength::Weak } => write!(to, "{}?", class.name()),
        }
    }
}

/// How surely a match says what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Strength {
    /// Only together with something else.
    Weak,
    /// On its own.
    Sure,
    /// On its own, and it happens now.
    Now,
}

/// A place where a pattern matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Match<T> {
    pub says: T,
    /// The first word, and the one after the last.
    pub from: usize,
    pub to: usize,
}

pub(crate) type SetId = u32;
/// What `@name` stands for.
type Lists = HashMap<String, Vec<Vec<Element>>>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Element {
    /// A word of a set.
    One(SetId),
    /// One of several sequences; where it may be missing, an empty one comes last.
    Choice(Vec<Vec<Element>>),
    /// Up to so many words of any kind.
    Gap(usize),
    /// The beginning or the end of a sentence.
    Begin,
    End,
}

/// What is still to be matched: some elements, and then what stood behind them.
#[derive(Clone, Copy)]
struct Rest<'a> {
    elements: &'a [Element],
    then: Option<&'a Rest<'a>>,
}

#[derive(Debug)]
pub(crate) struct Pattern<T> {
    pub says: T,
    pub elements: Vec<Element>,
    /// What a sentence must have besides its first word, if it is to match at all: a word of one of these sets, for each.
    pub needs: Vec<Vec<SetId>>,
}

/// All patterns, by the words that they begin with.
#[derive(Debug)]
pub(crate) struct Lexicon<T> {
    pub(crate) patterns: Vec<Pattern<T>>,
    /// By the set of the first word.
    pub(crate) by_first: Vec<Vec<usize>>,
    pub(crate) words: HashMap<Cow<'static, str>, Vec<SetId>>,
    /// Stems by their first three letters.
    pub(crate) stems: HashMap<[u8; 3], Vec<(Cow<'static, str>, SetId)>>,
    /// How many sets of words there are.
    pub(crate) sets: usize,
    /// What is known while patterns are added: the sets by their words, and the lists.
    by_words: HashMap<Vec<String>, SetId>,
    lists: Lists,
}

impl<T> Default for Lexicon<T> {
    fn default() -> Self {
        Self {
            patterns: Vec::new(),
            by_first: Vec::new(),
            words: HashMap::new(),
            stems: HashMap::new(),
            sets: 0,
            by_words: HashMap::new(),
            lists: Lists::new(),
        }
    }
}

impl Lexicon<Says> {
    /// Reads pattern files.
    ///
    /// # Errors
    /// The first line that cannot be read, with what is wrong with it.
    pub fn parse<'a>(files: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let mut lexicon = Self::default();
        for line in files.into_iter().flat_map(str::lines) {
            let line = line.split('#').next().unwrap_or_default().trim();
            if !line.is_empty() {
                lexicon.line(line).map_err(|wrong| format!("{wrong}: {line}"))?;
            }
        }
        Ok(lexicon)
    }

    fn line(&mut self, line: &str) -> Result<(), String> {
        if let Some((name, values)) = line.strip_prefix('@').and_then(|rest| rest.split_once(" = ")) {
            let values = self.alternatives(values)?;
            self.lists.insert(name.trim().to_owned(), values);
            return Ok(());
        }
        let (says, pattern) = line.split_once(char::is_whitespace).ok_or("it has no words")?;
        self.add(says.parse()?, pattern)
    }
}

impl<T: Copy> Lexicon<T> {
    /// Adds a pattern.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn add(&mut self, says: T, pattern: &str) -> Result<(), String> {
        let elements = self.sequence(&spaced(pattern))?;
        let mut firsts = Vec::new();
        if can_be_empty(&elements, &mut firsts)? {
            return Err("it may be nothing at all".to_owned());
        }
        firsts.sort_unstable();
        firsts.dedup();
        for first in firsts {
            let first = first as usize;
            if self.by_first.len() <= first {
                self.by_first.resize(first + 1, Vec::new());
            }
            self.by_first.get_mut(first).into_iter().for_each(|patterns| patterns.push(self.patterns.len()));
        }
        let needs = elements.iter().skip(1).filter_map(needed).collect();
        self.patterns.push(Pattern { says, elements, needs });
        Ok(())
    }

    fn sequence(&mut self, text: &str) -> Result<Vec<Element>, String> {
        divided(text, char::is_whitespace)?.into_iter().map(|item| self.element(item)).collect()
    }

    fn element(&mut self, item: &str) -> Result<Element, String> {
        match item {
            ".." => return Ok(Element::Gap(SHORT_GAP)),
            "..." => return Ok(Element::Gap(LONG_GAP)),
            "^" => return Ok(Element::Begin),
            "$" => return Ok(Element::End),
            _ => {}
        }
        let (item, optional) = item.strip_suffix('?').map_or((item, false), |item| (item, true));
        let group = item.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')).filter(|inner| is_closed(inner));
        let choices = match group {
            Some(inner) => self.alternatives(inner)?,
            None if item.contains('(') => self.alternatives(&written_out(item)?.join("|"))?,
            None => self.alternatives(item)?,
        };
        let choices: Vec<_> = choices.into_iter().chain(optional.then(Vec::new)).collect();
        match <[_; 1]>::try_from(choices) {
            Ok([only]) => match <[_; 1]>::try_from(only) {
                Ok([element]) => Ok(element),
                Err(only) => Ok(Element::Choice(vec![only])),
            },
            Err(choices) => Ok(Element::Choice(choices)),
        }
    }

    /// What `a | b c | @list` stands for; single words are one set.
    fn alternatives(&mut self, text: &str) -> Result<Vec<Vec<Element>>, String> {
        let mut single = Vec::new();
        let mut choices = Vec::new();
        let mut may_be_missing = false;
        for one in divided(text, |letter| letter == '|')? {
            let one = one.trim();
            if one.is_empty() {
                may_be_missing = true;
            } else if let Some(name) = one.strip_prefix('@') {
                choices
                    .extend(self.lists.get(name).ok_or_else(|| format!("there is no list @{name}"))?.iter().cloned());
            } else if one.contains(|letter: char| letter.is_whitespace() || "(?^$".contains(letter))
                || one.starts_with("..")
            {
                choices.push(self.sequence(one)?);
            } else {
                single.push(one.to_owned());
            }
        }
        if !single.is_empty() {
            choices.push(vec![Element::One(self.set(&single))]);
        }
        if may_be_missing {
            choices.push(Vec::new());
        }
        Ok(choices)
    }

    fn set(&mut self, words: &[String]) -> SetId {
        let mut key = words.to_vec();
        key.sort();
        key.dedup();
        let next = self.sets as SetId;
        if let Some(id) = self.by_words.get(&key) {
            return *id;
        }
        for word in &key {
            match word.strip_suffix('*') {
                Some(stem) => self.add_stem(stem.to_owned().into(), next),
                None => self.words.entry(word.clone().into()).or_default().push(next),
            }
        }
        self.by_words.insert(key, next);
        self.sets += 1;
        next
    }

    /// A word that begins so is one of a set.
    pub(crate) fn add_stem(&mut self, stem: Cow<'static, str>, set: SetId) {
        if let Some(start) = three(&stem) {
            self.stems.entry(start).or_default().push((stem, set));
        }
    }

    /// Every whole word of the patterns.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.words.keys().map(Cow::as_ref)
    }

    /// Every match, in the order of where it begins.
    pub fn matches(&self, words: &Words) -> Vec<Match<T>> {
        let sets: Vec<Cow<'_, [SetId]>> = words.iter().map(|word| self.sets_of(word)).collect();
        let mut matches = Vec::new();
        let mut from = 0;
        while from < words.len() {
            let length = (from..words.len()).take_while(|at| words.sentence(*at) == words.sentence(from)).count();
            let sentence = from..from + length;
            let mut present = Present::new(self.sets);
            sets.get(sentence.clone())
                .into_iter()
                .flatten()
                .flat_map(|of_word| of_word.iter())
                .for_each(|set| present.add(*set));
            for at in sentence {
                self.matches_from(at, words, &sets, &present, &mut matches);
            }
            from += length;
        }
        matches
    }

    fn matches_from(
        &self,
        from: usize,
        words: &Words,
        sets: &[Cow<'_, [SetId]>],
        present: &Present,
        matches: &mut Vec<Match<T>>,
    ) {
        let of_word = sets.get(from).into_iter().flat_map(|sets| sets.iter());
        for index in of_word.filter_map(|set| self.by_first.get(*set as usize)).flatten() {
            let Some(pattern) = self.patterns.get(*index) else { continue };
            if !pattern.needs.iter().all(|sets| sets.iter().any(|set| present.has(*set))) {
                continue;
            }
            let rest = Rest { elements: &pattern.elements, then: None };
            if let Some(to) = reach(rest, from, words, sets) {
                matches.push(Match { says: pattern.says, from, to });
            }
        }
    }

    /// The sets of a word, in order.
    fn sets_of(&self, word: &str) -> Cow<'_, [SetId]> {
        let sets = self.words.get(word).map_or(&[][..], Vec::as_slice);
        let stems = three(word).and_then(|start| self.stems.get(&start)).into_iter().flatten();
        let mut stems = stems.filter(|(stem, _)| word.starts_with(stem.as_ref())).map(|(_, set)| *set).peekable();
        if stems.peek().is_none() {
            return Cow::Borrowed(sets);
        }
        let mut sets: Vec<SetId> = sets.iter().copied().chain(stems).collect();
        sets.sort_unstable();
        Cow::Owned(sets)
    }
}

/// Which sets have a word in a sentence.
struct Present(Vec<u64>);

impl Present {
    fn new(sets: usize) -> Self {
        Self(vec![0; sets / 64 + 1])
    }

    fn add(&mut self, set: SetId) {
        if let Some(bits) = self.0.get_mut(set as usize / 64) {
            *bits |= 1 << (set % 64);
        }
    }

    fn has(&self, set: SetId) -> bool {
        self.0.get(set as usize / 64).is_some_and(|bits| bits >> (set % 64) & 1 == 1)
    }
}

/// The sets of which an element needs a word; `None` where it can do without, or needs too much to say so briefly.
fn needed(element: &Element) -> Option<Vec<SetId>> {
    match element {
        Element::One(set) => Some(vec![*set]),
        Element::Choice(choices) => {
            let each: Option<Vec<Vec<SetId>>> = choices.iter().map(|choice| choice.iter().find_map(needed)).collect();
            Some(each?.concat())
        }
        _ => None,
    }
}

/// The first three bytes of a word.
fn three(word: &str) -> Option<[u8; 3]> {
    word.as_bytes().first_chunk::<3>().copied()
}

/// Adds the sets that a sequence may begin with; whether it may be nothing at all.
fn can_be_empty(elements: &[Element], firsts: &mut Vec<SetId>) -> Result<bool, String> {
    for element in elements {
        match element {
            Element::One(set) => {
                firsts.push(*set);
                return Ok(false);
            }
            Element::Choice(choices) => {
                let mut empty = false;
                for choice in choices {
                    empty |= can_be_empty(choice, firsts)?;
                }
                if !empty {
                    return Ok(false);
                }
            }
            Element::Gap(_) => return Err("it begins with a gap".to_owned()),
            Element::Begin | Element::End => {}
        }
    }
    Ok(true)
}

/// Where what is left of a pattern ends when it goes on at a word; the shortest way through its gaps.
fn reach(rest: Rest<'_>, at: usize, words: &Words, sets: &[Cow<'_, [SetId]>]) -> Option<usize> {
    let Some((element, elements)) = rest.elements.split_first() else {
        return match rest.then {
            Some(then) => reach(*then, at, words, sets),
            None => Some(at),
        };
    };
    let rest = Rest { elements, then: rest.then };
    let is_start = at == 0 || words.sentence(at - 1) != words.sentence(at);
    match element {
        Element::Begin => is_start.then(|| reach(rest, at, words, sets)).flatten(),
        // `at` is the place behind the last word: in another sentence, or beyond all of them.
        Element::End => is_start.then(|| reach(rest, at, words, sets)).flatten(),
        Element::One(set) => {
            let here = sets.get(at).is_some_and(|of_word| of_word.binary_search(set).is_ok());
            let goes_on = |rest: Rest<'_>| {
                let crosses = words.sentence(at + 1) != words.sentence(at);
                (!crosses || needs_no_word(rest)).then(|| reach(rest, at + 1, words, sets)).flatten()
            };
            here.then(|| goes_on(rest)).flatten()
        }
        Element::Choice(choices) => {
            choices.iter().find_map(|choice| reach(Rest { elements: choice, then: Some(&rest) }, at, words, sets))
        }
        Element::Gap(most) => {
            let last = at.checked_sub(1)?;
            let within = |to: usize| words.sentence(last) == words.sentence(to) || to == at;
            (0..=*most)
                .map(|skipped| at + skipped)
                .take_while(|to| within(*to))
                .find_map(|to| reach(rest, to, words, sets))
        }
    }
}

/// Whether what is left of a pattern can end where a sentence does.
fn needs_no_word(rest: Rest<'_>) -> bool {
    let fits = |element: &Element| match element {
        Element::One(_) | Element::Begin => false,
        Element::Gap(_) | Element::End => true,
        Element::Choice(choices) => choices.iter().any(Vec::is_empty),
    };
    rest.elements.iter().all(fits) && rest.then.is_none_or(|then| needs_no_word(*then))
}

/// A text cut where a letter divides it that stands outside of all parentheses.
fn divided(text: &str, divides: impl Fn(char) -> bool) -> Result<Vec<&str>, String> {
    let mut parts = Vec::new();
    let (mut from, mut depth) = (0, 0_usize);
    for (at, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.checked_sub(1).ok_or("a parenthesis is not opened")?,
            _ if depth == 0 && divides(letter) => {
                parts.push(text.get(from..at).unwrap_or_default());
                from = at + letter.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(text.get(from..).unwrap_or_default());
    let words = divides(' ');
    (depth == 0)
        .then(|| parts.into_iter().filter(|part| !(words && part.is_empty())).collect())
        .ok_or_else(|| "a parenthesis is not closed".to_owned())
}

/// Whether no parenthesis in a text is closed that was not opened in it.
fn is_closed(text: &str) -> bool {
    divided(text, |_| false).is_ok()
}

/// Every word that a word with groups in it stands for: `end(s|ing|)`.
fn written_out(item: &str) -> Result<Vec<String>, String> {
    let Some(open) = item.find('(') else { return Ok(vec![item.to_owned()]) };
    let (before, rest) = item.split_at_checked(open).unwrap_or((item, ""));
    let mut depth = 0;
    let close = rest.char_indices().find_map(|(at, letter)| {
        depth += i32::from(letter == '(') - i32::from(letter == ')');
        (depth == 0).then_some(at)
    });
    let close = close.ok_or("a parenthesis is not closed")?;
    let (inner, after) = (rest.get(1..close).unwrap_or_default(), rest.get(close + 1..).unwrap_or_default());
    let mut all = Vec::new();
    for choice in divided(inner, |letter| letter == '|')? {
        all.extend(written_out(&[before, choice, after].concat())?);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Spelling;

    fn found(patterns: &str, message: &str) -> Vec<(usize, usize)> {
        let lexicon = Lexicon::parse([patterns]).unwrap();
        let words = Spelling::of(lexicon.words()).read(message);
        lexicon.matches(&words).into_iter().map(|one| (one.from, one.to)).collect()
    }

    #[test]
    fn words_lists_gaps_and_ends_match_where_they_stand() {
        type Places = &'static [(usize, usize)];
        let cases: [(&str, &str, Places); 11] = [
            ("suicide! kill myself", "i will kill myself now", &[(2, 4)]),
            ("suicide! kill (myself | my own self)", "kill my own self", &[(0, 4)]),
            ("suicide! kill .. myself", "kill or even hang myself", &[(0, 5)]),
            ("suicide! kill .. myself", "kill it. myself", &[]),
            ("suicide! want to? die", "want die. want to die", &[(0, 2), (2, 5)]),
            ("suicide! ^ die $", "die. i die. die now", &[(0, 1)]),
            ("suicide! suicid*", "suicidality", &[(0, 1)]),
            ("@end = die | stop living\nsuicide! i @end", "i stop living", &[(0, 3)]),
            ("suicide! a .. .. b", "a 1 2 3 4 5 b", &[(0, 7)]),
            ("suicide! end(s|ing|) (it|(all|every) thing|)", "ending every thing. end", &[(0, 3), (3, 4)]),
            ("suicide! 想(死|自杀)", "我想自杀", &[(1, 4)]),
        ];
        for (pattern, message, expected) in cases {
            assert_eq!(found(pattern, message), expected, "{pattern}: {message}");
        }
    }

    #[test]
    fn a_line_that_says_nothing_is_named() {
        for line in
            ["suicide kill", "nothing! kill", "suicide! (kill", "suicide! .. kill", "suicide! @none", "suicide! (a|)"]
        {
            assert!(Lexicon::parse([line]).is_err(), "{line}");
        }
    }
}
