//! Packs a document's chunks into segments: of several who do it at once, the last to begin finishes.

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, ReturnValue, TransactWriteItem, Update};
use contracts::problem::Problem;

use super::items::{self, document_key, number, s, text};
use super::segment::{Segment, into_segments, read_for_packing, segment_key};
use super::{Counts, DocumentId, KeptDocument, KnowledgeStore, VectorSpace, WorkPart, unreadable};
use crate::store::failed;

/// How often a transaction that met another one is tried.
const ATTEMPTS: u32 = 6;

impl KnowledgeStore {
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

/// The first reason for which a transaction was cancelled.
fn cancelled(error: Option<&TransactWriteItemsError>) -> Option<&str> {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error else { return None };
    cancelled.cancellation_reasons().iter().filter_map(|reason| reason.code()).find(|code| *code != "None")
}
