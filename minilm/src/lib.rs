//! all-MiniLM-L6-v2 on the processor: a sentence becomes a vector of 384 numbers, near those of sentences that mean alike.
//!
//! In: the model's two files, then texts. Out: vectors. It takes one core for some milliseconds and knows no threads, no
//! files and no network; who calls it decides on those.
//!
//! Why the encoder is written out here, some 300 lines with its arithmetic, rather than taken from a framework: CPU time
//! for a text of 15 and of 256 tokens, on an x86 core with AVX-512 (`benches/sentence.rs`), and to build in the
//! dev profile:
//!
//! | | 15 tokens | 256 tokens | build | reads |
//! | --- | --- | --- | --- | --- |
//! | this crate | 3.6 ms | 57 ms | 79 s | the published weights |
//! | candle 0.11 (measured beside it, optimised throughout) | 21 ms | 310 ms | 339 s | the published weights |
//! | tract (measured apart, candle then 13.5 and 165 ms) | 9.4 ms | 86 ms | | a graph made from them |
//! | ONNX Runtime (as tract) | 5.0 ms | 54 ms | | such a graph, and 29 MB of C++ |
//!
//! It loads in 0.15 s and then holds 104 MiB, while it loads 189 MiB. Its vectors are candle's to six digits. For an arm64
//! Lambda it is Rust alone: no C++ library to cross-compile or to carry, and the weights, 83 MB zipped, are read once at a
//! cold start. It has not been timed there.

#[cfg(feature = "encoder")]
mod bert;
pub mod distilled;
#[cfg(feature = "encoder")]
mod encoder;
#[cfg(feature = "encoder")]
mod matrix;
pub mod wordpiece;

#[cfg(feature = "encoder")]
pub use bert::WIDTH as DIMENSIONS;
#[cfg(feature = "encoder")]
pub use encoder::MiniLm;
