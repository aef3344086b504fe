//! Recognises people in danger, and says what they are told.
//!
//! In: the words of a message. Out: whether they are from somebody in danger and in which ([`Guard::read`]), the reply to that
//! ([`reply`]), and whom to call where ([`helplines`]). It is pure: no network, no table, no model, no clock, and nothing of a
//! message leaves it. It runs before anything else is done with a message, so that help comes even when all else fails.
//!
//! Two readers look at each message. Patterns over words (`data/*.txt`) are what a person can read, correct and extend; a
//! linear classifier (`data/classifier.bin`) knows what was put in words that nobody thought of. Either may raise the alarm.

mod care;
mod classifier;
mod compiled;
mod guard;
pub mod helplines;
mod languages;
mod lexicon;
mod means;
mod region;
mod reply;
pub mod second_reader;
mod text;

pub use care::Care;
pub use classifier::{Classifier, FEATURES, Likely, OUTPUTS, features, softmax};
pub use guard::{Alarm, Guard, Reader};
pub use means::without_means;
pub use region::Region;
pub use reply::{Help, HelpLine, Reply, reminder, to_alarm, to_answer};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What danger somebody is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Suicide: intent, a plan, means, or the wish not to wake up.
    Suicide,
    /// Hurting oneself without the wish to die.
    SelfHarm,
    /// An eating disorder that has become dangerous.
    EatingDisorder,
    /// Too much of a medicine or drug, or poison.
    Overdose,
    /// A medical emergency that happens now.
    Medical,
    /// Violence or abuse by a partner, a relative, a stalker.
    Abuse,
    /// The same where a child is hurt or speaks.
    Child,
    /// Somebody may hurt others.
    HarmToOthers,
    /// Somebody else is in danger.
    ThirdParty,
    /// Money is being drained or was just lost to fraud.
    LosingMoney,
    /// A class this release does not know.
    #[serde(other)]
    Other,
}

impl Class {
    /// Those that are recognised, in the order of the classifier's outputs.
    pub const ALL: [Self; 10] = [
        Self::Suicide,
        Self::SelfHarm,
        Self::EatingDisorder,
        Self::Overdose,
        Self::Medical,
        Self::Abuse,
        Self::Child,
        Self::HarmToOthers,
        Self::ThirdParty,
        Self::LosingMoney,
    ];

    /// The name that counters, pattern files and test lines use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Suicide => "suicide",
            Self::SelfHarm => "self_harm",
            Self::EatingDisorder => "eating_disorder",
            Self::Overdose => "overdose",
            Self::Medical => "medical",
            Self::Abuse => "abuse",
            Self::Child => "child",
            Self::HarmToOthers => "harm_to_others",
            Self::ThirdParty => "third_party",
            Self::LosingMoney => "losing_money",
            Self::Other => "other",
        }
    }

    /// The class of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }
}
