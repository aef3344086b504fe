//! What was distilled from all-MiniLM-L6-v2, in the binary itself: no network, no cost, microseconds a text.

use anyhow::Context;

use super::{TextFault, normalised};

/// How often headings are said. Of 254 questions as people put them 94% found an answer and 93% of 894 others were refused;
/// with headings said once 94% and 90%.
pub const HEADING_TIMES: usize = 5;

/// The table of this build.
#[derive(Clone, Copy)]
pub struct Distilled {
    table: &'static minilm::distilled::Distilled<'static>,
}

impl Distilled {
    /// The table of this build.
    ///
    /// # Errors
    /// It cannot be read: this was built with something else in its place.
    pub fn new() -> anyhow::Result<Self> {
        let table = minilm::distilled::distilled().context("the table of static embeddings cannot be read")?;
        Ok(Self { table })
    }

    /// See [`super::Embedder::model`]. Another table is another space: the number counts them.
    pub fn slug(&self) -> &'static str {
        "static_minilm_1_128"
    }

    /// See [`super::Embedder::dimensions`].
    pub fn dimensions(&self) -> usize {
        self.table.dimensions()
    }

    /// See [`super::Embedder::embed`].
    pub fn embed(&self, texts: &[String]) -> Vec<Result<Vec<f32>, TextFault>> {
        let embed = |text: &String| match text.trim() {
            "" => Err(TextFault::Empty),
            text => normalised(self.table.embed(text)),
        };
        texts.iter().map(embed).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_have_length_one_and_the_name_says_how_many_numbers() {
        let distilled = Distilled::new().unwrap();
        let texts = ["What is IVF?", " ", "\u{1F600}"].map(str::to_owned);
        let [ivf, empty, unknown] = &distilled.embed(&texts)[..] else { panic!("three texts") };
        let length = ivf.as_ref().unwrap().iter().map(|x| x * x).sum::<f32>();
        assert!((length - 1.0).abs() < 1e-5);
        assert_eq!((empty, unknown), (&Err(TextFault::Empty), &Err(TextFault::NoVector)));
        assert!(distilled.slug().ends_with(&format!("_{}", distilled.dimensions())));
    }
}
