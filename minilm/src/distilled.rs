//! What was distilled from the model: a table of tokens, of which a text's vector is the sum.
//!
//! The table (`data/distilled.bin`) is made by `examples/distil` from the model's own files, so it is under their licence,
//! Apache-2.0 (sentence-transformers/all-MiniLM-L6-v2); SHA-256
//! 15370aa1c991f1881bc33618c9c3e0efbda5ed6ba643b01b511da8bdd9f8957e. A text costs a lookup for each of its tokens: microseconds.

use std::sync::LazyLock;

use crate::wordpiece::WordPiece;

/// How a table begins.
const MAGIC: &[u8; 8] = b"MINILM01";

static TABLE: &[u8] = include_bytes!("../data/distilled.bin");
static DISTILLED: LazyLock<Option<Distilled<'static>>> = LazyLock::new(|| Distilled::read(TABLE));

/// A table of tokens.
#[derive(Debug)]
pub struct Distilled<'a> {
    pieces: WordPiece<'a>,
    dimensions: usize,
    /// What a token's numbers are multiplied by.
    scales: Vec<f32>,
    rows: &'a [u8],
}

/// The table of this build.
pub fn distilled() -> Option<&'static Distilled<'static>> {
    DISTILLED.as_ref()
}

impl<'a> Distilled<'a> {
    /// Reads what [`write`] wrote; `None` where it is something else.
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(MAGIC)?;
        let (dimensions, rest) = number(rest)?;
        let (count, rest) = number(rest)?;
        let (length, rest) = number(rest)?;
        let (names, rest) = rest.split_at_checked(length)?;
        let (scales, rows) = rest.split_at_checked(count.checked_mul(4)?)?;
        let pieces = WordPiece::new(std::str::from_utf8(names).ok()?.split('\n'));
        let scales = scales.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        (rows.len() == count.checked_mul(dimensions)?).then_some(Self { pieces, dimensions, scales, rows })
    }

    /// How many numbers a vector has.
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// Whether the vocabulary has a word as it is, in lower case.
    pub fn is_word(&self, word: &str) -> bool {
        self.pieces.is_word(word)
    }

    /// The sum of a text's tokens, of no particular length; zeros where it has none that are known.
    pub fn embed(&self, text: &str) -> Vec<f32> {
        let mut sum = vec![0.0; self.dimensions];
        for token in self.pieces.tokens(text) {
            let row = self.rows.get(token * self.dimensions..(token + 1) * self.dimensions).unwrap_or_default();
            let scale = self.scales.get(token).copied().unwrap_or_default();
            sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += scale * f32::from(x.cast_signed()));
        }
        sum
    }
}

fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<4>()?;
    Some((usize::try_from(u32::from_le_bytes(*number)).ok()?, rest))
}

/// A table as a file: each token's numbers in eight bits, scaled by the largest of them.
pub fn write(tokens: &[String], dimensions: usize, rows: &[f32]) -> Vec<u8> {
    let names = tokens.join("\n");
    let mut bytes = MAGIC.to_vec();
    for number in [dimensions, tokens.len(), names.len()] {
        bytes.extend(u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes());
    }
    bytes.extend(names.as_bytes());
    let rows = rows.chunks_exact(dimensions.max(1));
    let scales: Vec<f32> =
        rows.clone().map(|row| row.iter().fold(f32::MIN_POSITIVE, |most, x| most.max(x.abs())) / 127.0).collect();
    bytes.extend(scales.iter().flat_map(|scale| scale.to_le_bytes()));
    for (row, scale) in rows.zip(&scales) {
        bytes.extend(row.iter().map(|x| ((x / scale).round() as i8).cast_unsigned()));
    }
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cosine(x: &[f32], y: &[f32]) -> f32 {
        let dot = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f32>();
        dot(x, y) / (dot(x, x) * dot(y, y)).sqrt()
    }

    #[test]
    fn what_is_written_is_read() {
        let tokens = ["egg", "##s", "gas"].map(str::to_owned);
        let bytes = write(&tokens, 2, &[1.0, -2.0, 0.5, 0.0, 0.0, 3.0]);
        let table = Distilled::read(&bytes).unwrap();
        for (text, expected) in [("eggs", [1.5, -2.0]), ("Gas!", [0.0, 3.0]), ("", [0.0, 0.0])] {
            let vector = table.embed(text);
            assert!(vector.iter().zip(expected).all(|(x, y)| (x - y).abs() < 0.02), "{text}: {vector:?}");
        }
    }

    #[test]
    fn texts_that_mean_alike_are_near() {
        let table = distilled().unwrap();
        let [question, alike, other] =
            ["How much does IVF cost?", "What is the price of fertility treatment?", "How do I stake tokens?"]
                .map(|text| table.embed(text));
        assert!(cosine(&question, &alike) > cosine(&question, &other) + 0.2);
    }

    #[test]
    fn the_table_is_small() {
        assert!(TABLE.len() < 4_000_000, "{} bytes", TABLE.len());
        assert!(distilled().is_some_and(|table| table.dimensions() <= 256));
    }

    proptest! {
        #[test]
        fn what_is_no_table_is_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(Distilled::read(&bytes).is_none());
            prop_assert!(Distilled::read(&[&MAGIC[..], &bytes].concat()).is_none_or(|table| table.embed("a").len() < 1 << 24));
        }

        #[test]
        fn any_text_has_a_vector(text in "\\PC{0,80}") {
            prop_assert!(distilled().unwrap().embed(&text).iter().all(|x| x.is_finite()));
        }
    }
}
