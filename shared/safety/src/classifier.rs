//! A linear classifier over hashed n-grams: how likely it is that words are from somebody in danger, and in which.
//!
//! Softmax over the classes and "none", on words in a row and on letters in a row, within words; each text's features
//! weigh `1 / sqrt(number of features)`. The weights are whole numbers from -127 to 127 with one scale, trained by
//! `examples/train.rs`; a text costs one pass over its words, some microseconds.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

use crate::Class;

/// The weights: the scale (f32), the bias of each class (f32), then [`FEATURES`] rows of a byte
/// for each class and what [`Classifier::row`] reads behind the last.
const WEIGHTS: &[u8] = include_bytes!("../data/classifier.bin");

/// Words that are taken for one another where words in a row are looked at.
const CONCEPTS: &str = include_str!("../data/concepts.txt");

static BY_WORD: LazyLock<HashMap<&'static str, u32>> = LazyLock::new(|| {
    let lines = CONCEPTS.lines().filter_map(|line| line.split_once(" = "));
    let words = |(name, words): (&'static str, &'static str)| {
        words.split(' ').map(move |word| (word, hash(0x3c6e_f372, name.as_bytes())))
    };
    lines.flat_map(words).collect()
});

/// How many features there are: what is hashed shares them.
pub const FEATURES: usize = 1 << 17;
/// The most words in a row that are a feature, and how many letters are.
const WORDS: usize = 3;
const LETTERS: [usize; 2] = [3, 5];
/// How much of a word is looked at: no word that means something is longer.
const LONGEST: usize = 24;
/// The classes and, last, none of them.
pub const OUTPUTS: usize = Class::ALL.len() + 1;
/// How many weights are added at once: what a processor takes in one step, at least [`OUTPUTS`].
const LANES: usize = 16;

/// How likely each class is; they sum to one.
#[derive(Debug, Clone, Copy)]
pub struct Likely(pub [f32; OUTPUTS]);

impl Likely {
    /// That it is any of the classes.
    pub fn danger(&self) -> f32 {
        1.0 - self.0.last().copied().unwrap_or(1.0)
    }

    /// That it is one of some classes.
    pub fn of(&self, classes: &[Class]) -> f32 {
        Class::ALL.iter().zip(self.0).filter(|(class, _)| classes.contains(class)).map(|(_, likely)| likely).sum()
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
    /// A row for each feature, and what [`Classifier::row`] reads behind the last one.
    weights: Cow<'static, [u8]>,
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
        let rounded = weights.iter().map(|weight| ((weight / scale).round() as i8).to_le_bytes()[0]);
        Self { scale, bias, weights: rounded.chain([0; LANES]).collect() }
    }

    /// As they are kept in a file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let head = [self.scale].into_iter().chain(self.bias).flat_map(f32::to_le_bytes);
        head.chain(self.weights.iter().copied()).collect()
    }

    fn from_bytes(bytes: &'static [u8]) -> Option<Self> {
        let (scale, mut rest) = bytes.split_first_chunk::<4>()?;
        let mut bias = [0.0; OUTPUTS];
        for one in &mut bias {
            let (value, after) = rest.split_first_chunk::<4>()?;
            (*one, rest) = (f32::from_le_bytes(*value), after);
        }
        let is_whole = rest.len() == FEATURES * OUTPUTS + LANES;
        is_whole.then(|| Self { scale: f32::from_le_bytes(*scale), bias, weights: rest.into() })
    }

    /// How likely it is that words are from somebody in danger.
    pub fn read(&self, words: &[&str]) -> Likely {
        self.sums(words).of(0..words.len())
    }

    /// What the words of a message weigh, so that each of its parts costs next to nothing.
    pub(crate) fn sums<'a>(&'a self, words: &[&str]) -> Sums<'a> {
        let mut sums = Sums { classifier: self, hashes: word_hashes(words), until: vec![Sum::default()] };
        let mut until = Sum::default();
        // A long message says most of its words more than once.
        let mut of_letters: HashMap<&str, Sum> = HashMap::new();
        for (at, word) in words.iter().enumerate() {
            let mut here = *of_letters.entry(word).or_insert_with(|| {
                let mut sum = Sum::default();
                letter_features(word, |feature| sum.add(self.row(feature)));
                sum
            });
            word_features(&sums.hashes, at, |_, feature| here.add(self.row(feature)));
            until.join(&here, 1);
            sums.until.push(until);
        }
        sums
    }

    /// The weights of a feature; what is beyond [`OUTPUTS`] belongs to the next one and is never looked at.
    fn row(&self, feature: usize) -> &[u8; LANES] {
        let row = self.weights.get(feature * OUTPUTS..).and_then(|rest| rest.first_chunk());
        row.unwrap_or(&[0; LANES])
    }
}

