//! What a session remembers of a danger, and how an answer to "are you safe?" is read.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::Class;
use crate::lexicon::Lexicon;
use crate::text::Spelling;

/// How many turns after a crisis reply an answer to it is still expected.
const TURNS: u8 = 6;

/// That somebody was in danger: kept with the session, without any of their words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Care {
    /// Which danger.
    pub class: Class,
    /// Where they are, as [`crate::Region::code`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// How many crisis replies there were: no two are the same.
    #[serde(default)]
    pub replies: u8,
    /// How many turns have passed since the last.
    #[serde(default)]
    pub turns_since: u8,
    /// They said that they are safe.
    #[serde(default)]
    pub safe: bool,
}

/// What an answer to a crisis reply says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// They are safe.
    Safe,
    /// They are not, or have done something already.
    NotSafe,
    /// They can't or won't call.
    CannotCall,
    /// They ask whether somebody real is there.
    WhoAreYou,
    /// They thank, or say good night.
    Thanks,
    /// They say little: that they are still there.
    Vague,
}

/// The patterns of answers, by the sections' names.
const ANSWERS: &str = include_str!("../data/answers.txt");

struct Reader {
    lexicon: Lexicon<Answer>,
    spelling: Spelling,
}

static READER: LazyLock<Reader> = LazyLock::new(|| {
    let lexicon = lexicon().unwrap_or_default();
    Reader { spelling: Spelling::of(lexicon.words()), lexicon }
});

fn lexicon() -> Result<Lexicon<Answer>, String> {
    let mut lexicon = Lexicon::default();
    let mut section = None;
    for line in ANSWERS.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line {
            "[not safe]" => section = Some(Answer::NotSafe),
            "[safe]" => section = Some(Answer::Safe),
            "[cannot call]" => section = Some(Answer::CannotCall),
            "[who are you]" => section = Some(Answer::WhoAreYou),
            "[thanks]" => section = Some(Answer::Thanks),
            "[vague]" => section = Some(Answer::Vague),
            _ => {
                lexicon.add(section.ok_or("it is in no section")?, line).map_err(|wrong| format!("{wrong}: {line}"))?
            }
        }
    }
    Ok(lexicon)
}

impl Care {
    /// After the first reply.
    pub fn new(class: Class, region: Option<&str>) -> Self {
        Self { class, region: region.map(str::to_owned), replies: 1, turns_since: 0, safe: false }
    }

    /// What a message answers to the last crisis reply; `None` where it is about something else, or that was long ago.
    pub(crate) fn answer(&self, message: &str) -> Option<Answer> {
        if self.turns_since >= TURNS || self.class == Class::LosingMoney {
            return None;
        }
        let words = READER.spelling.read(message);
        let matches = READER.lexicon.matches(&words);
        let said = |answer: Answer| matches.iter().any(|one| one.says == answer);
        let order =
            [Answer::NotSafe, Answer::CannotCall, Answer::WhoAreYou, Answer::Safe, Answer::Thanks, Answer::Vague];
        order.into_iter().find(|answer| said(*answer))
    }

    /// Whether a reply about something else should still carry a word of care: once, and not after they said that they are safe.
    pub fn reminds(&self) -> bool {
        self.turns_since == 0 && !self.safe && self.class != Class::LosingMoney
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answers_can_be_read() {
        lexicon().unwrap();
    }

    #[test]
    fn an_answer_is_read_and_another_subject_is_left_alone() {
        let care = Care::new(Class::Suicide, None);
        let cases = [
            ("no", Some(Answer::NotSafe)),
            ("im not safe", Some(Answer::NotSafe)),
            ("i already took some", Some(Answer::NotSafe)),
            ("i have them here with me", Some(Answer::NotSafe)),
            ("yes i'm safe", Some(Answer::Safe)),
            ("yeah", Some(Answer::Safe)),
            ("my sister is with me now", Some(Answer::Safe)),
            ("i cant call anyone", Some(Answer::CannotCall)),
            ("i don't want to talk to a stranger", Some(Answer::CannotCall)),
            ("there is nobody", Some(Answer::CannotCall)),
            ("are you a real person?", Some(Answer::WhoAreYou)),
            ("thank you", Some(Answer::Thanks)),
            ("i don't know", Some(Answer::Vague)),
            ("it just hurts", Some(Answer::Vague)),
            ("what is cbt", None),
            ("can you find me a flight to lahore tomorrow", None),
        ];
        for (message, answer) in cases {
            assert_eq!(care.answer(message), answer, "{message}");
        }
    }

    #[test]
    fn long_after_a_crisis_a_no_is_only_a_no() {
        let care = Care { turns_since: TURNS, ..Care::new(Class::Suicide, None) };
        assert_eq!(care.answer("no"), None);
    }
}
