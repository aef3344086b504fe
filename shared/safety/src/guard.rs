//! Decides whether a message is from somebody in danger.

use std::ops::Range;
use std::sync::LazyLock;

use crate::Class;
use crate::classifier::{Classifier, Likely};
use crate::languages::Languages;
use crate::lexicon::{Lexicon, Match, Says, Strength};
use crate::text::{Spelling, Words, plain};

/// The patterns as `examples/compile.rs` wrote them.
const COMPILED: &[u8] = include_bytes!("../data/patterns.bin");
/// The same as people write them, in files by class.
const PATTERNS: [&str; 6] = [
    include_str!("../data/lists.txt"),
    include_str!("../data/suicide.txt"),
    include_str!("../data/body.txt"),
    include_str!("../data/people.txt"),
    include_str!("../data/money.txt"),
    include_str!("../data/calm.txt"),
];

/// From here on the classifier raises the alarm where a pattern has found a word of danger. These are chosen on lines that it
/// was not trained on (`examples/train.rs --folds 5`).
const SURE: f32 = 0.84;
/// The same where no pattern has found anything.
const UNHINTED: f32 = 0.9;
/// The same in a message that is read in parts: each of them is another chance to be wrong.
const UNHINTED_LONG: f32 = 0.96;
/// From here on it agrees with a pattern that may mean something else.
const AGREES: f32 = 0.3;
/// Below, a pattern is not believed in a sentence that jokes or is about something else.
const DOUBTED: f32 = 0.05;
/// How many words the classifier looks at together: a long message is read in parts, so that one sentence is not lost in it.
const PART: usize = 48;

/// Who raised an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// A pattern.
    Pattern,
    /// A phrase in another language than English.
    Language,
    /// The classifier.
    Classifier,
    /// A model that was asked after all of these found nothing ([`crate::second_reader`]).
    Model,
}

/// That somebody is in danger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alarm {
    /// Which danger.
    pub class: Class,
    /// It happens now: the emergency number comes first.
    pub now: bool,
    /// Who raised it.
    pub by: Reader,
    /// The language of the words, ISO 639-1, where it is another one than English.
    pub language: Option<&'static str>,
}

/// Reads messages. Built once; reading takes some microseconds.
#[derive(Debug)]
pub struct Guard {
    lexicon: Lexicon<Says>,
    spelling: Spelling,
    classifier: Option<Classifier>,
}

/// Most processes never meet another language than English: what they would need is not built at their start.
static LANGUAGES: LazyLock<Languages> = LazyLock::new(|| Languages::embedded().unwrap_or_default());

static EMBEDDED: LazyLock<Guard> = LazyLock::new(|| {
    // They are part of the build and a test reads them all: what could not be read would be missing, not fatal.
    let lexicon = Lexicon::from_bytes(COMPILED).unwrap_or_default();
    Guard { spelling: Spelling::of(lexicon.words()), lexicon, classifier: Classifier::embedded() }
});

impl Guard {
    /// With the patterns and the weights of this build.
    pub fn embedded() -> &'static Self {
        &EMBEDDED
    }

    /// The patterns in the form that [`Guard::embedded`] reads, for `data/patterns.bin`.
    ///
    /// # Errors
    /// The first line of a pattern file that cannot be read, with what is wrong with it.
    pub fn compile_patterns() -> Result<Vec<u8>, String> {
        Ok(Lexicon::parse(PATTERNS)?.to_bytes())
    }

    /// The danger that the writer of a message is in, or somebody they write of; `None` for nearly all messages.
    pub fn read(&self, message: &str) -> Option<Alarm> {
        self.read_with(message, self.classifier.as_ref())
    }

    /// The same without the classifier, or with another one: for measuring.
    pub fn read_with(&self, message: &str, classifier: Option<&Classifier>) -> Option<Alarm> {
        let words = self.spelling.read(message);

        let reading = classifier.map_or_else(Reading::default, |classifier| Reading::of(classifier, &words));
        let matches = self.lexicon.matches(&words);
        if let Some((class, strength)) = strongest(&words, &matches, &reading) {
            return Some(Alarm { class, now: strength == Strength::Now, by: Reader::Pattern, language: None });
        }
        let as_written = plain(message);
        if self.spelling.is_foreign(&as_written)
            && let Some((language, class)) = LANGUAGES.find(&as_written)
        {
            return Some(Alarm { class, now: false, by: Reader::Language, language: Some(language) });
        }
        // One word is no sentence: of letters alone the classifier knows too little.
        let hinted = matches.iter().any(|one| matches!(one.says, Says::Danger { .. }));
        let least = match (hinted, reading.0.len()) {
            (true, _) => SURE,
            (false, ..=1) => UNHINTED,
            (false, _) => UNHINTED_LONG,
        };
        let likely = reading.likeliest().filter(|likely| likely.danger() >= least && words.len() > 1)?;
        let calmed = matches.iter().any(|one| matches!(one.says, Says::CalmMessage | Says::CalmSentence | Says::Calm));
        (!calmed).then(|| Alarm { class: likely.class(), now: false, by: Reader::Classifier, language: None })
    }

    /// How likely the classifier thinks it that a message is from somebody in danger.
    pub fn danger(&self, message: &str) -> f32 {
        self.classifier.as_ref().map_or(0.0, |classifier| self.danger_with(message, classifier))
    }

    /// The same with another classifier: for measuring.
    pub fn danger_with(&self, message: &str, classifier: &Classifier) -> f32 {
        let reading = Reading::of(classifier, &self.spelling.read(message));
        reading.likeliest().map_or(0.0, |likely| likely.danger())
    }

    /// What the patterns say, for whom extends them: the meaning and the words of each match.
    pub fn trace(&self, message: &str) -> String {
        let words = self.spelling.read(message);
        let said = |one: &Match<Says>| {
            let words: Vec<&str> = (one.from..one.to).map(|at| words.get(at)).collect();
            let says = match one.says {
                Says::Danger { class, strength } => format!("{} {strength:?}", class.name()),
                calm => format!("{calm:?}"),
            };
            format!("{says}: {}", words.join(" "))
        };
        self.lexicon.matches(&words).iter().map(said).collect::<Vec<_>>().join("; ")
    }

    /// The words of a message.
    pub fn words(&self, message: &str) -> Vec<String> {
        self.spelling.read(message).iter().map(str::to_owned).collect()
    }

    /// The words of each part of a message, as the classifier reads them.
    pub fn parts(&self, message: &str) -> Vec<Vec<String>> {
        let words = self.spelling.read(message);
        parts(&words).into_iter().map(|part| part.map(|at| words.get(at).to_owned()).collect()).collect()
    }
}

