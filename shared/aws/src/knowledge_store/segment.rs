//! How the chunks of a document are packed, to be loaded many at once: below 256 KiB, on 16 hash keys.

use aws_sdk_dynamodb::types::AttributeValue;
use contracts::knowledge::SLOTS;
use serde::{Deserialize, Serialize};

use super::items::{self, Item, SLOT, key, text};
use super::{DocumentId, Spaces, VectorSpace};

/// On how many hash keys the segments of an assistant are spread.
pub(super) const SHARDS: usize = 16;
/// The most bytes of words (as JSON) and vectors in a segment; DynamoDB takes items to 400 KB.
const SEGMENT_BYTES: usize = 256 * 1024;

/// A chunk as `retrieve` searches it.
#[derive(Debug, Clone, PartialEq)]
pub struct CorpusChunk {
    /// Its id: that of its document and its hash, joined by a point.
    pub id: String,
    /// The document it is of.
    pub document_id: String,
    /// Its words.
    pub text: String,
    /// The headings above it, the outermost first, joined by " › ".
    pub heading: String,
    /// The name of where it is from.
    pub source: String,
    /// The address of where it is from.
    pub url: Option<String>,
    /// Other ways in which people ask for it; empty for one that the vector index found, where they count in the vector alone.
    pub asked: String,
    /// Its vector in the space that was asked for; `None` before it is embedded.
    pub vector: Option<Vec<f32>>,
}

impl CorpusChunk {
    /// The heading right above its text.
    pub fn own_heading(&self) -> &str {
        self.heading.rsplit(" › ").next().unwrap_or_default()
    }
}

/// A chunk in a segment's list of texts; its vectors, if it has any, are the next of the segment's.
#[derive(Serialize, Deserialize)]
pub(super) struct Packed {
    pub hash: String,
    pub text: String,
    pub heading: String,
    pub source: String,
    pub url: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub asked: String,
    /// Whether it has a vector in the current space.
    pub embedded: bool,
    /// The same of the next space.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub next_embedded: bool,
}

/// A chunk that is being packed, with its vectors as bytes.
pub(super) struct PackedChunk {
    pub ordinal: usize,
    pub packed: Packed,
    pub vectors: [Vec<u8>; SLOTS],
}

#[derive(Default)]
pub(super) struct Segment {
    pub texts: Vec<Packed>,
    pub vectors: [Vec<u8>; SLOTS],
    bytes: usize,
}

pub(super) fn into_segments(chunks: Vec<PackedChunk>) -> serde_json::Result<Vec<Segment>> {
    let mut segments: Vec<Segment> = Vec::new();
    for PackedChunk { packed, vectors, .. } in chunks {
        // As it is written, with its address and what JSON escapes.
        let bytes = serde_json::to_vec(&packed)?.len() + 1 + vectors.iter().map(Vec::len).sum::<usize>();
        let mut segment = segments.pop().unwrap_or_default();
        if segment.bytes > 0 && segment.bytes + bytes > SEGMENT_BYTES {
            segments.push(std::mem::take(&mut segment));
        }
        segment.bytes += bytes;
        for (all, vector) in segment.vectors.iter_mut().zip(vectors) {
            all.extend(vector);
        }
        segment.texts.push(packed);
        segments.push(segment);
    }
    Ok(segments)
}

pub(super) fn read_for_packing(item: &Item, spaces: &Spaces) -> Option<PackedChunk> {
    let vector = |space: Option<&VectorSpace>| {
        let listed = space.and_then(|space| Some((item.get(space.name())?, space.dimensions)));
        listed.map_or(Some(Vec::new()), |(vector, dimensions)| to_bytes(vector.as_l().ok()?, dimensions))
    };
    let [current, next] = spaces.slots().map(vector);
    let vectors = [current?, next?];
    let packed = Packed {
        hash: items::chunk_hash(item)?,
        text: text(item, "text")?.to_owned(),
        heading: text(item, "heading")?.to_owned(),
        source: text(item, "source")?.to_owned(),
        url: text(item, "url").map(str::to_owned),
        asked: text(item, "asked").unwrap_or_default().to_owned(),
        embedded: !vectors[0].is_empty(),
        next_embedded: !vectors[1].is_empty(),
    };
    Some(PackedChunk { ordinal: items::count(item, "ordinal")?, packed, vectors })
}

