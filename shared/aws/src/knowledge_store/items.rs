//! What the table's items are, and their keys.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::str::FromStr;

use aws_sdk_dynamodb::types::AttributeValue;
use contracts::knowledge::{SLOTS, Spaces, VectorSpace};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sha2::{Digest, Sha256};

pub(super) type Item = HashMap<String, AttributeValue>;

/// How many hexadecimal digits of a hash name a document or a chunk: 96 bits.
const DIGITS: usize = 24;

/// The id of a document: its assistant and 24 hexadecimal digits, `defi-3f2a…`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DocumentId {
    /// Whose document it is.
    pub assistant: String,
    pub(super) digits: String,
}

impl DocumentId {
    /// The id of what these parts name: the same parts, the same id.
    pub fn of(assistant: &str, parts: &[&str]) -> Self {
        Self { assistant: assistant.to_owned(), digits: digest(parts) }
    }
}

impl fmt::Display for DocumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.assistant, self.digits)
    }
}

impl FromStr for DocumentId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "a document id is what an earlier answer gave, such as defi-0123456789abcdef01234567".to_owned();
        let (assistant, digits) = text.rsplit_once('-').ok_or_else(wrong)?;
        let hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        // A name with "#" would reach into other hash keys.
        let named = !assistant.is_empty() && !assistant.contains('#');
        if !named || digits.len() != DIGITS || !digits.bytes().all(hexadecimal) {
            return Err(wrong());
        }
        Ok(Self { assistant: assistant.to_owned(), digits: digits.to_owned() })
    }
}

impl Serialize for DocumentId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DocumentId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        std::borrow::Cow::<str>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// How the attributes of a slot begin.
pub(super) const SLOT: [&str; SLOTS] = ["", "next_"];

/// A piece of a document, as it is cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChunkText {
    /// Its words.
    pub text: String,
    /// The headings above it, the outermost first, joined by " › ".
    pub heading: String,
    /// The name of where it is from.
    pub source: String,
    /// The address of where it is from, where it has one.
    pub url: Option<String>,
    /// Other ways in which people ask for it, divided by semicolons; empty where none are told. It is found by them, and they
    /// are in no answer.
    pub asked: String,
}

impl ChunkText {
    /// What it is known by within its document: a hash of all it says.
    pub fn hash(&self) -> String {
        let said = [&self.text, &self.heading, &self.source, self.url.as_deref().unwrap_or_default()];
        // As it was before there was anything else, where there is nothing else.
        let asked = Some(self.asked.as_str()).filter(|asked| !asked.is_empty());
        digest(&said.into_iter().chain(asked).collect::<Vec<_>>())
    }
}

/// A document as it is written.
#[derive(Debug, Clone)]
pub struct NewDocument {
    /// Its id: of what is written under the same id, the last stays.
    pub id: DocumentId,
    /// The name of where it is from.
    pub source: String,
    /// Its title; empty where it has none.
    pub title: String,
    /// Its address.
    pub url: Option<String>,
    /// What the sender knows it by.
    pub key: Option<String>,
    /// Its chunks, in their order.
    pub chunks: Vec<ChunkText>,
}

impl NewDocument {
    /// A hash of its chunks: the same fingerprint, the same work done.
    pub(super) fn fingerprint(&self) -> String {
        let hashes: Vec<String> = self.chunks.iter().map(ChunkText::hash).collect();
        digest(&hashes.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

/// How many chunks of a document are in which state in a space.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// All of them.
    pub chunks: usize,
    /// With a vector in the space.
    pub embedded: usize,
    /// Refused by its embedder.
    pub failed: usize,
}

impl Counts {
    /// Those that wait to be embedded.
    pub fn pending(&self) -> usize {
        self.chunks.saturating_sub(self.embedded + self.failed)
    }
}

/// A document as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptDocument {
    /// Its id.
    pub id: DocumentId,
    /// The name of where it is from.
    pub source: String,
    /// Its title; empty where it has none.
    pub title: String,
    /// Its address.
    pub url: Option<String>,
    /// What the sender knows it by.
    pub key: Option<String>,
    /// Its chunks by state in the current space, when it was last settled.
    pub counts: Counts,
    /// The name of that space; `None` without an embedder.
    pub space: Option<String>,
    /// The same in the next space, and its name.
    pub next: (Option<String>, Counts),
    /// Whether it is being deleted.
    pub deleting: bool,
    /// Empty as long as not all of its chunks are written.
    pub(super) fingerprint: String,
    /// How many segments it may have.
    pub(super) segments: usize,
    /// The number of whoever last began to write, pack or delete it.
    pub(super) packed: u64,
    /// The number of who wrote its chunks.
    pub(super) written: u64,
    /// The number of the last packing that came to its end.
    pub(super) finished: u64,
}

impl KeptDocument {
    /// Whether nothing is left to do for it in these spaces.
    pub fn is_settled_in(&self, spaces: &Spaces) -> bool {
        let settled = |space: Option<&VectorSpace>, name: &Option<String>, counts: &Counts| {
            name.as_deref() == space.map(VectorSpace::name) && (space.is_none() || counts.pending() == 0)
        };
        let (next_name, next) = &self.next;
        self.finished == self.packed
            && settled(spaces.current(), &self.space, &self.counts)
            && settled(spaces.next(), next_name, next)
    }

