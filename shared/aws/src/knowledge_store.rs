//! The `knowledge` table: documents, their chunks with vectors, and the packed corpus that `retrieve` loads.
//!
//! | hash key `assistant` | range key `id` | holds |
//! | --- | --- | --- |
//! | `defi` | `document#D` | one document: what it is, its chunks by state, the number of who last wrote, packed or deleted it |
//! | `defi` | `chunk#D#C` | one chunk: text, heading, source, how it is asked for, its vectors under an attribute per [`VectorSpace`], and their names in `vector_spaces` |
//! | `defi` | `corpus` | the corpus version, which grows with every change, and when its own texts were taken in ([`CorpusState`]) |
//! | `defi#07` | `D#000` | one segment: the chunks of a document packed below 256 KiB, on 16 hash keys so that they load in parallel |
//!
//! A chunk's id is the hash of its words, so the same text written twice is one chunk, and one that stays keeps its vector
//! when its document changes. Segments are rewritten a document at a time by [`KnowledgeStore::settle`], of which the last
//! to begin wins; whoever wrote a vector settles afterwards, so the winner has seen it.
//!
//! Texts have vectors in two spaces at most ([`Spaces`]): that of the embedder which questions are searched by, and that of the
//! one which is to take its place. What is packed holds both; a chunk loses older ones once it has all of these.
//!
//! Whoever writes, packs or deletes a document takes a number first, `packed`, and changes only what no higher number has
//! touched: a chunk carries the number of who wrote it, and everything else goes with a look at the document. The first
//! number of a document is the time, so that one written after a deletion is above all that came before it.

mod corpus;
mod items;
mod packing;
mod segment;
mod state;

use std::collections::{HashMap, HashSet};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, ReturnValue};
use futures::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};

pub use contracts::knowledge::{Spaces, VectorSpace};
pub use corpus::{Corpus, CorpusChanges, DocumentVersions};
pub use items::{ChunkText, Counts, DocumentId, KeptDocument, NewDocument, StoredChunk};
pub use segment::CorpusChunk;
pub use state::CorpusState;

use crate::store::failed;
use contracts::problem::Problem;
use items::{Item, chunk_id, document_key, number, s};
use runtime::config;

/// How many single writes are under way at once for one document.
const WRITES: usize = 16;
/// The most keys that one BatchGetItem takes.
const BATCH_GET: usize = 100;

/// The work of embedding some chunks of one document, as the queue carries it: keys, not text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmbedWork {
    /// The document.
    pub document: DocumentId,
    /// The hashes of its chunks.
    pub chunks: Vec<String>,
    /// Which part it is of the work that was queued at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<WorkPart>,
    /// Written by releases that put work back as new messages; not read any more.
    #[serde(default)]
    pub put_back: u32,
}

/// A part of the work on a document that was queued at once: the document is packed when all parts are done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkPart {
    /// The number of who packed the document before the work was queued: once another packs it, its parts count no more.
    pub packed: u64,
    /// Which of the parts it is, from 0.
    pub number: u32,
    /// How many parts there are.
    pub of: u32,
}

/// The most chunks in one message: what one call to an embedder takes well.
const CHUNKS_PER_MESSAGE: usize = 32;

impl EmbedWork {
    /// The messages for those chunks of a document.
    pub fn for_chunks(document: &DocumentId, chunks: &[String]) -> Vec<Self> {
        let message =
            |chunks: &[String]| Self { document: document.clone(), chunks: chunks.to_vec(), part: None, put_back: 0 };
        chunks.chunks(CHUNKS_PER_MESSAGE).map(message).collect()
    }

    /// The messages for all that is left to do for a document that was packed just before: those chunks.
    pub fn for_document(document: &KeptDocument, chunks: &[String]) -> Vec<Self> {
        let mut messages = Self::for_chunks(&document.id, chunks);
        let of = messages.len() as u32;
        for (number, message) in (0..).zip(&mut messages) {
            message.part = Some(WorkPart { packed: document.packed, number, of });
        }
        messages
    }
}

/// Reads and writes the table.
#[derive(Debug, Clone)]
pub struct KnowledgeStore {
    client: Client,
    table: String,
}

