//! How the chunks of a document are packed, to be loaded many at once: below 256 KiB, on 16 hash keys.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use super::corpus::CorpusChunk;
use super::items::{self, Item, key, text};
use super::{DocumentId, VectorSpace};

/// On how many hash keys the segments of an assistant are spread.
pub(super) const SHARDS: usize = 16;
/// The most bytes of words (as JSON) and vectors in a segment; DynamoDB takes items to 400 KB.
const SEGMENT_BYTES: usize = 256 * 1024;

/// A chunk in a segment's list of texts; its vector, if it has one, is the next of the segment's.
#[derive(Serialize, Deserialize)]
pub(super) struct Packed {
    pub hash: String,
    pub text: String,
    pub heading: String,
    pub source: String,
    pub url: Option<String>,
    pub embedded: bool,
}

#[derive(Default)]
pub(super) struct Segment {
    pub texts: Vec<Packed>,
    pub vectors: Vec<u8>,
    bytes: usize,
}

pub(super) fn into_segments(chunks: Vec<(usize, Packed, Vec<u8>)>) -> serde_json::Result<Vec<Segment>> {
    let mut segments: Vec<Segment> = Vec::new();
    for (_, packed, vector) in chunks {
        // As it is written, with its address and what JSON escapes.
        let bytes = serde_json::to_vec(&packed)?.len() + 1 + vector.len();
        let mut segment = segments.pop().unwrap_or_default();
        if segment.bytes > 0 && segment.bytes + bytes > SEGMENT_BYTES {
            segments.push(std::mem::take(&mut segment));
        }
        segment.bytes += bytes;
        segment.vectors.extend(vector);
        segment.texts.push(packed);
        segments.push(segment);
    }
    Ok(segments)
}

pub(super) fn read_for_packing(item: &Item, space: Option<&VectorSpace>) -> Option<(usize, Packed, Vec<u8>)> {
    let listed = space.and_then(|space| item.get(space.name()).map(|vector| (vector, space.dimensions)));
    let vector = match listed {
        Some((vector, dimensions)) => to_bytes(vector.as_l().ok()?, dimensions)?,
        None => Vec::new(),
    };
    let packed = Packed {
        hash: items::chunk_hash(item)?,
        text: text(item, "text")?.to_owned(),
        heading: text(item, "heading")?.to_owned(),
        source: text(item, "source")?.to_owned(),
        url: text(item, "url").map(str::to_owned),
        embedded: !vector.is_empty(),
    };
    Some((items::count(item, "ordinal")?, packed, vector))
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
    let vectors = item.get("vectors").map_or(Some(&[][..]), |vectors| Some(vectors.as_b().ok()?.as_ref()))?;
    let ours = space.filter(|space| text(item, "vector_space") == Some(space.name()));
    let mut floats = vectors.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes));
    let packed: Vec<Packed> = serde_json::from_slice(texts).ok()?;
    let chunks = packed.into_iter().map(|packed| {
        let vector = match ours.filter(|_| packed.embedded) {
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
                embedded: true,
            };
            let segments = into_segments((0..1_000).map(|n| (n, packed(n), vec![0; 4])).collect()).unwrap();
            let sizes: Vec<usize> = segments
                .iter()
                .map(|segment| serde_json::to_vec(&segment.texts).unwrap().len() + segment.vectors.len())
                .collect();
            assert!(sizes.iter().all(|bytes| (1..=SEGMENT_BYTES + 1).contains(bytes)), "{sizes:?}");
            assert_eq!(segments.iter().map(|segment| segment.texts.len()).sum::<usize>(), 1_000);
        }
    }
}
