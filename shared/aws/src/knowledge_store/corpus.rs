//! An assistant's chunks: loaded at once and renewed by what changed, or found by meaning where they are too many for that.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::search_vectors::SearchVectorsError;
use aws_sdk_dynamodb::types::AttributeValue;
use contracts::problem::Problem;
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;

use super::items::{Item, s, text};
use super::segment::{CorpusChunk, SHARDS, read_segment, segment_key, shard_of};
use super::{CorpusState, DocumentId, KeptDocument, KnowledgeStore, VectorSpace, unreadable};
use crate::store::failed;

/// What an assistant knows, whole.
#[derive(Debug, Clone, Default)]
pub struct Corpus {
    /// How far it was before it was read: what is read is this or newer.
    pub state: CorpusState,
    /// What its documents were before they were read.
    pub documents: DocumentVersions,
    /// All chunks, by document and in the order they have there.
    pub chunks: Vec<CorpusChunk>,
}

/// What of a corpus is not as it was when it was loaded.
#[derive(Debug, Clone, Default)]
pub struct CorpusChanges {
    /// As in [`Corpus`].
    pub state: CorpusState,
    /// As in [`Corpus`].
    pub documents: DocumentVersions,
    /// The documents that are as they were.
    pub kept: HashSet<String>,
    /// The chunks of all others, by document and in the order they have there.
    pub chunks: Vec<CorpusChunk>,
}

/// What the documents of a corpus were at a time, by their ids: the numbers of who last began to change one, and of who last
/// packed it to the end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DocumentVersions(HashMap<String, (u64, u64)>);

impl DocumentVersions {
    fn of(documents: &[KeptDocument]) -> Self {
        Self(documents.iter().map(|document| (document.id.to_string(), (document.packed, document.finished))).collect())
    }

    /// Whether a document's segments are what they were. One whose packing is under way may have changed at any time.
    fn has(&self, document: &KeptDocument) -> bool {
        let numbers = (document.packed, document.finished);
        document.packed == document.finished && self.0.get(&document.id.to_string()) == Some(&numbers)
    }
}

/// The chunks of a segment, by the segment's id, and the bytes of its words and vectors.
type Loaded = (String, Vec<CorpusChunk>, usize);

impl KnowledgeStore {
    /// An assistant's whole corpus, with the vectors of this space; `None` as soon as its words and vectors are seen to
    /// take more than `limit` bytes.
    pub async fn load(
        &self,
        assistant: &str,
        space: Option<&VectorSpace>,
        limit: usize,
    ) -> Result<Option<Corpus>, Problem> {
        let (state, documents) = self.heads(assistant).await?;
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
        Ok(Some(Corpus { state, documents: DocumentVersions::of(&documents), chunks: in_order(segments) }))
    }

    /// What changed since the corpus was loaded whose documents were `known`: only the segments of changed documents are read.
    /// `None` as soon as these alone take more than `limit` bytes.
    pub async fn load_changes(
        &self,
        assistant: &str,
        space: Option<&VectorSpace>,
        known: &DocumentVersions,
        limit: usize,
    ) -> Result<Option<CorpusChanges>, Problem> {
        let (state, documents) = self.heads(assistant).await?;
        let versions = DocumentVersions::of(&documents);
        let there = documents.iter().filter(|document| !document.deleting);
        let (kept, changed): (Vec<_>, Vec<_>) = there.partition(|document| known.has(document));
        let keys = changed.iter().flat_map(|document| (0..document.segments).map(|index| (&document.id, index)));
        let loads: Vec<_> = keys.map(|(id, index)| self.load_segment(id, index, space)).collect();
        let mut loads = stream::iter(loads).buffer_unordered(SHARDS);
        let (mut segments, mut read) = (Vec::new(), 0);
        while let Some(loaded) = loads.try_next().await? {
            let Some((id, chunks, bytes)) = loaded else { continue };
            read += bytes;
            if read > limit {
                return Ok(None);
            }
            segments.push((id, chunks));
        }
        let kept = kept.into_iter().map(|document| document.id.to_string()).collect();
        Ok(Some(CorpusChanges { state, documents: versions, kept, chunks: in_order(segments) }))
    }

    /// Whether every text of an assistant has a vector in this space, or was refused by its embedder.
    pub async fn is_complete_in(&self, assistant: &str, space: &VectorSpace) -> Result<bool, Problem> {
        let (_, documents) = self.heads(assistant).await?;
        // What was never written to its end is in no answer.
        let mut there = documents.iter().filter(|document| !document.deleting && document.is_whole());
        Ok(there.all(|document| document.is_complete_in(space)))
    }

    /// How far the corpus is, and its documents. Who changes a document raises the version after the last of its segments, so
    /// that what is read from then on is as new as these say, or newer and then seen to be by the next look.
    async fn heads(&self, assistant: &str) -> Result<(CorpusState, Vec<KeptDocument>), Problem> {
        let query = self.client.query().table_name(&self.table).consistent_read(true);
        let query = query.key_condition_expression("assistant = :assistant AND id BETWEEN :first AND :last");
        let query = query.expression_attribute_values(":assistant", s(assistant));
        // "$" is what comes after "#".
        let query = query.expression_attribute_values(":first", s("corpus"));
        let query = query.expression_attribute_values(":last", s("document$"));
        let mut items = query.into_paginator().items().send();
        let (mut state, mut documents) = (CorpusState::default(), Vec::new());
        while let Some(item) = items.next().await {
            let item = item.map_err(|error| failed("listing the documents", &error))?;
            if text(&item, "id") == Some("corpus") {
                state = CorpusState::read(&item, Timestamp::now()).ok_or_else(unreadable)?;
            } else {
                documents.push(KeptDocument::read(&item).ok_or_else(unreadable)?);
            }
        }
        Ok((state, documents))
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

    /// A segment of a document, unless it is gone by now.
    async fn load_segment(
        &self,
        id: &DocumentId,
        index: usize,
        space: Option<&VectorSpace>,
    ) -> Result<Option<Loaded>, Problem> {
        let get = self.client.get_item().table_name(&self.table).set_key(Some(segment_key(id, index)));
        let output = get.consistent_read(true).send().await.map_err(|error| failed("loading a document", &error))?;
        let read = |item: &Item| read_segment(&id.assistant, item, space).ok_or_else(unreadable);
        output.item.as_ref().map(read).transpose()
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
}

/// The chunks of all segments, in the order of these.
fn in_order(mut segments: Vec<(String, Vec<CorpusChunk>)>) -> Vec<CorpusChunk> {
    segments.sort_by(|(one, _), (other, _)| one.cmp(other));
    segments.into_iter().flat_map(|(_, chunks)| chunks).collect()
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
        asked: String::new(),
        vector: None,
    })
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
}
