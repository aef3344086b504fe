//! An assistant's chunks, packed to be loaded at once, and found by meaning where they are too many for that.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::search_vectors::SearchVectorsError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, ReturnValue, TransactWriteItem, Update};
use contracts::problem::Problem;
use futures::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};

use super::items::{self, Item, document_key, key, number, s, text};
use super::{CorpusState, Counts, DocumentId, KeptDocument, KnowledgeStore, VectorSpace, unreadable};
use crate::store::failed;

/// On how many hash keys the segments of an assistant are spread.
const SHARDS: usize = 16;
/// The most bytes of words (as JSON) and vectors in a segment; DynamoDB takes items to 400 KB.
const SEGMENT_BYTES: usize = 256 * 1024;
/// How often a transaction that met another one is tried.
const ATTEMPTS: u32 = 6;

/// What an assistant knows, whole.
#[derive(Debug, Clone, Default)]
pub struct Corpus {
    /// How far it was before it was read: what is read is this or newer.
    pub state: CorpusState,
    /// All chunks, by document and in the order they have there.
    pub chunks: Vec<CorpusChunk>,
}

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
    /// Its vector in the space that was asked for; `None` before it is embedded.
    pub vector: Option<Vec<f32>>,
}

/// A chunk in a segment's list of texts; its vector, if it has one, is the next of the segment's.
#[derive(Serialize, Deserialize)]
struct Packed {
    hash: String,
    text: String,
    heading: String,
    source: String,
    url: Option<String>,
    embedded: bool,
}

#[derive(Default)]
struct Segment {
    texts: Vec<Packed>,
    vectors: Vec<u8>,
    bytes: usize,
}

impl KnowledgeStore {
    /// An assistant's whole corpus, with the vectors of this space; `None` as soon as its words and vectors are seen to
    /// take more than `limit` bytes.
    pub async fn load(
        &self,
        assistant: &str,
        space: Option<&VectorSpace>,
        limit: usize,
    ) -> Result<Option<Corpus>, Problem> {
        let state = self.corpus_state(assistant).await?;
        let read = AtomicUsize::new(0);
        let loads: Vec<_> = (0..SHARDS).map(|shard| self.load_shard(assistant, shard, space, &read, limit)).collect();
        let mut shards = stream::iter(loads).buffer_unordered(SHARDS);
        let mut segments = Vec::new();
        while let Some(loaded) = shards.try_next().await? {
            match loaded {
                Some(loaded) => segments.extend(loaded),
                None => return Ok(None),
            }
        }
        segments.sort_by(|(one, _), (other, _)| one.cmp(other));
        let chunks = segments.into_iter().flat_map(|(_, chunks)| chunks).collect();
        Ok(Some(Corpus { state, chunks }))
    }

    /// The chunks of an assistant nearest to a vector, the nearest first, with their cosine similarity; 100 at most.
    /// Searched by the table's vector index of this space; `source` keeps to one source.
    pub async fn nearest(
        &self,
        assistant: &str,
        space: &VectorSpace,
        vector: &[f32],
        count: usize,
        source: Option<&str>,
    ) -> Result<Vec<(CorpusChunk, f64)>, Problem> {
        let numbers = vector.iter().map(|x| AttributeValue::N(x.to_string())).collect();
        let condition =
            if source.is_some() { "assistant = :assistant AND #source = :source" } else { "assistant = :assistant" };
        let search = self.client.search_vectors().table_name(&self.table).index_name(space.name());
        let mut search = search
            .set_search_vector(Some(numbers))
            .top_k(i32::try_from(count.clamp(1, 100)).unwrap_or(100))
            .search_condition_expression(condition)
            .expression_attribute_values(":assistant", s(assistant))
            .projection_expression("assistant, id, #text, heading, #source, #url")
            .expression_attribute_names("#text", "text")
            .expression_attribute_names("#source", "source")
            .expression_attribute_names("#url", "url");
        if let Some(source) = source {
            search = search.expression_attribute_values(":source", s(source));
        }
        let output = search.send().await.map_err(|error| unsearchable(&error))?;
        let found = output.search_results.unwrap_or_default().into_iter().map(|result| {
            let chunk = result.item.as_ref().and_then(read_chunk).ok_or_else(unreadable)?;
            // A cosine index scores by distance.
            Ok((chunk, 1.0 - result.score))
        });
        found.collect()
    }

