//! all-MiniLM-L6-v2 in this process: 384 dimensions, texts of up to 256 tokens (what is beyond is not looked at), no network.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use futures::{StreamExt, TryStreamExt};
use minilm::MiniLm;
use runtime::deadline::Deadline;
use runtime::upstream::{Failure, Reason};
use tokio::sync::Semaphore;

use super::model::{TOKENIZER, WEIGHTS};
use super::{TextFault, normalised};

/// The model, loaded.
#[derive(Clone)]
pub struct Local {
    model: Arc<MiniLm>,
    /// One text for each processor core: more at once would only share them.
    cores: Arc<Semaphore>,
    parallel: usize,
}

impl Local {
    /// Loads the model from a folder that [`super::model::fetch`] filled. It takes some tenths of a second.
    ///
    /// # Errors
    /// A file is missing, or is not what it should be.
    pub fn load(folder: &Path) -> anyhow::Result<Self> {
        let model = MiniLm::read(&WEIGHTS.read(folder)?, &TOKENIZER.read(folder)?)?;
        let cores = std::thread::available_parallelism().context("counting the processor's cores")?.get();
        Ok(Self { model: Arc::new(model), cores: Arc::new(Semaphore::new(cores)), parallel: cores })
    }

    /// See [`super::Embedder::model`].
    pub fn slug(&self) -> &'static str {
        "all_minilm_l6_v2_384"
    }

    /// See [`super::Embedder::dimensions`].
    pub fn dimensions(&self) -> usize {
        minilm::DIMENSIONS
    }

    /// See [`super::Embedder::embed`]. Runs on threads that may block, so that nothing else waits.
    ///
    /// # Errors
    /// The texts were not done by the deadline.
    pub async fn embed(
        &self,
        texts: &[String],
        deadline: Deadline,
    ) -> Result<Vec<Result<Vec<f32>, TextFault>>, Failure> {
        let vectors = texts.iter().cloned().map(|text| self.embed_one(text));
        let vectors = futures::stream::iter(vectors).buffered(self.parallel).try_collect();
        tokio::time::timeout_at(deadline.instant(), vectors).await.unwrap_or(Err(Failure::new(Reason::Timeout)))
    }

    async fn embed_one(&self, text: String) -> Result<Result<Vec<f32>, TextFault>, Failure> {
        if text.trim().is_empty() {
            return Ok(Err(TextFault::Empty));
        }
        let broken = || Failure::new(Reason::Unavailable);
        let core = self.cores.clone().acquire_owned().await.map_err(|_| broken())?;
        let model = self.model.clone();
        let vector = tokio::task::spawn_blocking(move || {
            let vector = model.embed(&text);
            drop(core);
            vector.map_err(|_| TextFault::Refused).and_then(normalised)
        });
        vector.await.map_err(|_| broken())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// The model from the folder that `COLLOQUY_MODEL` names; without it the test is skipped, saying so.
    fn local() -> Option<Local> {
        let Ok(folder) = std::env::var("COLLOQUY_MODEL") else {
            eprintln!("skipped: COLLOQUY_MODEL is not set, so the model is not tried");
            return None;
        };
        Some(Local::load(folder.as_ref()).unwrap())
    }

    #[tokio::test]
    async fn vectors_come_in_the_texts_order_with_length_one_while_others_run() {
        let Some(local) = local() else { return };
        let texts: Vec<String> =
            (0..12).map(|at| if at == 3 { " ".to_owned() } else { format!("sentence {at}") }).collect();
        let deadline = Deadline::after(Duration::from_secs(60));
        let ticks = async {
            let mut ticks = 0;
            loop {
                tokio::time::sleep(Duration::from_millis(1)).await;
                ticks += 1;
                if local.cores.available_permits() == local.parallel && ticks > 5 {
                    return ticks;
                }
            }
        };
        let (vectors, ticks) = tokio::join!(local.embed(&texts, deadline), ticks);
        let vectors = vectors.unwrap();
        assert!(ticks > 5);
        assert_eq!(vectors[3], Err(TextFault::Empty));
        for (at, (text, vector)) in texts.iter().zip(&vectors).enumerate().filter(|(at, _)| *at != 3) {
            let vector = vector.as_ref().unwrap();
            assert!((vector.iter().map(|x| x * x).sum::<f32>() - 1.0).abs() < 1e-5);
            let alone = local.embed(std::slice::from_ref(text), deadline).await.unwrap();
            assert_eq!(alone[0].as_ref().unwrap(), vector, "{at}");
        }
        assert_eq!((local.slug(), local.dimensions()), ("all_minilm_l6_v2_384", 384));
    }

    #[tokio::test]
    async fn what_is_not_done_by_the_deadline_is_a_failure_that_passes() {
        let Some(local) = local() else { return };
        let texts = vec!["word ".repeat(400); 50];
        let failure = local.embed(&texts, Deadline::after(Duration::from_millis(1))).await.unwrap_err();
        assert_eq!((failure.reason, failure.transient), (Reason::Timeout, true));
    }
}