/// What the classifier says of each part of a message.
#[derive(Debug, Default)]
struct Reading(Vec<(Range<usize>, Likely)>);

impl Reading {
    fn of(classifier: &Classifier, words: &Words) -> Self {
        let all: Vec<&str> = words.iter().collect();
        let sums = classifier.sums(&all);
        Self(parts(words).into_iter().map(|part| (part.clone(), sums.of(part))).collect())
    }

    /// Of the part that is likeliest to be from somebody in danger.
    fn likeliest(&self) -> Option<Likely> {
        let all = self.0.iter().map(|(_, likely)| *likely);
        all.max_by(|one, other| one.danger().total_cmp(&other.danger()))
    }

    /// How likely a danger is in the words around a match: a long message may be about several things.
    fn danger_at<T>(&self, one: &Match<T>, of: impl Fn(&Likely) -> f32) -> f32 {
        let around = self.0.iter().filter(|(part, _)| part.start < one.to && one.from < part.end);
        around.map(|(_, likely)| of(likely)).fold(0.0, f32::max)
    }
}

/// A short message whole; a longer one sentence by sentence, each with the one before it.
fn parts(words: &Words) -> Vec<Range<usize>> {
    if words.len() <= PART {
        return std::iter::once(0..words.len()).collect();
    }
    let mut parts = Vec::new();
    let (mut before, mut from) = (0, 0);
    for at in 1..=words.len() {
        let ends = words.sentence(at) != words.sentence(at - 1) || at - from >= PART;
        if ends {
            parts.push(if at - before <= PART { before } else { from }..at);
            (before, from) = (from, at);
        }
    }
    parts
}

/// The gravest thing that the patterns say, once what was meant otherwise is taken away.
fn strongest(words: &Words, matches: &[Match<Says>], reading: &Reading) -> Option<(Class, Strength)> {
    let calm = |one: &Match<Says>, class: Class| {
        matches.iter().any(|other| match other.says {
            // What says more than the calm words do is not taken back by them: "I don't want to be here", and "anymore".
            Says::Calm => {
                let says_more = class == Class::Suicide && one.from <= other.from && other.to < one.to;
                one.from < other.to && other.from < one.to && !says_more
            }
            _ => false,
        })
    };
    let weakened = |one: &Match<Says>| {
        matches.iter().any(|other| match other.says {
            Says::CalmSentence => words.sentence(other.from) == words.sentence(one.from),
            Says::CalmMessage => true,
            _ => false,
        })
    };
    let dangers = matches.iter().filter_map(|one| match one.says {
        Says::Danger { class, strength } => Some((one, class, strength)),
        _ => None,
    });
    let meant = dangers.filter(|(one, class, strength)| match strength {
        _ if calm(one, *class) => false,
        Strength::Weak => reading.danger_at(one, |likely| likely.of(related(*class))) >= AGREES && !weakened(one),
        _ => reading.danger_at(one, Likely::danger) >= DOUBTED || !weakened(one),
    });
    let meant: Vec<(&Match<Says>, Class, Strength)> = meant.collect();
    // "My friend says he wants to kill himself" is about the friend, whatever its words say alone.
    let about_another = |one: &Match<Says>| {
        meant.iter().any(|(other, class, _)| {
            *class == Class::ThirdParty
                && other.from <= one.from
                && one.to <= other.to
                && one.to - one.from < other.to - other.from
        })
    };
    let found: Vec<(Class, Strength)> = meant
        .iter()
        .filter(|(one, class, _)| *class == Class::ThirdParty || !about_another(one))
        .map(|(_, class, strength)| (*class, *strength))
        .collect();
    let now = found.iter().any(|(_, strength)| *strength == Strength::Now);
    let class = found.iter().map(|(class, _)| *class).min_by_key(|class| gravity(*class))?;
    Some((class, if now { Strength::Now } else { Strength::Sure }))
}