    /// Whether each of its chunks has a vector in this space, or was refused by its embedder.
    pub(super) fn is_complete_in(&self, space: &VectorSpace) -> bool {
        let complete =
            |name: &Option<String>, counts: &Counts| name.as_deref() == Some(space.name()) && counts.pending() == 0;
        complete(&self.space, &self.counts) || complete(&self.next.0, &self.next.1)
    }

    /// Whether all of its chunks are written.
    pub fn is_whole(&self) -> bool {
        !self.fingerprint.is_empty()
    }

    pub(super) fn read(item: &Item) -> Option<Self> {
        let digits = text(item, "id")?.strip_prefix("document#")?;
        let chunks = count(item, "chunks")?;
        let [(space, counts), next] = {
            let slot = |slot: &str| {
                let of = |name: &str| format!("{slot}{name}");
                let (embedded, failed) = (count(item, &of("embedded"))?, count(item, &of("failed"))?);
                let space = text(item, &of("vector_space")).map(str::to_owned);
                Some((space, Counts { chunks, embedded, failed }))
            };
            let [current, next] = SLOT.map(slot);
            [current?, next?]
        };
        Some(Self {
            id: DocumentId { assistant: text(item, "assistant")?.to_owned(), digits: digits.to_owned() },
            source: text(item, "source").unwrap_or_default().to_owned(),
            title: text(item, "title").unwrap_or_default().to_owned(),
            url: text(item, "url").map(str::to_owned),
            key: text(item, "key").map(str::to_owned),
            counts,
            space,
            next,
            deleting: item.contains_key("deleting"),
            fingerprint: text(item, "fingerprint").unwrap_or_default().to_owned(),
            segments: count(item, "segment_count")?,
            packed: count(item, "packed")? as u64,
            written: count(item, "written")? as u64,
            finished: count(item, "finished")? as u64,
        })
    }
}

/// A chunk as `embed` reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredChunk {
    /// What it is known by within its document.
    pub hash: String,
    /// Its words.
    pub text: String,
    /// The headings above it.
    pub heading: String,
    /// As in [`ChunkText`].
    pub asked: String,
    /// The names of the spaces in which it has a vector.
    pub(super) spaces: BTreeSet<String>,
}

impl StoredChunk {
    /// Whether it has a vector in this space. One that failed is tried again whenever somebody asks for it.
    pub fn is_embedded_in(&self, space: &VectorSpace) -> bool {
        self.spaces.contains(space.name())
    }

    /// What is embedded: its words below its headings, which an embedder that only adds words up is told several times, and the
    /// ways in which people ask for it.
    pub fn embeddable(&self, heading_times: usize) -> String {
        let headings = format!("{}\n\n", self.heading).repeat(if self.heading.is_empty() { 0 } else { heading_times });
        let asked = if self.asked.is_empty() { String::new() } else { format!("{}\n\n", self.asked) };
        format!("{headings}{asked}{}", self.text)
    }

    pub(super) fn read(item: &Item) -> Option<Self> {
        Some(Self {
            hash: chunk_hash(item)?,
            text: text(item, "text")?.to_owned(),
            heading: text(item, "heading")?.to_owned(),
            asked: text(item, "asked").unwrap_or_default().to_owned(),
            spaces: spaces_of(item),
        })
    }
}

/// The names of the spaces in which a chunk has a vector. Earlier releases kept one at a time.
pub(super) fn spaces_of(item: &Item) -> BTreeSet<String> {
    let old = text(item, "vector_space").filter(|_| text(item, "status") == Some("embedded"));
    let names = item.get("vector_spaces").and_then(|names| names.as_ss().ok()).into_iter().flatten();
    names.cloned().chain(old.map(str::to_owned)).collect()
}

/// The attribute that says why a chunk has no vector in a space.
pub(super) fn fault_in(space: &VectorSpace) -> String {
    format!("{}_fault", space.name())
}

pub(super) fn document_key(id: &DocumentId) -> Item {
    key(&id.assistant, &format!("document#{}", id.digits))
}

pub(super) fn chunk_key(id: &DocumentId, hash: &str) -> Item {
    key(&id.assistant, &chunk_id(id, hash))
}

pub(super) fn chunk_id(id: &DocumentId, hash: &str) -> String {
    format!("chunk#{}#{hash}", id.digits)
}

pub(super) fn chunk_hash(item: &Item) -> Option<String> {
    Some(text(item, "id")?.rsplit_once('#')?.1.to_owned())
}

pub(super) fn key(assistant: &str, id: &str) -> Item {
    HashMap::from([("assistant".to_owned(), s(assistant)), ("id".to_owned(), s(id))])
}

pub(super) fn s(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

pub(super) fn number(value: impl fmt::Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(super) fn text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

/// A count; one that was never written is 0, one that is no number is `None`.
pub(super) fn count(item: &Item, name: &str) -> Option<usize> {
    item.get(name).map_or(Some(0), |value| value.as_n().ok()?.parse().ok())
}

/// The first digits of a hash of the parts, each with its length, so that no two lists of parts read the same.
fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().take(DIGITS / 2).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_id_is_read_as_it_is_written() {
        let id = DocumentId::of("my-bot", &["a", "b"]);
        assert_eq!(id.to_string().parse(), Ok(id.clone()));
        assert_ne!(id, DocumentId::of("my-bot", &["ab", ""]));
        for wrong in ["", "defi", "defi-12", "-0123456789abcdef01234567", "a#1-0123456789abcdef01234567"] {
            assert!(wrong.parse::<DocumentId>().is_err(), "{wrong}");
        }
    }
}
