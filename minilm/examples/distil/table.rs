//! The table of tokens: made from the model's vectors, then taught by texts.

use std::collections::HashMap;

use minilm::wordpiece::WordPiece;
use minilm::{DIMENSIONS, distilled};

use crate::teacher::Taught;

/// What of a token's weight its rank decides: the weight is a / (a + its expected frequency), as SIF has it.
const SIF: f64 = 1e-3;
/// How many pairs a batch has, how steep the softmax over it is, and how far a step goes.
const BATCH: usize = 256;
const SHARPNESS: f32 = 20.0;
const RATE: f32 = 0.02;
/// The most tokens of a text that are learned from.
const MOST_TOKENS: usize = 160;

/// A vector for each token.
pub struct Table {
    tokens: Vec<String>,
    dimensions: usize,
    rows: Vec<f32>,
}

impl Table {
    /// The principal components of the tokens' vectors, weighted by how common each token is.
    pub fn new(taught: &Taught, dimensions: usize, most: usize) -> Self {
        let kept: Vec<usize> = (0..taught.tokens.len()).filter(|at| is_kept(&taught.tokens[*at])).take(most).collect();
        let vectors: Vec<&[f32]> =
            kept.iter().map(|at| &taught.token_vectors[at * DIMENSIONS..(at + 1) * DIMENSIONS]).collect();
        let rows = components(&vectors, dimensions);
        let mut table = Self { tokens: kept.iter().map(|at| taught.tokens[*at].clone()).collect(), dimensions, rows };
        // By Zipf's law, of which the vocabulary's order is the rank.
        let harmonic: f64 = (1..=kept.len()).map(|rank| 1.0 / rank as f64).sum();
        for (rank, row) in table.rows.chunks_exact_mut(dimensions).enumerate() {
            let frequency = 1.0 / ((rank + 1) as f64 * harmonic);
            let weight = (SIF / (SIF + frequency)) as f32;
            row.iter_mut().for_each(|x| *x *= weight);
        }
        table
    }

    /// Learns from the pairs: each sentence is to be nearer to its own passage than to the others of its batch.
    pub fn learn(mut self, taught: &Taught, epochs: usize) -> Self {
        let pieces = WordPiece::new(self.tokens.iter().map(String::as_str));
        let texts: Vec<Vec<usize>> = taught
            .texts
            .iter()
            .map(|text| {
                let mut tokens = pieces.tokens(text);
                tokens.truncate(MOST_TOKENS);
                tokens
            })
            .collect();
        drop(pieces);
        let (mut pairs, mut asked) = (taught.pairs.clone(), taught.asked.clone());
        let mut squares = vec![0.0_f32; self.rows.len()];
        fastrand::seed(7);
        for epoch in 0..epochs {
            fastrand::shuffle(&mut pairs);
            fastrand::shuffle(&mut asked);
            let mean = |losses: Vec<f32>| losses.iter().sum::<f32>() / losses.len().max(1) as f32;
            let own: Vec<f32> = pairs.chunks(BATCH).map(|batch| self.step(batch, &texts, None, &mut squares)).collect();
            let taught: Vec<f32> = asked
                .chunks(BATCH)
                .map(|batch| self.step(batch, &texts, Some(&taught.vectors), &mut squares))
                .collect();
            println!("epoch {}: {:.4} from the texts, {:.4} from the model", epoch + 1, mean(own), mean(taught));
        }
        self
    }

    /// A step down the loss of one batch; the loss.
    ///
    /// What is right is the sentence's own passage, or, with the model's vectors, how the model spreads its cosines over the
    /// passages of the batch.
    fn step(
        &mut self,
        batch: &[(usize, usize)],
        texts: &[Vec<usize>],
        teacher: Option<&HashMap<usize, Vec<f32>>>,
        squares: &mut [f32],
    ) -> f32 {
        let width = self.dimensions;
        // A sentence is taken out of the passage it is of: it would be found by itself.
        let passages: Vec<Vec<usize>> =
            batch.iter().map(|(sentence, passage)| without(&texts[*passage], &texts[*sentence])).collect();
        let asked: Vec<&[usize]> = batch.iter().map(|(sentence, _)| texts[*sentence].as_slice()).collect();
        let (questions, question_lengths) = self.vectors(asked.iter().copied());
        let (answers, answer_lengths) = self.vectors(passages.iter().map(Vec::as_slice));
        let count = batch.len();
        let (mut question_slopes, mut answer_slopes) = (vec![0.0; questions.len()], vec![0.0; answers.len()]);
        let mut loss = 0.0;
        for at in 0..count {
            let question = &questions[at * width..(at + 1) * width];
            let cosines: Vec<f32> =
                answers.chunks_exact(width).map(|answer| SHARPNESS * dot(question, answer)).collect();
            let given = spread(&cosines);
            let wanted = match teacher {
                Some(teacher) => {
                    let own = &teacher[&batch[at].0];
                    spread(&batch.iter().map(|(_, other)| SHARPNESS * dot(own, &teacher[other])).collect::<Vec<_>>())
                }
                None => (0..count).map(|other| f32::from(u8::from(other == at))).collect(),
            };
            for (other, (given, wanted)) in given.iter().zip(&wanted).enumerate() {
                // Another sentence of the same passage is no wrong answer.
                if teacher.is_none() && other != at && batch[other].1 == batch[at].1 {
                    continue;
                }
                loss -= wanted * given.max(1e-12).ln();
                let slope = (given - wanted) * SHARPNESS;
                let answer = &answers[other * width..(other + 1) * width];
                for column in 0..width {
                    question_slopes[at * width + column] += slope * answer[column];
                    answer_slopes[other * width + column] += slope * question[column];
                }
            }
        }
        for (slopes, vectors, lengths, tokens) in [
            (&question_slopes, &questions, &question_lengths, asked),
            (&answer_slopes, &answers, &answer_lengths, passages.iter().map(Vec::as_slice).collect()),
        ] {
            for (at, tokens) in tokens.into_iter().enumerate() {
                let (slope, vector) = (&slopes[at * width..(at + 1) * width], &vectors[at * width..(at + 1) * width]);
                // Of a vector brought to length 1 only what turns it counts.
                let along = dot(slope, vector);
                let down: Vec<f32> = slope
                    .iter()
                    .zip(vector)
                    .map(|(slope, x)| (slope - along * x) / lengths[at] / count as f32)
                    .collect();
                for token in tokens {
                    self.nudge(*token, &down, squares);
                }
            }
        }
        loss / count as f32
    }

