//! What is known of an assistant's corpus without reading it: the item `corpus`.

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use contracts::problem::Problem;
use jiff::{SignedDuration, Timestamp};

use super::items::{self, Item, key, number};
use super::{KnowledgeStore, unless_not_so, unreadable};
use crate::store::failed;

/// After that long, whoever began to take texts in is taken for dead.
const TAKING_IN: SignedDuration = SignedDuration::from_mins(15);
/// For how long after that the first vectors may still be on their way.
const EMBEDDING: SignedDuration = SignedDuration::from_mins(2);

/// How far an assistant's corpus is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CorpusState {
    /// It grows with every change; 0 where nothing was ever written.
    pub version: u64,
    /// The texts that the assistant comes with are being taken in for the first time.
    pub is_taking_in: bool,
    /// They were taken in a moment ago, so that some may have no vectors yet.
    pub is_new: bool,
    /// Something was written, or there was nothing to take in.
    pub is_known: bool,
}

impl CorpusState {
    pub(super) fn read(item: &Item, now: Timestamp) -> Option<Self> {
        let second = |name: &str| i64::try_from(items::count(item, name)?).ok();
        let since = |name: &str| Some(now.as_second().saturating_sub(second(name)?));
        let version = items::count(item, "version")? as u64;
        Some(Self {
            version,
            is_taking_in: since("taking_in")? < TAKING_IN.as_secs(),
            is_new: since("taken_in")? < EMBEDDING.as_secs(),
            is_known: version > 0 || second("taken_in")? > 0,
        })
    }
}

impl KnowledgeStore {
    /// How far an assistant's corpus is.
    pub async fn corpus_state(&self, assistant: &str) -> Result<CorpusState, Problem> {
        let get = self.client.get_item().table_name(&self.table).set_key(Some(key(assistant, "corpus")));
        let output = get.send().await.map_err(|error| failed("reading the corpus version", &error))?;
        let read = |item: &Item| CorpusState::read(item, Timestamp::now()).ok_or_else(unreadable);
        output.item.as_ref().map_or(Ok(CorpusState::default()), read)
    }

    /// Notes that the texts an assistant comes with are being taken in, if that never came to its end before.
    pub async fn begin_taking_in(&self, assistant: &str) -> Result<(), Problem> {
        let first = "attribute_not_exists(version) AND attribute_not_exists(taken_in) OR attribute_exists(taking_in)";
        let update = self.update_state(assistant).update_expression("SET taking_in = :now");
        unless_not_so(update.condition_expression(first).send().await, "noting that texts are taken in")
    }

    /// Notes that they are taken in.
    pub async fn finish_taking_in(&self, assistant: &str) -> Result<(), Problem> {
        let unnoted = "attribute_exists(taking_in) OR attribute_not_exists(taken_in)";
        let update = self.update_state(assistant).update_expression("SET taken_in = :now REMOVE taking_in");
        unless_not_so(update.condition_expression(unnoted).send().await, "noting that texts are taken in")
    }

    pub(super) async fn bump(&self, assistant: &str) -> Result<(), Problem> {
        let update = self.client.update_item().table_name(&self.table).set_key(Some(key(assistant, "corpus")));
        let update = update.update_expression("ADD version :one").expression_attribute_values(":one", number(1));
        update.send().await.map(drop).map_err(|error| failed("raising the corpus version", &error))
    }

    fn update_state(&self, assistant: &str) -> UpdateItemFluentBuilder {
        let update = self.client.update_item().table_name(&self.table).set_key(Some(key(assistant, "corpus")));
        update.expression_attribute_values(":now", number(Timestamp::now().as_second()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_taken_in_until_that_is_noted_or_whoever_did_it_is_dead() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let ago = |minutes: i64| now.as_second() - 60 * minutes;
        let state = |version, is_taking_in, is_new, is_known| CorpusState { version, is_taking_in, is_new, is_known };
        for (attributes, expected) in [
            (vec![("taking_in", ago(1))], state(0, true, false, false)),
            (vec![("taking_in", ago(16)), ("version", 3)], state(3, false, false, true)),
            (vec![("taken_in", ago(1)), ("version", 9)], state(9, false, true, true)),
            (vec![("taken_in", ago(3))], state(0, false, false, true)),
            (vec![("version", 7)], state(7, false, false, true)),
        ] {
            let item = attributes.iter().map(|(name, value)| ((*name).to_owned(), number(value))).collect();
            assert_eq!(CorpusState::read(&item, now), Some(expected), "{attributes:?}");
        }
    }
}