impl KnowledgeStore {
    /// In the table given.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// In the table that `KNOWLEDGE_TABLE` names.
    ///
    /// # Errors
    /// The variable is missing.
    pub async fn from_env() -> anyhow::Result<Self> {
        let table = config::required("KNOWLEDGE_TABLE")?;
        Ok(Self::new(crate::store::client().await, table))
    }

    /// Writes a document with its chunks, in place of what had its id before. Chunks that were there keep their vectors.
    /// Found by words as soon as this returns. What must be embedded is then what [`Self::pending`] says.
    ///
    /// Broken off, it leaves a document that is not whole: nobody packs it, what was packed before stays in answers, and
    /// writing it again or deleting it takes hold of every chunk that came so far.
    pub async fn write(&self, document: &NewDocument, spaces: &Spaces) -> Result<KeptDocument, Problem> {
        let before = self.read_document(&document.id).await?;
        let fingerprint = document.fingerprint();
        let is_written = match &before {
            Some(kept) if kept.deleting => {
                self.finish_deleting(&document.id).await?;
                false
            }
            Some(kept) if kept.fingerprint == fingerprint && kept.is_settled_in(spaces) => return Ok(kept.clone()),
            Some(kept) => kept.fingerprint == fingerprint,
            None => false,
        };
        // Whoever wrote or deleted it in between has the last word.
        let raced = || Problem::unavailable("The document was changed at the same time.", anyhow::anyhow!("raced"));
        if !is_written {
            let begun = self.begin_writing(document).await?;
            let ordinals = document.chunks.iter().enumerate();
            let writes: Vec<_> =
                ordinals.map(|(ordinal, chunk)| self.write_chunk(&document.id, ordinal, chunk, begun)).collect();
            stream::iter(writes).buffer_unordered(WRITES).try_collect::<()>().await?;
            if !self.finish_writing(&document.id, begun, &fingerprint).await? {
                // Nobody else may know of them: the winner can have been a deletion.
                let hashes: Vec<String> = document.chunks.iter().map(ChunkText::hash).collect();
                self.delete_chunks(&document.id, &hashes, begun + 1).await?;
                return Err(raced());
            }
        }
        self.settle(&document.id, spaces).await?.ok_or_else(raced)
    }

    /// The document of that id, unless it is deleted.
    pub async fn document(&self, id: &DocumentId) -> Result<Option<KeptDocument>, Problem> {
        Ok(self.read_document(id).await?.filter(|document| !document.deleting))
    }

    /// All documents of an assistant, those whose deletion was not finished as well.
    pub async fn documents(&self, assistant: &str) -> Result<Vec<KeptDocument>, Problem> {
        let query = self.client.query().table_name(&self.table).consistent_read(true);
        let query = query.key_condition_expression("assistant = :assistant AND begins_with(id, :prefix)");
        let query = query.expression_attribute_values(":assistant", s(assistant));
        let query = query.expression_attribute_values(":prefix", s("document#"));
        let items = query.into_paginator().items().send().try_collect().await;
        let items = items.map_err(|error| failed("listing the documents", &error))?;
        items.iter().map(|item| KeptDocument::read(item).ok_or_else(unreadable)).collect()
    }

    /// Deletes a document; false where there is none. It is no longer shown from the first write on, and out of answers once
    /// this returns. What fails in the middle is finished by calling it again, or by [`Self::finish_deleting`]; of several at
    /// once, the last to begin finishes.
    pub async fn delete(&self, id: &DocumentId) -> Result<bool, Problem> {
        self.delete_if(id, "attribute_exists(id)").await
    }

    /// Finishes a deletion that was broken off; false where there is none to finish (any more).
    pub async fn finish_deleting(&self, id: &DocumentId) -> Result<bool, Problem> {
        self.delete_if(id, "attribute_exists(deleting)").await
    }

