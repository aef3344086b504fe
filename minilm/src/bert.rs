//! BERT's encoder (Devlin et al. 2019), as all-MiniLM-L6-v2 has it: 6 layers of 12 heads over 384 dimensions.

use anyhow::{Context, ensure};
use safetensors::{Dtype, SafeTensors};

use crate::matrix::{Columns, gelu, multiply, normalise_rows, softmax_rows};

/// How many numbers stand for a token.
pub const WIDTH: usize = 384;
/// How many of them each head looks at.
const HEAD: usize = 32;
const INNER: usize = 1_536;
const LAYERS: usize = 6;
const EPSILON: f32 = 1e-12;

/// The weights.
pub struct Bert {
    words: Vec<f32>,
    positions: Vec<f32>,
    /// What the type of a text adds to each token; there is one type only.
    kind: Vec<f32>,
    norm: Norm,
    layers: Vec<Layer>,
}

struct Layer {
    /// Query, key and value of all heads, side by side.
    attention: Dense,
    joined: Dense,
    joined_norm: Norm,
    inner: Dense,
    outer: Dense,
    outer_norm: Norm,
}

impl Bert {
    /// Reads the weights.
    ///
    /// # Errors
    /// A weight is missing, or of another shape or type.
    pub fn read(file: &[u8]) -> anyhow::Result<Self> {
        let weights = Weights(SafeTensors::deserialize(file).context("reading the model's weights")?);
        Ok(Self {
            words: weights.numbers("embeddings.word_embeddings.weight", None)?,
            positions: weights.numbers("embeddings.position_embeddings.weight", None)?,
            kind: weights.numbers("embeddings.token_type_embeddings.weight", Some(2 * WIDTH))?,
            norm: weights.norm("embeddings.LayerNorm")?,
            layers: (0..LAYERS)
                .map(|layer| weights.layer(&format!("encoder.layer.{layer}")))
                .collect::<Result<_, _>>()?,
        })
    }

    /// The mean of what the last layer makes of each token, not brought to length 1 yet. Tokens and places that the model
    /// does not know count as zeros.
    pub fn embed(&self, tokens: &[u32]) -> Vec<f32> {
        let mut hidden: Vec<f32> = Vec::with_capacity(tokens.len() * WIDTH);
        for (place, token) in tokens.iter().enumerate() {
            let (word, position) = (row(&self.words, *token as usize), row(&self.positions, place));
            hidden.extend(
                word.iter().zip(position).zip(&self.kind).map(|((word, position), kind)| word + position + kind),
            );
        }
        self.norm.apply(&mut hidden);
        for layer in &self.layers {
            hidden = layer.apply(hidden);
        }
        let mut mean = vec![0.0; WIDTH];
        for token in hidden.chunks_exact(WIDTH) {
            mean.iter_mut().zip(token).for_each(|(mean, x)| *mean += x / tokens.len() as f32);
        }
        mean
    }
}

fn row(table: &[f32], at: usize) -> &[f32] {
    table.get(at * WIDTH..(at + 1) * WIDTH).unwrap_or(&[0.0; WIDTH])
}

impl Layer {
    fn apply(&self, mut hidden: Vec<f32>) -> Vec<f32> {
        let joined = self.joined.apply(&attend(&self.attention.apply(&hidden)));
        hidden.iter_mut().zip(joined).for_each(|(x, added)| *x += added);
        self.joined_norm.apply(&mut hidden);
        let mut inner = self.inner.apply(&hidden);
        gelu(&mut inner);
        let outer = self.outer.apply(&inner);
        hidden.iter_mut().zip(outer).for_each(|(x, added)| *x += added);
        self.outer_norm.apply(&mut hidden);
        hidden
    }
}

