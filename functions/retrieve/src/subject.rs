//! What a text is about that not everybody may be given: one country's numbers, and subjects that nobody is told about because
//! a word matched.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use aws::knowledge_store::CorpusChunk;
use english::plain_words;

/// What it counts that a text is about the country that is asked about, or only about another.
const THERE: f32 = 0.1;
const ELSEWHERE: f32 = -0.2;
/// What it counts that a text is about one country where none is asked about.
const ONE_OF_MANY: f32 = -0.04;

/// A subject of which a text is only given to who speaks of it: the beginnings of its headings' words, and the words that do.
struct Guarded {
    headings: Vec<&'static str>,
    words: HashSet<&'static str>,
}

static GUARDED: LazyLock<Vec<Guarded>> = LazyLock::new(|| {
    let lines = include_str!("../data/guarded.txt").lines().filter(|line| !line.starts_with('#'));
    let guarded = |line: &'static str| {
        let (headings, words) = line.split_once(" => ")?;
        Some(Guarded { headings: headings.split(' ').collect(), words: words.split(' ').collect() })
    };
    lines.filter_map(guarded).collect()
});

/// What a text's heading is about.
#[derive(Debug, Clone, Copy, Default)]
pub struct Subject {
    countries: Countries,
    /// The guarded subjects, as bits.
    guarded: u8,
}

impl Subject {
    /// Of a text by its heading.
    pub fn of(heading: &str) -> Self {
        let words: Vec<String> = plain_words(heading).collect();
        let is =
            |guarded: &Guarded| words.iter().any(|word| guarded.headings.iter().any(|stem| word.starts_with(stem)));
        Self { countries: Countries::named(heading), guarded: bits(is) }
    }
}

fn bits(is: impl Fn(&Guarded) -> bool) -> u8 {
    GUARDED.iter().take(8).enumerate().fold(0, |bits, (at, guarded)| bits | u8::from(is(guarded)) << at)
}

/// What a question is about in this respect.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asking {
    countries: Countries,
    spoken_of: u8,
    wants_contact: bool,
}

impl Asking {
    /// Of a question, and of all that was said before.
    pub fn of(question: &str, said: &str) -> Self {
        let words: HashSet<String> = plain_words(question).chain(plain_words(said)).collect();
        let own = Countries::named(question);
        let countries = if own.is_empty() { Countries::named(said) } else { own };
        let spoken_of = bits(|guarded| words.iter().any(|word| guarded.words.contains(word.as_str())));
        Self { countries, spoken_of, wants_contact: wants_contact(question) }
    }

    /// Whether a text of that subject may be given.
    pub fn may_hear(self, subject: Subject) -> bool {
        subject.guarded & !self.spoken_of == 0 && !(self.wants_contact && self.is_elsewhere(subject))
    }

    /// What the country counts.
    pub fn place(self, subject: Subject) -> f32 {
        match (self.countries.is_empty(), subject.countries.is_empty()) {
            (_, true) => 0.0,
            (true, false) if self.wants_contact => ELSEWHERE,
            (true, false) => ONE_OF_MANY,
            (false, false) if self.countries.meets(subject.countries) => THERE,
            (false, false) => ELSEWHERE,
        }
    }

    fn is_elsewhere(self, subject: Subject) -> bool {
        !self.countries.is_empty() && !subject.countries.is_empty() && !self.countries.meets(subject.countries)
    }

    /// The country that is asked about, where a text is about others only.
    pub fn elsewhere(self, chunk: &CorpusChunk) -> Option<&'static str> {
        let named = Countries::named(&format!("{}\n{}", chunk.own_heading(), chunk.text));
        let others = !named.is_empty() && !named.meets(self.countries);
        self.countries.name().filter(|_| others)
    }
}

static COUNTRIES: LazyLock<Vec<(&str, &str)>> = LazyLock::new(|| {
    let lines = include_str!("../data/countries.txt").lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once(": ")).collect()
});

/// Words that mean a country, and its place in the list.
type Phrase = (Vec<String>, usize);

/// What means a country, by its first word.
static MEANING: LazyLock<HashMap<String, Vec<Phrase>>> = LazyLock::new(|| {
    let mut meaning: HashMap<String, Vec<Phrase>> = HashMap::new();
    for (at, (_, phrases)) in COUNTRIES.iter().enumerate() {
        for words in phrases.split(", ").map(|phrase| plain_words(phrase).collect::<Vec<_>>()) {
            if let Some(first) = words.first() {
                meaning.entry(first.clone()).or_default().push((words, at));
            }
        }
    }
    meaning
});

/// Countries by their places in the list, as bits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Countries(u64);

impl Countries {
    /// Those that a text names.
    fn named(text: &str) -> Self {
        let text = text.replace("U.S.", "USA").replace(" US ", " USA ");
        let words: Vec<String> = plain_words(&text).collect();
        let mut named = Self::default();
        for (at, word) in words.iter().enumerate() {
            let meant = MEANING.get(word).into_iter().flatten();
            for (_, country) in meant.filter(|(phrase, _)| words.get(at..).is_some_and(|rest| rest.starts_with(phrase)))
            {
                named.0 |= 1 << (*country).min(63);
            }
        }
        named
    }

    /// Whether there is none.
    fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether both have one in common.
    fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The name of the first.
    fn name(self) -> Option<&'static str> {
        COUNTRIES.get(self.0.trailing_zeros() as usize).filter(|_| !self.is_empty()).map(|(name, _)| *name)
    }
}

/// Whether whoever asks wants somebody to call or write to.
fn wants_contact(text: &str) -> bool {
    const CONTACT: [&str; 14] = [
        "call",
        "helpline",
        "helplines",
        "hotline",
        "number",
        "line",
        "lines",
        "phone",
        "ring",
        "contact",
        "who",
        "whom",
        "crisis",
        "emergency",
    ];
    plain_words(text).any(|word| CONTACT.contains(&word.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_are_known_by_their_names_and_what_stands_for_them() {
        for (text, expected) in [
            ("Who can I call in Canada?", Some("Canada")),
            ("i'm in texas", Some("the United States")),
            ("Is it covered in the US?", Some("the United States")),
            ("can you tell us more", None),
            ("Will the NHS pay?", Some("the United Kingdom")),
            ("what is staking", None),
            ("any helpline in ireland", Some("Ireland")),
        ] {
            assert_eq!(Countries::named(text).name(), expected, "{text}");
        }
        assert!(Countries::named("Ireland and the UK").meets(Countries::named("in Ireland")));
        assert!(COUNTRIES.len() <= 64);
        assert!(GUARDED.len() <= 8);
    }

    #[test]
    fn nobody_is_given_what_only_a_word_of_it_matched() {
        for (heading, question, expected) in [
            (
                "What are warning signs that someone may be thinking about suicide?",
                "who can i talk to about the debt",
                false,
            ),
            ("I am having suicidal thoughts. What can help?", "i want to die", true),
            ("Who can I talk to about debt in the UK?", "who can i talk to about my debts", true),
            ("Who can I call in New Zealand for mental health support?", "who can I call in America", false),
            ("Who can I call in New Zealand for mental health support?", "who can I call in New Zealand", true),
            ("What is CBT?", "what is cbt", true),
        ] {
            assert_eq!(Asking::of(question, "").may_hear(Subject::of(heading)), expected, "{question}");
        }
        let asking = Asking::of("is it covered?", "i'm in texas");
        assert!(asking.place(Subject::of("Is IVF covered by health insurance in the United States?")) > 0.0);
        assert!(asking.place(Subject::of("Can I have IVF on the NHS?")) < 0.0);
    }
}
