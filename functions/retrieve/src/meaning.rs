//! Search by meaning: the cosine of a question's vector with every text's, exactly.
//!
//! All vectors lie in one block of memory, row by row, so a search is one pass at the speed of the memory.

/// How many sums a dot product keeps at once: independent ones, which the compiler puts into vector registers of any width.
const LANES: usize = 32;

/// The texts' vectors, of length 1 each.
#[derive(Debug, Clone, Default)]
pub struct VectorMatrix {
    dimensions: usize,
    values: Vec<f32>,
    embedded: Vec<bool>,
}

impl VectorMatrix {
    /// One row for each vector. A text without one, or with one of other dimensions, has a row of zeros.
    pub fn new<'a>(dimensions: usize, vectors: impl ExactSizeIterator<Item = Option<&'a [f32]>>) -> Self {
        let mut matrix =
            Self { dimensions, values: Vec::with_capacity(vectors.len() * dimensions), embedded: Vec::new() };
        for vector in vectors {
            let vector = vector.filter(|vector| vector.len() == dimensions);
            matrix.embedded.push(vector.is_some());
            match vector {
                Some(vector) => matrix.values.extend_from_slice(vector),
                None => matrix.values.resize(matrix.values.len() + dimensions, 0.0),
            }
        }
        matrix
    }

    /// The cosine of every text with the question, whose vector has length 1; `None` for a text without a vector. Empty
    /// where the question's dimensions are others.
    pub fn score(&self, question: &[f32]) -> Vec<Option<f32>> {
        if self.dimensions == 0 || question.len() != self.dimensions {
            return Vec::new();
        }
        let rows = self.values.chunks_exact(self.dimensions).zip(&self.embedded);
        rows.map(|(row, embedded)| embedded.then(|| dot(row, question))).collect()
    }

    /// The vector of a text.
    pub fn row(&self, at: usize) -> Option<&[f32]> {
        let embedded = self.embedded.get(at).copied().unwrap_or_default();
        self.values.get(at * self.dimensions..(at + 1) * self.dimensions).filter(|_| embedded)
    }

    /// The bytes it takes in memory.
    pub fn bytes(&self) -> usize {
        self.values.capacity() * size_of::<f32>() + self.embedded.capacity()
    }
}

/// The dot product of two vectors of the same length.
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0_f32; LANES];
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a.iter().zip(b) {
        add_products(&mut sums, a, b);
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum();
    sums.iter().sum::<f32>() + rest
}

/// By position: an iterator of three zipped arrays, where the compiler does not inline it, is seven times slower.
#[inline(always)]
#[allow(clippy::needless_range_loop)]
fn add_products(sums: &mut [f32; LANES], a: &[f32; LANES], b: &[f32; LANES]) {
    for lane in 0..LANES {
        sums[lane] += a[lane] * b[lane];
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_without_a_vector_has_no_score() {
        let matrix = VectorMatrix::new(2, [Some(&[0.6, 0.8][..]), None, Some(&[1.0][..])].into_iter());
        assert_eq!(matrix.score(&[1.0, 0.0]), [Some(0.6), None, None]);
    }

    #[test]
    fn a_question_of_another_model_is_near_to_nothing() {
        let matrix = VectorMatrix::new(2, [Some(&[0.6, 0.8][..])].into_iter());
        assert!(matrix.score(&[1.0, 0.0, 0.0]).is_empty());
        assert!(VectorMatrix::default().score(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn the_product_in_lanes_is_the_product(pairs in prop::collection::vec((-1.0_f32..1.0, -1.0_f32..1.0), 0..200)) {
            let (a, b): (Vec<f32>, Vec<f32>) = pairs.iter().copied().unzip();
            let naive: f64 = pairs.iter().map(|(x, y)| f64::from(*x) * f64::from(*y)).sum();
            prop_assert!((f64::from(dot(&a, &b)) - naive).abs() < 1e-4);
        }
    }
}