/// Each head's mean of the values, weighted by how well each key fits the query: softmax(Q Kᵀ / √32) V.
fn attend(attention: &[f32]) -> Vec<f32> {
    let tokens = attention.len() / (3 * WIDTH);
    let mut attended = vec![0.0; tokens * WIDTH];
    let mut scores = vec![0.0; tokens * tokens];
    let scale = 1.0 / (HEAD as f32).sqrt();
    for head in (0..WIDTH).step_by(HEAD) {
        let part = |part: usize| move |token: usize, at: usize| attention[token * 3 * WIDTH + part * WIDTH + head + at];
        let (query, key, value) = (part(0), part(1), part(2));
        let keys = Columns::new(HEAD, tokens, |at, token| key(token, at) * scale);
        multiply(tokens, query, &keys, |token, other, elements| {
            scores[token * tokens + other..][..elements.len()].copy_from_slice(elements);
        });
        softmax_rows(&mut scores, tokens);
        let values = Columns::new(tokens, HEAD, value);
        multiply(
            tokens,
            |token, other| scores[token * tokens + other],
            &values,
            |token, at, elements| {
                attended[token * WIDTH + head + at..][..elements.len()].copy_from_slice(elements);
            },
        );
    }
    attended
}

/// x Wᵀ + b.
struct Dense {
    weights: Columns,
    bias: Vec<f32>,
    depth: usize,
}

impl Dense {
    /// `weights` has a row of `depth` elements for each element of `bias`.
    fn new(weights: &[f32], bias: Vec<f32>, depth: usize) -> Self {
        let columns = Columns::new(depth, bias.len(), |row, column| weights[column * depth + row]);
        Self { weights: columns, bias, depth }
    }

    fn apply(&self, x: &[f32]) -> Vec<f32> {
        let (depth, width) = (self.depth, self.bias.len());
        let mut out = self.bias.repeat(x.len() / depth);
        multiply(
            x.len() / depth,
            |row, column| x[row * depth + column],
            &self.weights,
            |row, column, elements| {
                let place = out[row * width + column..].iter_mut();
                place.zip(elements).for_each(|(out, x)| *out += x);
            },
        );
        out
    }
}

struct Norm {
    scale: Vec<f32>,
    shift: Vec<f32>,
}

impl Norm {
    fn apply(&self, x: &mut [f32]) {
        normalise_rows(x, &self.scale, &self.shift, EPSILON);
    }
}

/// The weights by the names that the file gives them.
struct Weights<'a>(SafeTensors<'a>);

impl Weights<'_> {
    fn numbers(&self, name: &str, count: Option<usize>) -> anyhow::Result<Vec<f32>> {
        let tensor = self.0.tensor(name).with_context(|| format!("the model has no {name}"))?;
        ensure!(tensor.dtype() == Dtype::F32, "the model's {name} is not of 32-bit floats");
        let (numbers, rest) = tensor.data().as_chunks::<4>();
        let expected = count.map_or(numbers.len().is_multiple_of(WIDTH), |count| numbers.len() == count);
        ensure!(expected && rest.is_empty(), "the model's {name} has {} numbers", numbers.len());
        Ok(numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
    }

    fn norm(&self, name: &str) -> anyhow::Result<Norm> {
        let scale = self.numbers(&format!("{name}.weight"), Some(WIDTH))?;
        Ok(Norm { scale, shift: self.numbers(&format!("{name}.bias"), Some(WIDTH))? })
    }

    fn dense(&self, names: &[String], depth: usize, width: usize) -> anyhow::Result<Dense> {
        let (mut weights, mut bias) = (Vec::new(), Vec::new());
        for name in names {
            weights.extend(self.numbers(&format!("{name}.weight"), Some(depth * width))?);
            bias.extend(self.numbers(&format!("{name}.bias"), Some(width))?);
        }
        Ok(Dense::new(&weights, bias, depth))
    }

    fn layer(&self, name: &str) -> anyhow::Result<Layer> {
        let attention = ["query", "key", "value"].map(|part| format!("{name}.attention.self.{part}"));
        let one = |part: &str| [format!("{name}.{part}")];
        Ok(Layer {
            attention: self.dense(&attention, WIDTH, WIDTH)?,
            joined: self.dense(&one("attention.output.dense"), WIDTH, WIDTH)?,
            joined_norm: self.norm(&format!("{name}.attention.output.LayerNorm"))?,
            inner: self.dense(&one("intermediate.dense"), WIDTH, INNER)?,
            outer: self.dense(&one("output.dense"), INNER, WIDTH)?,
            outer_norm: self.norm(&format!("{name}.output.LayerNorm"))?,
        })
    }
}