    async fn delete_if(&self, id: &DocumentId, condition: &str) -> Result<bool, Problem> {
        let update = self.client.update_item().table_name(&self.table).set_key(Some(document_key(id)));
        let update = update.update_expression("SET deleting = :yes ADD packed :one").condition_expression(condition);
        let update = update.expression_attribute_values(":yes", AttributeValue::Bool(true));
        let update = update.expression_attribute_values(":one", number(1)).return_values(ReturnValue::AllNew);
        let document = match update.send().await {
            Ok(output) => output.attributes.as_ref().and_then(KeptDocument::read).ok_or_else(unreadable)?,
            Err(error)
                if error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
            {
                return Ok(false);
            }
            Err(error) => return Err(failed("deleting a document", &error)),
        };
        if self.delete_segments(&document, document.segments, 0..document.segments).await? {
            self.bump(&id.assistant).await?;
            let hashes = self.chunk_hashes(id, []).await?;
            self.delete_chunks(id, &hashes, document.packed).await?;
            self.delete_item(document_key(id), "packed = :number", document.packed).await?;
        }
        Ok(true)
    }

    /// The hashes of the chunks of a document that have no vector in one of these spaces, be it that they wait or that they
    /// failed; none where there are no spaces.
    pub async fn unembedded<'a>(
        &self,
        id: &DocumentId,
        spaces: impl IntoIterator<Item = &'a VectorSpace>,
    ) -> Result<Vec<String>, Problem> {
        let mut spaces = spaces.into_iter().peekable();
        if spaces.peek().is_none() {
            return Ok(Vec::new());
        }
        self.chunk_hashes(id, spaces).await
    }

    /// Those chunks of a document, as far as they are there.
    pub async fn chunks(&self, id: &DocumentId, hashes: &[String]) -> Result<Vec<StoredChunk>, Problem> {
        let mut found = Vec::new();
        let hashes: HashSet<&String> = hashes.iter().collect();
        let hashes: Vec<_> = hashes.into_iter().collect();
        for some in hashes.chunks(BATCH_GET) {
            let keys = some.iter().map(|hash| items::chunk_key(id, hash)).collect();
            let wanted = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true);
            let wanted =
                wanted.projection_expression("id, #text, heading, asked, vector_spaces, vector_space, #status");
            let wanted =
                wanted.expression_attribute_names("#text", "text").expression_attribute_names("#status", "status");
            let wanted = wanted.build().map_err(Problem::internal)?;
            let mut unread = Some(HashMap::from([(self.table.clone(), wanted)]));
            while let Some(request) = unread.take().filter(|request| !request.is_empty()) {
                let output = self.client.batch_get_item().set_request_items(Some(request)).send().await;
                let output = output.map_err(|error| failed("reading chunks", &error))?;
                let read = output.responses.unwrap_or_default().remove(&self.table).unwrap_or_default();
                for item in &read {
                    found.push(StoredChunk::read(item).ok_or_else(unreadable)?);
                }
                unread = output.unprocessed_keys;
            }
        }
        Ok(found)
    }

    /// Keeps a chunk's vector, beside those of other spaces. A chunk that is gone by now stays gone.
    pub async fn keep_vector(
        &self,
        id: &DocumentId,
        chunk: &StoredChunk,
        space: &VectorSpace,
        vector: &[f32],
    ) -> Result<(), Problem> {
        let numbers = vector.iter().map(|x| AttributeValue::N(x.to_string())).collect();
        let update = self.client.update_item().table_name(&self.table);
        let update = update.set_key(Some(items::chunk_key(id, &chunk.hash)));
        let update = update
            .update_expression("SET #vector = :vector REMOVE #fault ADD vector_spaces :space")
            .condition_expression("attribute_exists(id)")
            .expression_attribute_names("#vector", space.name())
            .expression_attribute_names("#fault", items::fault_in(space))
            .expression_attribute_values(":vector", AttributeValue::L(numbers))
            .expression_attribute_values(":space", AttributeValue::Ss(vec![space.name().to_owned()]));
        unless_not_so(update.send().await, "keeping a vector")
    }

    /// Says that a chunk cannot be embedded in this space, and why. One that has a vector keeps it.
    pub async fn keep_fault(
        &self,
        id: &DocumentId,
        chunk: &StoredChunk,
        space: &VectorSpace,
        reason: &str,
    ) -> Result<(), Problem> {
        let update = self.client.update_item().table_name(&self.table);
        let update = update.set_key(Some(items::chunk_key(id, &chunk.hash)));
        let update = update
            .update_expression("SET #fault = :reason")
            .condition_expression("attribute_exists(id) AND attribute_not_exists(#vector)")
            .expression_attribute_names("#vector", space.name())
            .expression_attribute_names("#fault", items::fault_in(space))
            .expression_attribute_values(":reason", s(reason));
        unless_not_so(update.send().await, "keeping a fault")
    }

    async fn read_document(&self, id: &DocumentId) -> Result<Option<KeptDocument>, Problem> {
        let get = self.client.get_item().table_name(&self.table).set_key(Some(document_key(id)));
        let output = get.consistent_read(true).send().await.map_err(|error| failed("reading a document", &error))?;
        output.item.map(|item| KeptDocument::read(&item).ok_or_else(unreadable)).transpose()
    }

    /// Writes a chunk, unless one who began later did.
    async fn write_chunk(&self, id: &DocumentId, ordinal: usize, chunk: &ChunkText, begun: u64) -> Result<(), Problem> {
        let update = self.client.update_item().table_name(&self.table);
        let update = update.set_key(Some(items::chunk_key(id, &chunk.hash())));
        let update = update.condition_expression("attribute_not_exists(written) OR written <= :begun");
        let mut set =
            "SET written = :begun, ordinal = :ordinal, #text = :text, heading = :heading, #source = :source".to_owned();
        let mut update = update
            .expression_attribute_names("#text", "text")
            .expression_attribute_names("#source", "source")
            .expression_attribute_values(":begun", number(begun))
            .expression_attribute_values(":ordinal", number(ordinal))
            .expression_attribute_values(":text", s(&chunk.text))
            .expression_attribute_values(":heading", s(&chunk.heading))
            .expression_attribute_values(":source", s(&chunk.source));
        if let Some(url) = &chunk.url {
            set.push_str(", #url = :url");
            update = update.expression_attribute_names("#url", "url").expression_attribute_values(":url", s(url));
        }
        if !chunk.asked.is_empty() {
            set.push_str(", asked = :asked");
            update = update.expression_attribute_values(":asked", s(&chunk.asked));
        }
        unless_not_so(update.update_expression(set).send().await, "writing a chunk")
    }

    /// Writes a document's head before its chunks, so that these are never of nobody. Without a fingerprint it is not whole;
    /// the number is taken from whoever writes or packs it at the same time.
    async fn begin_writing(&self, document: &NewDocument) -> Result<u64, Problem> {
        let update = self.client.update_item().table_name(&self.table).set_key(Some(document_key(&document.id)));
        let mut set = "SET #source = :source, title = :title, chunks = :chunks, embedded = :none, failed = :none, \
                       next_embedded = :none, next_failed = :none, segment_count = if_not_exists(segment_count, :none), updated_at = :now, \
                       packed = if_not_exists(packed, :clock) + :one"
            .to_owned();
        let now = jiff::Timestamp::now();
        let mut remove = " REMOVE fingerprint, vector_space, next_vector_space, parts_done".to_owned();
        let mut update = update
            .condition_expression("attribute_not_exists(deleting)")
            .return_values(ReturnValue::AllNew)
            .expression_attribute_names("#source", "source")
            .expression_attribute_names("#url", "url")
            .expression_attribute_values(":source", s(&document.source))
            .expression_attribute_values(":title", s(&document.title))
            .expression_attribute_values(":chunks", number(document.chunks.len()))
            .expression_attribute_values(":none", number(0))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":clock", number(now.as_microsecond()))
            .expression_attribute_values(":now", s(&now.to_string()));
        if let Some(key) = &document.key {
            set.push_str(", #key = :key");
            update = update.expression_attribute_names("#key", "key").expression_attribute_values(":key", s(key));
        }
        match &document.url {
            Some(url) => {
                set.push_str(", #url = :url");
                update = update.expression_attribute_values(":url", s(url));
            }
            None => remove.push_str(", #url"),
        }
        let output = update.update_expression(format!("{set}{remove}")).send().await;
        let output = output.map_err(|error| failed("writing a document", &error))?;
        let kept = output.attributes.as_ref().and_then(KeptDocument::read).ok_or_else(unreadable)?;
        Ok(kept.packed)
    }

    /// Says that all chunks are written, unless another has begun to write or delete the document.
    async fn finish_writing(&self, id: &DocumentId, begun: u64, fingerprint: &str) -> Result<bool, Problem> {
        let update = self.client.update_item().table_name(&self.table).set_key(Some(document_key(id)));
        let update = update.update_expression("SET fingerprint = :fingerprint, written = :begun");
        let update = update.condition_expression("packed = :begun");
        let update = update.expression_attribute_values(":fingerprint", s(fingerprint));
        match update.expression_attribute_values(":begun", number(begun)).send().await {
            Ok(_) => Ok(true),
            Err(error)
                if error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
            {
                Ok(false)
            }
            Err(error) => Err(failed("writing a document", &error)),
        }
    }

    /// The hashes of a document's chunks; with spaces, of those alone that have no vector in one of them.
    async fn chunk_hashes<'a>(
        &self,
        id: &DocumentId,
        without: impl IntoIterator<Item = &'a VectorSpace>,
    ) -> Result<Vec<String>, Problem> {
        let mut query = self.chunk_query(id).projection_expression("id");
        let mut lacks = Vec::new();
        for (at, space) in without.into_iter().enumerate() {
            lacks.push(format!("attribute_not_exists(#vector{at})"));
            query = query.expression_attribute_names(format!("#vector{at}"), space.name());
        }
        if !lacks.is_empty() {
            query = query.filter_expression(lacks.join(" OR "));
        }
        let items: Vec<Item> = query
            .into_paginator()
            .items()
            .send()
            .try_collect()
            .await
            .map_err(|error| failed("listing chunks", &error))?;
        items.iter().map(|item| items::chunk_hash(item).ok_or_else(unreadable)).collect()
    }

    fn chunk_query(&self, id: &DocumentId) -> aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder {
        let query = self.client.query().table_name(&self.table).consistent_read(true);
        let query = query.key_condition_expression("assistant = :assistant AND begins_with(id, :prefix)");
        let query = query.expression_attribute_values(":assistant", s(&id.assistant));
        query.expression_attribute_values(":prefix", s(&chunk_id(id, "")))
    }

    /// Deletes those chunks, as far as they were written by who began before `number`.
    async fn delete_chunks(&self, id: &DocumentId, hashes: &[String], number: u64) -> Result<(), Problem> {
        let older = "attribute_not_exists(written) OR written < :number";
        let deletes: Vec<_> =
            hashes.iter().map(|hash| self.delete_item(items::chunk_key(id, hash), older, number)).collect();
        stream::iter(deletes).buffer_unordered(WRITES).try_collect().await
    }

    /// Deletes an item for which a condition on `:number` holds.
    async fn delete_item(&self, key: Item, condition: &str, number: u64) -> Result<(), Problem> {
        let delete = self.client.delete_item().table_name(&self.table).set_key(Some(key));
        let delete = delete.condition_expression(condition);
        let delete = delete.expression_attribute_values(":number", items::number(number));
        match delete.send().await {
            Err(error)
                if !error.as_service_error().is_some_and(DeleteItemError::is_conditional_check_failed_exception) =>
            {
                Err(failed("deleting an item", &error))
            }
            _ => Ok(()),
        }
    }
}

/// What its condition does not hold for is not wanted: an item that is gone was deleted on purpose, a newer one stays.
fn unless_not_so<T>(
    result: Result<T, aws_sdk_dynamodb::error::SdkError<UpdateItemError>>,
    doing: &str,
) -> Result<(), Problem> {
    match result {
        Ok(_) => Ok(()),
        Err(error) if error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception) => {
            Ok(())
        }
        Err(error) => Err(failed(doing, &error)),
    }
}

fn unreadable() -> Problem {
    Problem::internal(anyhow::anyhow!("an item of the knowledge table cannot be read"))
}