    /// Counts a document's chunks by their state in this space, packs them for [`Self::load`], and deletes those that are no
    /// longer its own. `None` where the document is gone or not whole. Called whenever some of its chunks changed, after they
    /// did: of several at once, the last to begin has seen what all the others wrote, and it alone finishes.
    pub async fn settle(&self, id: &DocumentId, space: Option<&VectorSpace>) -> Result<Option<KeptDocument>, Problem> {
        let Some(document) = self.begin_packing(id).await? else { return Ok(None) };
        let (segments, counts, old) = self.pack(&document, space).await?;
        let most = document.segments.max(segments.len());
        for (index, segment) in segments.iter().enumerate() {
            if !self.write_segment(&document, most, index, segment, space).await? {
                return self.document(id).await;
            }
        }
        if !self.delete_segments(&document, most, segments.len()..document.segments).await? {
            return self.document(id).await;
        }
        self.delete_chunks(id, &old, document.written).await?;
        // Before the document counts as settled: nobody would raise the version after a kill in between.
        self.bump(&id.assistant).await?;
        if !self.finish_packing(&document, segments.len(), counts, space).await? {
            return self.document(id).await;
        }
        let space = space.map(|space| space.name().to_owned());
        Ok(Some(KeptDocument { counts, space, segments: segments.len(), finished: document.packed, ..document }))
    }

