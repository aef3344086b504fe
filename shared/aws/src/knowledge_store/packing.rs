//! Packs a document's chunks into segments: of several who do it at once, the last to begin finishes.

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, ReturnValue, TransactWriteItem, Update};
use contracts::knowledge::SLOTS;
use contracts::problem::Problem;
use futures::{StreamExt, TryStreamExt, stream};

use super::items::{self, Item, SLOT, chunk_key, document_key, number, s, text};
use super::segment::{Segment, into_segments, read_for_packing, segment_key};
use super::{
    Counts, DocumentId, KeptDocument, KnowledgeStore, Spaces, VectorSpace, WRITES, WorkPart, unless_not_so, unreadable,
};
use crate::store::failed;

/// How often a transaction that met another one is tried.
const ATTEMPTS: u32 = 6;

/// A document, packed.
#[derive(Default)]
struct Pack {
    segments: Vec<Segment>,
    /// Its chunks by state, in each space.
    counts: [Counts; SLOTS],
    /// The hashes of the chunks there that are not of its last writing.
    old: Vec<String>,
    /// The hashes of those with vectors that others have taken the place of, and the names of their spaces.
    replaced: Vec<(String, Vec<String>)>,
}

impl KnowledgeStore {
    /// Counts a document's chunks by their state in these spaces, packs them for [`Self::load`], and deletes those that are no
    /// longer its own. `None` where the document is gone or not whole. Called whenever some of its chunks changed, after they
    /// did: of several at once, the last to begin has seen what all the others wrote, and it alone finishes.
    pub async fn settle(&self, id: &DocumentId, spaces: &Spaces) -> Result<Option<KeptDocument>, Problem> {
        let Some(document) = self.begin_packing(id).await? else { return Ok(None) };
        let Pack { segments, counts, old, replaced } = self.pack(&document, spaces).await?;
        let most = document.segments.max(segments.len());
        for (index, segment) in segments.iter().enumerate() {
            if !self.write_segment(&document, most, index, segment, spaces).await? {
                return self.document(id).await;
            }
        }
        if !self.delete_segments(&document, most, segments.len()..document.segments).await? {
            return self.document(id).await;
        }
        self.delete_chunks(id, &old, document.written).await?;
        self.delete_vectors(id, &replaced).await?;
        // Before the document counts as settled: nobody would raise the version after a kill in between.
        self.bump(&id.assistant).await?;
        if !self.finish_packing(&document, segments.len(), counts, spaces).await? {
            return self.document(id).await;
        }
        let [counts, next] = counts;
        let [space, next_space] = spaces.slots().map(|space| space.map(|space| space.name().to_owned()));
        let (segments, finished, next) = (segments.len(), document.packed, (next_space, next));
        Ok(Some(KeptDocument { counts, space, next, segments, finished, ..document }))
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

    /// Notes that parts of the work on a document are done, each as often as it is: whether all of them are now. `None` where
    /// somebody has written, packed or deleted the document since they were queued.
    pub async fn finish_parts(&self, id: &DocumentId, parts: &[WorkPart]) -> Result<Option<bool>, Problem> {
        let Some(first) = parts.first() else { return Ok(None) };
        let numbers = parts.iter().map(|part| part.number.to_string()).collect::<BTreeSet<_>>();
        let update = self.client.update_item().table_name(&self.table).set_key(Some(document_key(id)));
        let update = update.update_expression("ADD parts_done :parts").condition_expression("packed = :packed");
        let update = update.expression_attribute_values(":packed", number(first.packed));
        let update = update.expression_attribute_values(":parts", AttributeValue::Ns(numbers.into_iter().collect()));
        match update.return_values(ReturnValue::UpdatedNew).send().await {
            Ok(output) => {
                let done = output.attributes.as_ref().and_then(|item| item.get("parts_done")?.as_ns().ok());
                Ok(Some(done.ok_or_else(unreadable)?.len() >= first.of as usize))
            }
            Err(error)
                if error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
            {
                Ok(None)
            }
            Err(error) => Err(failed("noting what is embedded", &error)),
        }
    }

    /// Takes the next number; whoever holds a lower one writes nothing from then on.
    async fn begin_packing(&self, id: &DocumentId) -> Result<Option<KeptDocument>, Problem> {
        let update = self.client.update_item().table_name(&self.table).set_key(Some(document_key(id)));
        let update = update.update_expression("ADD packed :one REMOVE parts_done").return_values(ReturnValue::AllNew);
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

    async fn pack(&self, document: &KeptDocument, spaces: &Spaces) -> Result<Pack, Problem> {
        let mut projection =
            "id, written, ordinal, #text, heading, asked, #source, #url, vector_spaces, vector_space, #status"
                .to_owned();
        let mut query = self
            .chunk_query(&document.id)
            .expression_attribute_names("#text", "text")
            .expression_attribute_names("#source", "source")
            .expression_attribute_names("#url", "url")
            .expression_attribute_names("#status", "status");
        for (at, space) in spaces.iter().enumerate() {
            projection.push_str(&format!(", #vector{at}, #fault{at}"));
            query = query.expression_attribute_names(format!("#vector{at}"), space.name());
            query = query.expression_attribute_names(format!("#fault{at}"), items::fault_in(space));
        }
        let mut items = query.projection_expression(projection).into_paginator().items().send();
        let (mut pack, mut chunks) = (Pack::default(), Vec::new());
        while let Some(item) = items.next().await {
            // A vector is turned into bytes at once: as a list of numbers it takes ten times the memory.
            let item = item.map_err(|error| failed("reading chunks", &error))?;
            let chunk = read_for_packing(&item, spaces).ok_or_else(unreadable)?;
            if items::count(&item, "written") != usize::try_from(document.written).ok() {
                pack.old.push(chunk.packed.hash);
                continue;
            }
            for ((space, vector), counts) in spaces.slots().into_iter().zip(&chunk.vectors).zip(&mut pack.counts) {
                counts.chunks += 1;
                counts.embedded += usize::from(!vector.is_empty());
                let failed = space.is_some_and(|space| vector.is_empty() && has_failed_in(&item, space));
                counts.failed += usize::from(failed);
            }
            let replaced = replaced_vectors(&item, spaces);
            if !replaced.is_empty() {
                pack.replaced.push((chunk.packed.hash.clone(), replaced));
            }
            chunks.push(chunk);
        }
        chunks.sort_by_key(|chunk| chunk.ordinal);
        pack.segments = into_segments(chunks).map_err(Problem::internal)?;
        Ok(pack)
    }

    /// Deletes the vectors of chunks that others have taken the place of.
    async fn delete_vectors(&self, id: &DocumentId, replaced: &[(String, Vec<String>)]) -> Result<(), Problem> {
        let deletes = replaced.iter().map(|(hash, spaces)| async move {
            let update = self.client.update_item().table_name(&self.table).set_key(Some(chunk_key(id, hash)));
            let names: Vec<String> = (0..spaces.len()).map(|at| format!("#vector{at}")).collect();
            // The two others are of earlier releases.
            let expression = format!("REMOVE {}, vector_space, #status DELETE vector_spaces :spaces", names.join(", "));
            let mut update = update.update_expression(expression).condition_expression("attribute_exists(id)");
            for (name, space) in names.into_iter().zip(spaces) {
                update = update.expression_attribute_names(name, space);
            }
            let update = update.expression_attribute_names("#status", "status");
            let update = update.expression_attribute_values(":spaces", AttributeValue::Ss(spaces.clone()));
            unless_not_so(update.send().await, "deleting replaced vectors")
        });
        stream::iter(deletes.collect::<Vec<_>>()).buffer_unordered(WRITES).try_collect().await
    }

    /// Writes one segment, unless another has begun to pack; the document remembers how many there may be.
    async fn write_segment(
        &self,
        document: &KeptDocument,
        most: usize,
        index: usize,
        segment: &Segment,
        spaces: &Spaces,
    ) -> Result<bool, Problem> {
        let mut item = segment_key(&document.id, index);
        let texts = serde_json::to_vec(&segment.texts).map_err(Problem::internal)?;
        item.insert("texts".to_owned(), AttributeValue::B(Blob::new(texts)));
        for ((slot, space), vectors) in SLOT.into_iter().zip(spaces.slots()).zip(&segment.vectors) {
            if let Some(space) = space.filter(|_| !vectors.is_empty()) {
                item.insert(format!("{slot}vectors"), AttributeValue::B(Blob::new(vectors.clone())));
                item.insert(format!("{slot}vector_space"), s(space.name()));
            }
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
        counts: [Counts; SLOTS],
        spaces: &Spaces,
    ) -> Result<bool, Problem> {
        let mut set =
            "SET segment_count = :segments, chunks = :chunks, finished = :packed, updated_at = :now".to_owned();
        let mut remove = Vec::new();
        let update = self.client.update_item().table_name(&self.table).set_key(Some(document_key(&document.id)));
        let mut update = update
            .condition_expression("packed = :packed")
            .expression_attribute_values(":packed", number(document.packed))
            .expression_attribute_values(":segments", number(segments))
            .expression_attribute_values(":chunks", number(counts[0].chunks))
            .expression_attribute_values(":now", s(&jiff::Timestamp::now().to_string()));
        for ((slot, space), counts) in SLOT.into_iter().zip(spaces.slots()).zip(counts) {
            set.push_str(&format!(", {slot}embedded = :{slot}embedded, {slot}failed = :{slot}failed"));
            update = update.expression_attribute_values(format!(":{slot}embedded"), number(counts.embedded));
            update = update.expression_attribute_values(format!(":{slot}failed"), number(counts.failed));
            match space {
                Some(space) => {
                    set.push_str(&format!(", {slot}vector_space = :{slot}space"));
                    update = update.expression_attribute_values(format!(":{slot}space"), s(space.name()));
                }
                None => remove.push(format!("{slot}vector_space")),
            }
        }
        if !remove.is_empty() {
            set.push_str(&format!(" REMOVE {}", remove.join(", ")));
        }
        match update.update_expression(set).send().await {
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

/// Whether an embedder has refused a chunk. Earlier releases noted it in two attributes.
fn has_failed_in(item: &Item, space: &VectorSpace) -> bool {
    let old = text(item, "status") == Some("failed") && text(item, "vector_space") == Some(space.name());
    old || item.contains_key(&items::fault_in(space))
}

/// The spaces of a chunk's vectors that are none of these, once it has vectors in all of these.
fn replaced_vectors(item: &Item, spaces: &Spaces) -> Vec<String> {
    let mut has = items::spaces_of(item);
    let has_all = spaces.iter().next().is_some() && spaces.iter().all(|space| has.remove(space.name()));
    if has_all { has.into_iter().collect() } else { Vec::new() }
}

/// The first reason for which a transaction was cancelled.
fn cancelled(error: Option<&TransactWriteItemsError>) -> Option<&str> {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error else { return None };
    cancelled.cancellation_reasons().iter().filter_map(|reason| reason.code()).find(|code| *code != "None")
}
