//! A linear classifier over hashed n-grams: how likely it is that words are from somebody in danger, and in which.
//!
//! Softmax over the classes and "none", on words in a row and on letters in a row, within words; each text's features
//! weigh `1 / sqrt(number of features)`. The weights are whole numbers from -127 to 127 with one scale, trained by
//! `examples/train.rs`; a text costs one pass over its words, some microseconds.

use crate::Class;

/// The weights: the scale (f32), the bias of each class (f32), then [`FEATURES`] rows of a byte for each class.
const WEIGHTS: &[u8] = include_bytes!("../data/classifier.bin");

/// How many features there are: what is hashed shares them.
pub const FEATURES: usize = 1 << 17;
/// The most words in a row that are a feature, and how many letters are.
const WORDS: usize = 3;
const LETTERS: [usize; 2] = [3, 5];
/// The classes and, last, none of them.
pub const OUTPUTS: usize = Class::ALL.len() + 1;

/// How likely each class is; they sum to one.
#[derive(Debug, Clone, Copy)]
pub struct Likely(pub [f32; OUTPUTS]);

impl Likely {
    /// That it is any of the classes.
    pub fn danger(&self) -> f32 {
        1.0 - self.0.last().copied().unwrap_or(1.0)
    }

    /// The likeliest class.
    pub fn class(&self) -> Class {
        let best = Class::ALL.into_iter().zip(self.0).max_by(|one, other| one.1.total_cmp(&other.1));
        best.map_or(Class::Suicide, |(class, _)| class)
    }
}

/// Trained weights.
#[derive(Debug, Clone)]
pub struct Classifier {
    scale: f32,
    bias: [f32; OUTPUTS],
    weights: Vec<i8>,
}

impl Classifier {
    /// Those of this build.
    pub(crate) fn embedded() -> Option<Self> {
        Self::from_bytes(WEIGHTS)
    }

    /// From trained weights, which are rounded.
    pub fn from_weights(bias: [f32; OUTPUTS], weights: &[f32]) -> Self {
        let largest = weights.iter().fold(f32::MIN_POSITIVE, |largest, weight| largest.max(weight.abs()));
        let scale = largest / 127.0;
        Self { scale, bias, weights: weights.iter().map(|weight| (weight / scale).round() as i8).collect() }
    }

    /// As they are kept in a file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let head = [self.scale].into_iter().chain(self.bias).flat_map(f32::to_le_bytes);
        head.chain(self.weights.iter().map(|weight| weight.to_le_bytes()[0])).collect()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (scale, mut rest) = bytes.split_first_chunk::<4>()?;
        let mut bias = [0.0; OUTPUTS];
        for one in &mut bias {
            let (value, after) = rest.split_first_chunk::<4>()?;
            (*one, rest) = (f32::from_le_bytes(*value), after);
        }
        let weights: Vec<i8> = rest.iter().map(|byte| i8::from_le_bytes([*byte])).collect();
        (weights.len() == FEATURES * OUTPUTS).then(|| Self { scale: f32::from_le_bytes(*scale), bias, weights })
    }

    /// How likely it is that words are from somebody in danger.
    pub fn read(&self, words: &[&str]) -> Likely {
        let mut sums = [0_i32; OUTPUTS];
        let mut count = 0_u32;
        features(words, |feature| {
            let row = self.weights.get(feature * OUTPUTS..(feature + 1) * OUTPUTS).unwrap_or_default();
            sums.iter_mut().zip(row).for_each(|(sum, weight)| *sum += i32::from(*weight));
            count += 1;
        });
        let weight = self.scale / (count.max(1) as f32).sqrt();
        let mut scores = self.bias;
        scores.iter_mut().zip(sums).for_each(|(score, sum)| *score += sum as f32 * weight);
        Likely(softmax(scores))
    }
}

/// Scores as shares that sum to one.
pub fn softmax(scores: [f32; OUTPUTS]) -> [f32; OUTPUTS] {
    let highest = scores.iter().copied().fold(f32::MIN, f32::max);
    let powers = scores.map(|score| (score - highest).exp());
    let sum: f32 = powers.iter().sum();
    powers.map(|power| power / sum)
}

/// Tells each feature of some words.
pub fn features(words: &[&str], mut tell: impl FnMut(usize)) {
    let hashes: Vec<u32> = words.iter().map(|word| hash(0x811c_9dc5, word.as_bytes())).collect();
    for (at, word) in words.iter().enumerate() {
        let mut so_far = 0x9747_b28c;
        for next in hashes.iter().skip(at).take(WORDS) {
            so_far = mixed(so_far ^ next.wrapping_mul(0x85eb_ca6b));
            tell(so_far as usize % FEATURES);
        }
        // Letters, the word's ends among them: what a misspelt or inflected word shares with the one that was seen.
        let bytes = word.as_bytes();
        for length in LETTERS {
            for from in 0..(bytes.len() + 3).saturating_sub(length) {
                let part = (from..from + length).map(|place| match place.checked_sub(1) {
                    Some(place) => bytes.get(place).copied().unwrap_or(b'$'),
                    None => b'^',
                });
                tell(mixed(part.fold(0x1b87_3593, step)) as usize % FEATURES);
            }
        }
    }
    // The beginning and the end of a text say how it is meant.
    let ends = [hashes.first().map(|first| first ^ 0x5bd1_e995), hashes.last().map(|last| last ^ 0x27d4_eb2f)];
    ends.into_iter().flatten().for_each(|end| tell(mixed(end) as usize % FEATURES));
}

/// FNV-1a.
fn hash(seed: u32, bytes: &[u8]) -> u32 {
    bytes.iter().copied().fold(seed, step)
}

fn step(hash: u32, byte: u8) -> u32 {
    (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
}

/// MurmurHash3's last step: every bit of the input moves every bit of the output.
fn mixed(mut hash: u32) -> u32 {
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_read_back_as_they_were_written() {
        let mut weights = vec![0.0; FEATURES * OUTPUTS];
        features(&["help"], |feature| {
            if let Some(weight) = weights.get_mut(feature * OUTPUTS) {
                *weight = 3.0;
            }
        });
        let classifier = Classifier::from_weights([0.0; OUTPUTS], &weights);
        let again = Classifier::from_bytes(&classifier.to_bytes()).unwrap();
        assert_eq!(again.read(&["help"]).class(), Class::ALL[0]);
        assert!(again.read(&["help"]).danger() > again.read(&["hello"]).danger());
        assert!(Classifier::from_bytes(&[0; 7]).is_none());
    }

    #[test]
    fn the_weights_of_this_build_can_be_read_and_are_small() {
        assert!(Classifier::embedded().is_some());
        assert!(WEIGHTS.len() < 2 * 1024 * 1024);
    }
}