/// The classes that the classifier may mean where a pattern that may mean something else says this one.
fn related(class: Class) -> &'static [Class] {
    match class {
        Class::Abuse | Class::Child => &[Class::Abuse, Class::Child, Class::ThirdParty],
        Class::Suicide | Class::SelfHarm | Class::Overdose => {
            &[Class::Suicide, Class::SelfHarm, Class::Overdose, Class::ThirdParty]
        }
        Class::Medical => &[Class::Medical, Class::Overdose, Class::SelfHarm, Class::Suicide],
        Class::EatingDisorder => &[Class::EatingDisorder, Class::SelfHarm, Class::ThirdParty],
        Class::HarmToOthers => &[Class::HarmToOthers, Class::Abuse, Class::Suicide],
        Class::ThirdParty => &[Class::ThirdParty, Class::Suicide, Class::SelfHarm, Class::Abuse, Class::Child],
        Class::LosingMoney => &[Class::LosingMoney, Class::Suicide],
        Class::Other => &[],
    }
}

/// What is answered first where a message says several things: what kills soonest, then the gravest.
fn gravity(class: Class) -> usize {
    const ORDER: [Class; 10] = [
        Class::Overdose,
        Class::Suicide,
        Class::Medical,
        Class::HarmToOthers,
        Class::Child,
        Class::Abuse,
        Class::EatingDisorder,
        Class::SelfHarm,
        Class::ThirdParty,
        Class::LosingMoney,
    ];
    ORDER.iter().position(|other| *other == class).unwrap_or(ORDER.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_each_kind_that_was_once_read_wrongly_are_read_as_they_are_meant() {
        let cases: [(&str, Option<Class>); 30] = [
            // Missed once: another verb, another order, what is left unsaid.
            ("I intend to be dead before my next birthday", Some(Class::Suicide)),
            ("honestly thinking of offing myself", Some(Class::Suicide)),
            ("i dont want to be here anymore", Some(Class::Suicide)),
            ("nobody at school would notice if I never came back", Some(Class::Suicide)),
            ("is there even any point in still being alive", Some(Class::Suicide)),
            ("the pistol is on the table and I have had six beers", Some(Class::Suicide)),
            ("I've been saving up my sleeping pills", Some(Class::Suicide)),
            ("tell me some painless ways to end my life", Some(Class::Suicide)),
            ("I'm joking about killing myself haha but like actually though", Some(Class::Suicide)),
            ("I put cigarettes out on my skin", Some(Class::SelfHarm)),
            ("how do I hide my cuts from my parents", Some(Class::SelfHarm)),
            ("he shoved me against the wall again", Some(Class::Abuse)),
            ("she says she'll stab me if I walk out", Some(Class::Abuse)),
            ("my uncle touches me where he should not", Some(Class::Child)),
            ("the voices keep ordering me to hurt my neighbour", Some(Class::HarmToOthers)),
            ("he cheated on me, should I kill him", Some(Class::HarmToOthers)),
            ("I took double my heart medication and feel dizzy", Some(Class::Overdose)),
            ("half my face has gone numb and I cannot speak right", Some(Class::Medical)),
            ("my chest feels like an elephant is sitting on it", Some(Class::Medical)),
            // Alarmed about once: figures of speech, what is denied, what is over, what is studied.
            ("I'd rather die than eat olives", None),
            ("done with life admin for today", None),
            ("no one would notice the difference", None),
            ("my steak was bleeding on the plate", None),
            ("I nearly had a heart attack when the bill came", None),
            ("someone broke into my car last night", None),
            ("I hate living here, the neighbours are loud", None),
            ("not thinking of killing myself, just venting", None),
            ("I would never hurt myself", None),
            ("what does kms mean", None),
            ("seats together with my husband on the flight please", None),
        ];
        let read = |message: &str| Guard::embedded().read(message).map(|alarm| alarm.class);
        let wrong: Vec<_> = cases.iter().filter(|(message, class)| read(message) != *class).collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn every_pattern_of_this_build_can_be_read() {
        let compiled = Guard::compile_patterns().unwrap();
        assert!(compiled == COMPILED, "run `cargo run -p safety --example compile`: the pattern files have changed");
        Languages::embedded().unwrap();
    }
}