/// What some features weigh for each class, and how many they are.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    weights: [i32; LANES],
    count: i32,
}

impl Sum {
    fn add(&mut self, row: &[u8; LANES]) {
        self.weights.iter_mut().zip(row).for_each(|(sum, weight)| *sum += i32::from(i8::from_le_bytes([*weight])));
        self.count += 1;
    }

    fn join(&mut self, other: &Self, sign: i32) {
        self.weights.iter_mut().zip(other.weights).for_each(|(sum, weight)| *sum += sign * weight);
        self.count += sign * other.count;
    }
}

/// The weights of a message's words, added up from its beginning.
pub(crate) struct Sums<'a> {
    classifier: &'a Classifier,
    hashes: Vec<Hashes>,
    until: Vec<Sum>,
}

impl Sums<'_> {
    /// How likely it is that a part of the message is from somebody in danger, read as if it stood alone.
    pub fn of(&self, part: Range<usize>) -> Likely {
        let at = |place: usize| self.until.get(place).copied().unwrap_or_default();
        let mut sum = at(part.end);
        sum.join(&at(part.start), -1);
        // Words in a row that begin in the part and end beyond it are none of it.
        let mut beyond = Sum::default();
        for from in part.end.saturating_sub(WORDS - 1).max(part.start)..part.end {
            word_features(&self.hashes, from, |to, feature| {
                if to > part.end {
                    beyond.add(self.classifier.row(feature));
                }
            });
        }
        sum.join(&beyond, -1);
        let words = self.hashes.get(part).unwrap_or_default();
        end_features(words, |feature| sum.add(self.classifier.row(feature)));
        let weight = self.classifier.scale / (sum.count.max(1) as f32).sqrt();
        let mut scores = self.classifier.bias;
        scores.iter_mut().zip(sum.weights).for_each(|(score, sum)| *score += sum as f32 * weight);
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
    let hashes = word_hashes(words);
    for (at, word) in words.iter().enumerate() {
        word_features(&hashes, at, |_, feature| tell(feature));
        letter_features(word, &mut tell);
    }
    end_features(&hashes, tell);
}

/// What stands for a word: itself, and what it means.
#[derive(Debug, Clone, Copy)]
struct Hashes {
    word: u32,
    concept: u32,
}

fn word_hashes(words: &[&str]) -> Vec<Hashes> {
    let hashes = |word: &&str| {
        let itself = hash(0x811c_9dc5, word.as_bytes());
        Hashes { word: itself, concept: BY_WORD.get(word).copied().unwrap_or(itself) }
    };
    words.iter().map(hashes).collect()
}

/// Words in a row that begin at a place, as they are and by what they mean: where each ends, and its feature.
fn word_features(hashes: &[Hashes], at: usize, mut tell: impl FnMut(usize, usize)) {
    let (mut words, mut concepts) = (0x9747_b28c, 0x2545_f491);
    for (to, next) in hashes.iter().enumerate().skip(at).take(WORDS) {
        words = mixed(words ^ next.word.wrapping_mul(0x85eb_ca6b));
        tell(to + 1, words as usize % FEATURES);
        concepts = mixed(concepts ^ next.concept.wrapping_mul(0x85eb_ca6b));
        tell(to + 1, concepts as usize % FEATURES);
    }
    // With a word in between that may be any.
    if let (Some(one), Some(other)) = (hashes.get(at), hashes.get(at + 2)) {
        let pair = mixed(mixed(0x51ed_270b ^ one.concept) ^ other.concept.wrapping_mul(0x85eb_ca6b));
        tell(at + 3, pair as usize % FEATURES);
    }
}

/// Letters in a row, the word's ends among them: what a misspelt or inflected word shares with the one that was seen.
fn letter_features(word: &str, mut tell: impl FnMut(usize)) {
    let bytes = word.as_bytes();
    let bytes = bytes.get(..LONGEST).unwrap_or(bytes);
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

/// The beginning and the end of a text say how it is meant.
fn end_features(hashes: &[Hashes], tell: impl FnMut(usize)) {
    let ends =
        [hashes.first().map(|first| first.word ^ 0x5bd1_e995), hashes.last().map(|last| last.word ^ 0x27d4_eb2f)];
    ends.into_iter().flatten().map(|end| mixed(end) as usize % FEATURES).for_each(tell);
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
        let again = Classifier::from_bytes(classifier.to_bytes().leak()).unwrap();
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