    /// Deletes segments, unless another has begun to write, pack or delete: then false.
    pub(super) async fn delete_segments(
        &self,
        document: &KeptDocument,
        most: usize,
        indexes: Range<usize>,
    ) -> Result<bool, Problem> {
        for index in indexes {
            let delete = Delete::builder().table_name(&self.table).set_key(Some(segment_key(&document.id, index)));
            let delete = delete.build().map_err(Problem::internal)?;
            let change = TransactWriteItem::builder().delete(delete).build();
            if !self.change_segment(document, most, change).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The segments of a shard, by id; `None` as soon as all shards together have `read` more bytes than the limit. Beyond it
    /// at most a page (1 MB) of each shard was fetched.
    async fn load_shard(
        &self,
        assistant: &str,
        shard: usize,
        space: Option<&VectorSpace>,
        read: &AtomicUsize,
        limit: usize,
    ) -> Result<Option<Vec<(String, Vec<CorpusChunk>)>>, Problem> {
        let query = self.client.query().table_name(&self.table).consistent_read(true);
        let query = query.key_condition_expression("assistant = :shard");
        let query = query.expression_attribute_values(":shard", s(&shard_of(assistant, shard)));
        let mut items = query.into_paginator().items().send();
        let mut segments = Vec::new();
        while let Some(item) = items.next().await {
            let item = item.map_err(|error| failed("loading the corpus", &error))?;
            let (id, chunks, bytes) = read_segment(assistant, &item, space).ok_or_else(unreadable)?;
            if read.fetch_add(bytes, Ordering::Relaxed) + bytes > limit {
                return Ok(None);
            }
            segments.push((id, chunks));
        }
        Ok(Some(segments))
    }

    /// Takes the next number; whoever holds a lower one writes nothing from then on.
    async fn begin_packing(&self, id: &DocumentId) -> Result<Option<KeptDocument>, Problem> {
        let update = self.client.update_item().table_name(&self.table).set_key(Some(document_key(id)));
        let update = update.update_expression("ADD packed :one").return_values(ReturnValue::AllNew);
        let update = update.condition_expression("attribute_exists(fingerprint) AND attribute_not_exists(deleting)");
        match update.expression_attribute_values(":one", number(1)).send().await {
            Ok(output) => output.attributes.as_ref().and_then(KeptDocument::read).map(Some).ok_or_else(unreadable),
            Err(error)
                if error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
            {
                Ok(None)
            }
            Err(error) => Err(failed("packing a document", &error)),
        }
    }

    /// The segments of a document, its chunks by state, and the hashes of those there that are not of its last writing.
    async fn pack(
        &self,
        document: &KeptDocument,
        space: Option<&VectorSpace>,
    ) -> Result<(Vec<Segment>, Counts, Vec<String>), Problem> {
        let projection = "id, written, ordinal, #text, heading, #source, #url, vector_space, #status";
        let mut query = self
            .chunk_query(&document.id)
            .expression_attribute_names("#text", "text")
            .expression_attribute_names("#source", "source")
            .expression_attribute_names("#url", "url")
            .expression_attribute_names("#status", "status");
        query = match space {
            Some(space) => query
                .projection_expression(format!("{projection}, #vector"))
                .expression_attribute_names("#vector", space.name()),
            None => query.projection_expression(projection),
        };
        let mut items = query.into_paginator().items().send();
        let (mut counts, mut chunks, mut old) = (Counts::default(), Vec::new(), Vec::new());
        while let Some(item) = items.next().await {
            // A vector is turned into bytes at once: as a list of numbers it takes ten times the memory.
            let item = item.map_err(|error| failed("reading chunks", &error))?;
            let (ordinal, packed, vector) = read_for_packing(&item, space).ok_or_else(unreadable)?;
            if items::count(&item, "written") != usize::try_from(document.written).ok() {
                old.push(packed.hash);
                continue;
            }
            counts.chunks += 1;
            counts.embedded += usize::from(packed.embedded);
            let tried = space.is_some_and(|space| text(&item, "vector_space") == Some(space.name()));
            counts.failed += usize::from(tried && !packed.embedded);
            chunks.push((ordinal, packed, vector));
        }
        chunks.sort_by_key(|(ordinal, ..)| *ordinal);
        Ok((into_segments(chunks).map_err(Problem::internal)?, counts, old))
    }

    /// Writes one segment, unless another has begun to pack; the document remembers how many there may be.
    async fn write_segment(
        &self,
        document: &KeptDocument,
        most: usize,
        index: usize,
        segment: &Segment,
        space: Option<&VectorSpace>,
    ) -> Result<bool, Problem> {
        let mut item = segment_key(&document.id, index);
        let texts = serde_json::to_vec(&segment.texts).map_err(Problem::internal)?;
        item.insert("texts".to_owned(), AttributeValue::B(Blob::new(texts)));
        if let Some(space) = space.filter(|_| !segment.vectors.is_empty()) {
            item.insert("vectors".to_owned(), AttributeValue::B(Blob::new(segment.vectors.clone())));
            item.insert("vector_space".to_owned(), s(space.name()));
        }
        let put = Put::builder().table_name(&self.table).set_item(Some(item)).build().map_err(Problem::internal)?;
        self.change_segment(document, most, TransactWriteItem::builder().put(put).build()).await
    }

    /// Changes a segment while `document` is still what the table holds; false where it is not.
    async fn change_segment(
        &self,
        document: &KeptDocument,
        most: usize,
        change: TransactWriteItem,
    ) -> Result<bool, Problem> {
        let still_ours = Update::builder()
            .table_name(&self.table)
            .set_key(Some(document_key(&document.id)))
            .update_expression("SET segment_count = :segments")
            .condition_expression("packed = :packed")
            .expression_attribute_values(":segments", number(most))
            .expression_attribute_values(":packed", number(document.packed))
            .build()
            .map_err(Problem::internal)?;
        let parts = [TransactWriteItem::builder().update(still_ours).build(), change];
        for attempt in 1.. {
            let transaction = self.client.transact_write_items().set_transact_items(Some(parts.to_vec()));
            let Err(error) = transaction.send().await else { return Ok(true) };
            match cancelled(error.as_service_error()) {
                Some("ConditionalCheckFailed") => return Ok(false),
                Some("TransactionConflict") if attempt < ATTEMPTS => {
                    tokio::time::sleep(Duration::from_millis(20 << attempt)).await;
                }
                // Too large, for one: it is so the next time as well.
                Some("ValidationError") => return Err(Problem::internal(anyhow::anyhow!("a segment is not taken"))),
                _ => return Err(failed("writing a segment", &error)),
            }
        }
        Ok(false)
    }

    async fn finish_packing(
        &self,
        document: &KeptDocument,
        segments: usize,
        counts: Counts,
        space: Option<&VectorSpace>,
    ) -> Result<bool, Problem> {
        let set = "SET segment_count = :segments, chunks = :chunks, embedded = :embedded, failed = :failed, \
                   finished = :packed, updated_at = :now";
        let update = self.client.update_item().table_name(&self.table).set_key(Some(document_key(&document.id)));
        let update = update
            .condition_expression("packed = :packed")
            .expression_attribute_values(":packed", number(document.packed))
            .expression_attribute_values(":segments", number(segments))
            .expression_attribute_values(":chunks", number(counts.chunks))
            .expression_attribute_values(":embedded", number(counts.embedded))
            .expression_attribute_values(":failed", number(counts.failed))
            .expression_attribute_values(":now", s(&jiff::Timestamp::now().to_string()));
        let update = match space {
            Some(space) => update
                .update_expression(format!("{set}, vector_space = :space"))
                .expression_attribute_values(":space", s(space.name())),
            None => update.update_expression(format!("{set} REMOVE vector_space")),
        };
        match update.send().await {
            Ok(_) => Ok(true),
            Err(error)
                if error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
            {
                Ok(false)
            }
            Err(error) => Err(failed("counting the chunks", &error)),
        }
    }
}

/// The problem that a failed search is. An index that is being made or filled is no fault of who searches it.
fn unsearchable<R>(error: &SdkError<SearchVectorsError, R>) -> Problem {
    const NOT_READY: [&str; 2] = ["Cannot search backfilling vector index", "does not have the specified index"];
    let message = error.message().unwrap_or_default();
    if NOT_READY.iter().any(|reason| message.contains(reason)) {
        let cause = anyhow::anyhow!("searching by vector: the vector index is not ready");
        return Problem::unavailable("What was asked cannot be looked up for now.", cause);
    }
    failed("searching by vector", error)
}

/// The first reason for which a transaction was cancelled.
fn cancelled(error: Option<&TransactWriteItemsError>) -> Option<&str> {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error else { return None };
    cancelled.cancellation_reasons().iter().filter_map(|reason| reason.code()).find(|code| *code != "None")
}

fn into_segments(chunks: Vec<(usize, Packed, Vec<u8>)>) -> serde_json::Result<Vec<Segment>> {
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

fn read_for_packing(item: &Item, space: Option<&VectorSpace>) -> Option<(usize, Packed, Vec<u8>)> {
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

fn read_segment(
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

fn read_chunk(item: &Item) -> Option<CorpusChunk> {
    let mut id = text(item, "id")?.split('#').skip(1);
    let document_id = format!("{}-{}", text(item, "assistant")?, id.next()?);
    Some(CorpusChunk {
        id: format!("{document_id}.{}", id.next()?),
        document_id,
        text: text(item, "text")?.to_owned(),
        heading: text(item, "heading")?.to_owned(),
        source: text(item, "source")?.to_owned(),
        url: text(item, "url").map(str::to_owned),
        vector: None,
    })
}

/// Where a segment lies: neighbours on different hash keys.
fn segment_key(id: &DocumentId, index: usize) -> Item {
    let spread = usize::from_str_radix(id.digits.get(..4).unwrap_or_default(), 16).unwrap_or(0);
    key(&shard_of(&id.assistant, (spread + index) % SHARDS), &format!("{}#{index:03}", id.digits))
}

fn shard_of(assistant: &str, shard: usize) -> String {
    format!("{assistant}#{shard:02}")
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::error::ErrorMetadata;

    use super::*;

    #[test]
    fn an_index_that_is_not_ready_passes_and_a_wrong_question_does_not() {
        for (message, status, passes) in [
            ("Cannot search backfilling vector index: a_8", 503, true),
            ("The table does not have the specified index: a_8", 503, true),
            ("Provided TopK value is out of valid range", 500, false),
        ] {
            let error = ErrorMetadata::builder().code("ValidationException").message(message).build();
            let problem = unsearchable(&SdkError::service_error(SearchVectorsError::generic(error), ()));
            assert_eq!((problem.status().as_u16(), problem.is_transient()), (status, passes), "{message}");
        }
    }

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
