//! The patterns in the form that a process starts with: reading the files of patterns takes milliseconds, reading this a
//! fraction of one. `examples/compile.rs` writes `data/patterns.bin`; a test holds it to the files.
//!
//! Numbers are LEB128, texts and lists begin with their length. Nothing in it depends on the machine.

use crate::lexicon::{Element, Lexicon, Pattern, Says, SetId};

/// Writes the form.
#[derive(Default)]
struct Writer(Vec<u8>);

impl Writer {
    fn number(&mut self, mut number: usize) {
        while number >= 0x80 {
            self.0.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    fn text(&mut self, text: &str) {
        self.number(text.len());
        self.0.extend_from_slice(text.as_bytes());
    }

    fn sets(&mut self, sets: &[SetId]) {
        self.number(sets.len());
        sets.iter().for_each(|set| self.number(*set as usize));
    }

    fn elements(&mut self, elements: &[Element]) {
        self.number(elements.len());
        for element in elements {
            match element {
                Element::Begin => self.number(0),
                Element::End => self.number(1),
                Element::Gap(most) => {
                    self.number(2);
                    self.number(*most);
                }
                Element::One(set) => {
                    self.number(3);
                    self.number(*set as usize);
                }
                Element::Choice(choices) => {
                    self.number(4);
                    self.number(choices.len());
                    choices.iter().for_each(|choice| self.elements(choice));
                }
            }
        }
    }
}

/// Reads it; `None` where it is broken off or not in this form.
struct Form(&'static [u8]);

impl Form {
    fn number(&mut self) -> Option<usize> {
        let mut number = 0;
        for shift in (0..usize::BITS).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn set(&mut self) -> Option<SetId> {
        SetId::try_from(self.number()?).ok()
    }

    fn text(&mut self) -> Option<&'static str> {
        let length = self.number()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        std::str::from_utf8(text).ok()
    }

    fn list<T>(&mut self, mut one: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let length = self.number()?;
        (0..length).map(|_| one(self)).collect()
    }

    fn element(&mut self) -> Option<Element> {
        Some(match self.number()? {
            0 => Element::Begin,
            1 => Element::End,
            2 => Element::Gap(self.number()?),
            3 => Element::One(self.set()?),
            4 => Element::Choice(self.list(|form| form.list(Self::element))?),
            _ => return None,
        })
    }
}

impl Lexicon<Says> {
    /// As it is kept in a file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut to = Writer::default();
        to.number(self.sets);
        let mut words: Vec<_> = self.words.iter().collect();
        words.sort_unstable();
        to.number(words.len());
        for (word, sets) in words {
            to.text(word);
            to.sets(sets);
        }
        let mut stems: Vec<_> = self.stems.values().flatten().collect();
        stems.sort_unstable();
        to.number(stems.len());
        for (stem, set) in stems {
            to.text(stem);
            to.number(*set as usize);
        }
        to.number(self.patterns.len());
        for pattern in &self.patterns {
            to.text(&pattern.says.to_string());
            to.elements(&pattern.elements);
            to.number(pattern.needs.len());
            pattern.needs.iter().for_each(|sets| to.sets(sets));
        }
        to.number(self.by_first.len());
        for patterns in &self.by_first {
            to.number(patterns.len());
            patterns.iter().for_each(|pattern| to.number(*pattern));
        }
        to.0
    }

    /// Reads what [`Lexicon::to_bytes`] wrote; `None` where it is not that.
    pub fn from_bytes(bytes: &'static [u8]) -> Option<Self> {
        let mut form = Form(bytes);
        let mut lexicon = Self::default();
        lexicon.sets = form.number()?;
        let words = form.number()?;
        lexicon.words.reserve(words);
        for _ in 0..words {
            lexicon.words.insert(form.text()?.into(), form.list(Form::set)?);
        }
        for _ in 0..form.number()? {
            let stem = form.text()?;
            lexicon.add_stem(stem.into(), form.set()?);
        }
        lexicon.patterns = form.list(|form| {
            let says = form.text()?.parse().ok()?;
            Some(Pattern { says, elements: form.list(Form::element)?, needs: form.list(|form| form.list(Form::set))? })
        })?;
        lexicon.by_first = form.list(|form| form.list(Form::number))?;
        form.0.is_empty().then_some(lexicon)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Spelling;

    #[test]
    fn what_is_read_back_matches_what_was_written() {
        let patterns =
            "@end = die | stop living\nsuicide!! ^ i (want to | wanna)? @end $\n- die* ... laugh(ing|)\nchild? a .. b";
        let lexicon = Lexicon::parse([patterns]).unwrap();
        let bytes = lexicon.to_bytes();
        let again = Lexicon::from_bytes(bytes.clone().leak()).unwrap();
        assert_eq!(again.to_bytes(), bytes);
        let spelling = Spelling::of(again.words());
        for message in ["I want to stop living", "dying i was laughing", "a b. a x b", "nothing"] {
            let words = spelling.read(message);
            assert_eq!(again.matches(&words), lexicon.matches(&words), "{message}");
        }
        assert!(Lexicon::from_bytes(bytes.get(..bytes.len() - 1).unwrap().to_vec().leak()).is_none());
        assert!(Lexicon::from_bytes(&[0xff; 20]).is_none());
    }
}