    /// Adagrad's step for one token.
    fn nudge(&mut self, token: usize, down: &[f32], squares: &mut [f32]) {
        let rows = self.rows[token * self.dimensions..].iter_mut();
        for ((x, square), slope) in rows.zip(&mut squares[token * self.dimensions..]).zip(down) {
            *square += slope * slope;
            *x -= RATE * slope / (square.sqrt() + 1e-6);
        }
    }

    /// The sums of the tokens' rows brought to length 1, and their lengths before.
    fn vectors<'a>(&self, texts: impl Iterator<Item = &'a [usize]>) -> (Vec<f32>, Vec<f32>) {
        let (mut vectors, mut lengths) = (Vec::new(), Vec::new());
        for tokens in texts {
            let mut sum = vec![0.0; self.dimensions];
            for token in tokens {
                let row = &self.rows[token * self.dimensions..(token + 1) * self.dimensions];
                sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
            }
            let length = dot(&sum, &sum).sqrt().max(1e-6);
            vectors.extend(sum.iter().map(|x| x / length));
            lengths.push(length);
        }
        (vectors, lengths)
    }

    /// The file.
    pub fn bytes(&self) -> Vec<u8> {
        distilled::write(&self.tokens, self.dimensions, &self.rows)
    }
}

/// Tokens of Latin letters, digits and signs: English texts have no others.
fn is_kept(token: &str) -> bool {
    !token.starts_with('[') && token.chars().all(|c| c.is_ascii() || matches!(c, '£' | '€' | '’' | '“' | '”' | '–'))
}

fn without(passage: &[usize], sentence: &[usize]) -> Vec<usize> {
    let at = passage.windows(sentence.len().max(1)).position(|window| window == sentence);
    match at {
        Some(at) if passage.len() > 2 * sentence.len() => [&passage[..at], &passage[at + sentence.len()..]].concat(),
        _ => passage.to_vec(),
    }
}

/// Shares that sum to 1 (softmax).
fn spread(x: &[f32]) -> Vec<f32> {
    let highest = x.iter().copied().fold(f32::MIN, f32::max);
    let sum: f32 = x.iter().map(|x| (x - highest).exp()).sum();
    x.iter().map(|x| (x - highest).exp() / sum).collect()
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The vectors, less their mean, in the directions in which they differ most: found by subspace iteration.
fn components(vectors: &[&[f32]], count: usize) -> Vec<f32> {
    let mean: Vec<f32> =
        (0..DIMENSIONS).map(|at| vectors.iter().map(|vector| vector[at]).sum::<f32>() / vectors.len() as f32).collect();
    let centred: Vec<Vec<f32>> =
        vectors.iter().map(|vector| vector.iter().zip(&mean).map(|(x, mean)| x - mean).collect()).collect();
    let mut covariance = vec![vec![0.0_f32; DIMENSIONS]; DIMENSIONS];
    for vector in &centred {
        for (row, x) in covariance.iter_mut().zip(vector) {
            row.iter_mut().zip(vector).for_each(|(sum, y)| *sum += x * y / vectors.len() as f32);
        }
    }
    fastrand::seed(11);
    let mut basis: Vec<Vec<f32>> =
        (0..count).map(|_| (0..DIMENSIONS).map(|_| fastrand::f32() - 0.5).collect()).collect();
    for _ in 0..60 {
        for direction in &mut basis {
            *direction = covariance.iter().map(|row| dot(row, direction)).collect();
        }
        orthonormalise(&mut basis);
    }
    centred.iter().flat_map(|vector| basis.iter().map(|direction| dot(vector, direction))).collect()
}

fn orthonormalise(basis: &mut [Vec<f32>]) {
    for at in 0..basis.len() {
        let (before, rest) = basis.split_at_mut(at);
        let vector = &mut rest[0];
        for other in before {
            let along = dot(vector, other);
            vector.iter_mut().zip(other.iter()).for_each(|(x, y)| *x -= along * y);
        }
        let length = dot(vector, vector).sqrt().max(1e-12);
        vector.iter_mut().for_each(|x| *x /= length);
    }
}
