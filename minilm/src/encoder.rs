//! The model itself.

use anyhow::{Context, anyhow};
use tokenizers::{Tokenizer, TruncationParams};

use crate::bert::Bert;

/// The most tokens of a text, as the model was trained.
const MOST_TOKENS: usize = 256;

/// The model, loaded.
pub struct MiniLm {
    tokenizer: Tokenizer,
    bert: Bert,
}

impl MiniLm {
    /// Reads the model from the content of its `model.safetensors` and its `tokenizer.json`.
    ///
    /// # Errors
    /// A file is not what it should be.
    pub fn read(weights: &[u8], tokenizer: &[u8]) -> anyhow::Result<Self> {
        let mut tokenizer =
            Tokenizer::from_bytes(tokenizer).map_err(|error| anyhow!("reading the tokenizer: {error}"))?;
        // The file fills up and cuts to 128 tokens.
        tokenizer.with_padding(None);
        let truncation = TruncationParams { max_length: MOST_TOKENS, ..TruncationParams::default() };
        let set = tokenizer.with_truncation(Some(truncation)).map(|_| ());
        set.map_err(|error| anyhow!("setting up the tokenizer: {error}"))?;
        Ok(Self { tokenizer, bert: Bert::read(weights).context("reading the weights")? })
    }

    /// The vector of a text, of no particular length. What is beyond 256 tokens is not looked at.
    ///
    /// # Errors
    /// The text cannot be cut into tokens.
    pub fn embed(&self, text: &str) -> anyhow::Result<Vec<f32>> {
        let tokens = self.tokenizer.encode_fast(text, true).map_err(|error| anyhow!("cutting into tokens: {error}"))?;
        Ok(self.bert.embed(tokens.get_ids()))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// The model from the folder that `COLLOQUY_MODEL` names (`cargo run -- model` fills one); without it the test is
    /// skipped, saying so.
    fn model() -> Option<MiniLm> {
        let Ok(folder) = std::env::var("COLLOQUY_MODEL") else {
            eprintln!("skipped: COLLOQUY_MODEL is not set, so the model is not tried");
            return None;
        };
        let file = |name| std::fs::read(Path::new(&folder).join(name)).unwrap();
        Some(MiniLm::read(&file("model.safetensors"), &file("tokenizer.json")).unwrap())
    }

    fn cosine(x: &[f32], y: &[f32]) -> f32 {
        let dot = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f32>();
        dot(x, y) / (dot(x, x) * dot(y, y)).sqrt()
    }

    /// 260 tokens and more.
    fn long() -> String {
        "Embryo transfer follows fertilisation in the laboratory. ".repeat(60)
    }

    /// The first numbers of each vector, at length 1, as candle-transformers 0.11 makes them of the same files.
    #[test]
    fn the_vectors_are_those_of_another_implementation() {
        let Some(model) = model() else { return };
        for (text, expected) in [
            (
                "What is IVF?",
                [-0.066_901_91, 0.030_999_603, -0.068_037_43, 0.017_191_98, -0.018_853_063, -0.011_748_912],
            ),
            (
                "The quick brown fox jumps over the lazy dog.",
                [0.043_933_593, 0.058_934_4, 0.048_178_39, 0.077_548_12, 0.026_744_379, -0.037_629_582],
            ),
            (
                "Héllo, naïve café — 你好!",
                [-0.015_445_542, 0.015_382_295, 0.059_801_254, 0.034_873_147, 0.021_862_488, -0.039_066_423],
            ),
            (&long(), [-0.013_131_472, -0.025_347_255, 0.013_203_181, -0.060_902_916, -0.007_702_455, 0.048_796_85]),
        ] {
            let vector = model.embed(text).unwrap();
            assert_eq!(vector.len(), crate::DIMENSIONS);
            let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
            for (x, expected) in vector.iter().zip(expected) {
                assert!((x / length - expected).abs() < 2e-6, "{text}: {} is not {expected}", x / length);
            }
        }
    }

    #[test]
    fn texts_that_mean_alike_are_near_and_the_end_of_a_long_one_is_not_seen() {
        let Some(model) = model() else { return };
        let [question, alike, other] =
            ["How much does IVF cost?", "What is the price of fertility treatment?", "How do I stake tokens?"]
                .map(|text| model.embed(text).unwrap());
        assert!(cosine(&question, &alike) > 0.5);
        assert!(cosine(&question, &other) < 0.2);
        assert_eq!(model.embed(&long()).unwrap(), model.embed(&format!("{} And what else?", long())).unwrap());
        assert!(model.embed("").unwrap().iter().all(|x| x.is_finite()));
    }

    #[test]
    fn files_that_are_none_are_refused() {
        assert!(MiniLm::read(b"weights", b"{}").is_err());
    }
}
