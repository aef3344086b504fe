//! The ways in which people ask for the texts: a question is often nearer to one of them than to the text as a whole.
//!
//! Their vectors are made where the texts are indexed, so there are some only in the space of static embeddings, which cost
//! microseconds. In another space they count as a part of the text's own vector.

use aws::knowledge_store::{CorpusChunk, VectorSpace};
use models::embedder::distilled::Distilled;

use crate::meaning::VectorMatrix;

/// The ways of asking for texts, by their meaning.
#[derive(Debug, Default)]
pub struct Ways {
    /// Which text each asks for, by its position.
    texts: Vec<usize>,
    vectors: VectorMatrix,
}

impl Ways {
    /// Those that the chunks name, and the headings of these, in a space of static embeddings; none in another.
    pub fn new(chunks: &[CorpusChunk], space: &VectorSpace) -> Self {
        let Some(embedder) = Distilled::new().ok().filter(|embedder| embedder.slug() == space.name()) else {
            return Self::default();
        };
        let asked = chunks.iter().enumerate().filter(|(_, chunk)| !chunk.asked.is_empty());
        let ways = asked.flat_map(|(at, chunk)| {
            let ways = std::iter::once(chunk.own_heading()).chain(chunk.asked.split("; "));
            ways.map(move |way| (at, way.to_owned()))
        });
        let (texts, ways): (Vec<usize>, Vec<String>) = ways.unzip();
        let vectors = embedder.embed(&ways);
        let vectors = vectors.iter().map(|vector| vector.as_deref().ok());
        Self { texts, vectors: VectorMatrix::new(embedder.dimensions(), vectors) }
    }

    /// The cosine of the question with the nearest way of asking for each of `count` texts; `None` where there is none.
    pub fn score(&self, question: &[f32], count: usize) -> Vec<Option<f32>> {
        let mut best = vec![None; count];
        for (text, cosine) in self.texts.iter().zip(self.vectors.score(question)) {
            let Some(best) = best.get_mut(*text) else { continue };
            if cosine > *best {
                *best = cosine;
            }
        }
        best
    }

    /// The bytes it takes in memory.
    pub fn bytes(&self) -> usize {
        self.vectors.bytes() + self.texts.capacity() * size_of::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(heading: &str, asked: &str) -> CorpusChunk {
        CorpusChunk {
            id: heading.to_owned(),
            document_id: "d".to_owned(),
            text: String::new(),
            heading: format!("Treatment › {heading}"),
            source: "s".to_owned(),
            url: None,
            asked: asked.to_owned(),
            vector: None,
        }
    }

    #[test]
    fn a_text_is_as_near_as_the_nearest_way_of_asking_for_it() {
        let embedder = Distilled::new().unwrap();
        let space = VectorSpace::new(embedder.slug(), embedder.dimensions());
        let chunks = [
            chunk("Does egg collection hurt?", "how many eggs are taken; do they put you to sleep for it"),
            chunk("How does IVF work?", ""),
            chunk("What does it cost?", "price of a cycle"),
        ];
        let ways = Ways::new(&chunks, &space);
        let [question] = &embedder.embed(&["will they put me to sleep".to_owned()])[..] else { panic!("one") };
        let cosines = ways.score(question.as_ref().unwrap(), chunks.len());
        assert_eq!(cosines[1], None);
        assert!(cosines[0] > Some(0.6) && cosines[0] > cosines[2], "{cosines:?}");
        assert!(ways.bytes() > 0);
        let other = VectorSpace::new("another_model", embedder.dimensions());
        assert_eq!(Ways::new(&chunks, &other).score(question.as_ref().unwrap(), 3), [None; 3]);
    }
}