/// The vector as little-endian 32-bit floats.
fn to_bytes(numbers: &[AttributeValue], dimensions: usize) -> Option<Vec<u8>> {
    let parse = |number: &AttributeValue| number.as_n().ok()?.parse::<f32>().ok().map(f32::to_le_bytes);
    let bytes: Vec<[u8; 4]> = numbers.iter().map(parse).collect::<Option<_>>()?;
    (bytes.len() == dimensions).then(|| bytes.concat())
}

/// The id of a segment, its chunks with their vectors in this space, and the bytes of both.
pub(super) fn read_segment(
    assistant: &str,
    item: &Item,
    space: Option<&VectorSpace>,
) -> Option<(String, Vec<CorpusChunk>, usize)> {
    let id = text(item, "id")?;
    let document_id = format!("{assistant}-{}", id.split('#').next()?);
    let texts = item.get("texts")?.as_b().ok()?.as_ref();
    let is_in =
        |slot: &&str| space.is_some_and(|space| text(item, &format!("{slot}vector_space")) == Some(space.name()));
    let slot = SLOT.into_iter().find(is_in);
    let vectors = slot.and_then(|slot| item.get(&format!("{slot}vectors")));
    let vectors = vectors.map_or(Some(&[][..]), |vectors| Some(vectors.as_b().ok()?.as_ref()))?;
    let ours = space.filter(|_| slot.is_some());
    let is_next = slot.is_some_and(|slot| !slot.is_empty());
    let mut floats = vectors.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes));
    let packed: Vec<Packed> = serde_json::from_slice(texts).ok()?;
    let chunks = packed.into_iter().map(|packed| {
        let embedded = if is_next { packed.next_embedded } else { packed.embedded };
        let vector = match ours.filter(|_| embedded) {
            Some(space) => {
                let vector: Vec<f32> = floats.by_ref().take(space.dimensions).collect();
                Some((vector.len() == space.dimensions).then_some(vector)?)
            }
            None => None,
        };
        Some(CorpusChunk {
            id: format!("{document_id}.{}", packed.hash),
            document_id: document_id.clone(),
            text: packed.text,
            heading: packed.heading,
            source: packed.source,
            url: packed.url,
            asked: packed.asked,
            vector,
        })
    });
    Some((id.to_owned(), chunks.collect::<Option<_>>()?, texts.len() + vectors.len()))
}

/// Where a segment lies: neighbours on different hash keys.
pub(super) fn segment_key(id: &DocumentId, index: usize) -> Item {
    let spread = usize::from_str_radix(id.digits.get(..4).unwrap_or_default(), 16).unwrap_or(0);
    key(&shard_of(&id.assistant, (spread + index) % SHARDS), &format!("{}#{index:03}", id.digits))
}

pub(super) fn shard_of(assistant: &str, shard: usize) -> String {
    format!("{assistant}#{shard:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_counted_as_it_is_written() {
        let address = format!("https://example.org/{}", "x".repeat(1_980));
        for (text, url) in [("Yes.", Some(address)), ("\u{1}\"\n".repeat(300).as_str(), None)] {
            let packed = |n: usize| Packed {
                hash: format!("{n:024}"),
                text: text.to_owned(),
                heading: "Why?".to_owned(),
                source: "Handbook".to_owned(),
                url: url.clone(),
                asked: "how come".to_owned(),
                embedded: true,
                next_embedded: true,
            };
            let chunk = |n| PackedChunk { ordinal: n, packed: packed(n), vectors: [vec![0; 4], vec![0; 8]] };
            let segments = into_segments((0..1_000).map(chunk).collect()).unwrap();
            let sizes: Vec<usize> = segments
                .iter()
                .map(|segment| serde_json::to_vec(&segment.texts).unwrap().len() + segment.vectors.concat().len())
                .collect();
            assert!(sizes.iter().all(|bytes| (1..=SEGMENT_BYTES + 1).contains(bytes)), "{sizes:?}");
            assert_eq!(segments.iter().map(|segment| segment.texts.len()).sum::<usize>(), 1_000);
        }
    }
}
