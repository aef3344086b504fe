//! The arithmetic of a transformer on one processor core, vectorised for the processor it runs on (AVX2, AVX-512, NEON).
//!
//! Matrices are slices, row after row. A product is made of tiles of 6 rows by 16 columns, which the registers of each of
//! these processors hold; both factors are laid out so that a tile reads them from front to back, weights once for all.

use pulp::{Arch, Simd, WithSimd};

/// The rows of a tile.
const ROWS: usize = 6;
/// The columns of a tile.
const COLUMNS: usize = 16;

/// The right factor of a product, in panels of 16 columns, the last one filled up with zeros.
pub struct Columns {
    panels: Vec<Vec<[f32; COLUMNS]>>,
    width: usize,
}

impl Columns {
    /// The matrix of `height` rows and `width` columns whose element in a row and a column is `at(row, column)`.
    pub fn new(height: usize, width: usize, at: impl Fn(usize, usize) -> f32) -> Self {
        let element = |row, column| if column < width { at(row, column) } else { 0.0 };
        let panel = |first: usize| -> Vec<_> {
            (0..height).map(|row| std::array::from_fn(|column| element(row, first + column))).collect()
        };
        Self { panels: (0..width).step_by(COLUMNS).map(panel).collect(), width }
    }
}

/// The product of a matrix of `height` rows, whose elements `at(row, column)` gives, with `right`: each row of it is handed to
/// `put` in pieces, with the row, the first column of the piece, and its elements.
pub fn multiply(
    height: usize,
    at: impl Fn(usize, usize) -> f32,
    right: &Columns,
    mut put: impl FnMut(usize, usize, &[f32]),
) {
    let depth = right.panels.first().map_or(0, Vec::len);
    let element = |row, column| if row < height { at(row, column) } else { 0.0 };
    let block = |first: usize| -> Vec<[f32; ROWS]> {
        (0..depth).map(|column| std::array::from_fn(|row| element(first + row, column))).collect()
    };
    let blocks: Vec<_> = (0..height).step_by(ROWS).map(block).collect();
    let arch = Arch::new();
    for (panel, first_column) in right.panels.iter().zip((0..).step_by(COLUMNS)) {
        let width = COLUMNS.min(right.width - first_column);
        for (block, first_row) in blocks.iter().zip((0..).step_by(ROWS)) {
            let tile = arch.dispatch(Tile { block, panel });
            for (row, elements) in tile.iter().enumerate().take(height - first_row) {
                put(first_row + row, first_column, elements.split_at(width).0);
            }
        }
    }
}

/// A tile's worth of a product. Like the other operations here it is written plainly, and compiled once for each kind of
/// processor, with what it calls, since `with_simd` is inlined into functions that have that kind's instructions.
struct Tile<'a> {
    block: &'a [[f32; ROWS]],
    panel: &'a [[f32; COLUMNS]],
}

impl WithSimd for Tile<'_> {
    type Output = [[f32; COLUMNS]; ROWS];

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Self::Output {
        let mut sums = [[0.0_f32; COLUMNS]; ROWS];
        for (factors, weights) in self.block.iter().zip(self.panel) {
            for (sums, factor) in sums.iter_mut().zip(factors) {
                for (sum, weight) in sums.iter_mut().zip(weights) {
                    *sum = factor.mul_add(*weight, *sum);
                }
            }
        }
        sums
    }
}

/// Brings each row to mean 0 and variance 1, then scales and shifts its elements by those of `scale` and `shift`.
pub fn normalise_rows(x: &mut [f32], scale: &[f32], shift: &[f32], epsilon: f32) {
    Arch::new().dispatch(NormaliseRows { x, scale, shift, epsilon });
}

struct NormaliseRows<'a> {
    x: &'a mut [f32],
    scale: &'a [f32],
    shift: &'a [f32],
    epsilon: f32,
}

impl WithSimd for NormaliseRows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for row in self.x.chunks_exact_mut(self.scale.len()) {
            let mean = sum(row) / row.len() as f32;
            for x in row.iter_mut() {
                *x -= mean;
            }
            let factor = 1.0 / (sum_of_squares(row) / row.len() as f32 + self.epsilon).sqrt();
            for ((x, scale), shift) in row.iter_mut().zip(self.scale).zip(self.shift) {
                *x = (*x * factor).mul_add(*scale, *shift);
            }
        }
    }
}

/// Makes each row of `width` scores weights that add up to 1.
pub fn softmax_rows(x: &mut [f32], width: usize) {
    Arch::new().dispatch(SoftmaxRows { x, width });
}

struct SoftmaxRows<'a> {
    x: &'a mut [f32],
    width: usize,
}

impl WithSimd for SoftmaxRows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for row in self.x.chunks_exact_mut(self.width) {
            let mut most = f32::NEG_INFINITY;
            for x in row.iter() {
                most = most.max(*x);
            }
            for x in row.iter_mut() {
                *x = exp(*x - most);
            }
            let factor = 1.0 / sum(row);
            for x in row.iter_mut() {
                *x *= factor;
            }
        }
    }
}

/// The Gaussian error linear unit, x Φ(x), of each element.
pub fn gelu(x: &mut [f32]) {
    Arch::new().dispatch(Gelu { x });
}

struct Gelu<'a> {
    x: &'a mut [f32],
}

impl WithSimd for Gelu<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for x in self.x.iter_mut() {
            *x *= 0.5 * (1.0 + erf(*x * std::f32::consts::FRAC_1_SQRT_2));
        }
    }
}

/// The error function to 1.5e-7 (Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26).
#[inline(always)]
fn erf(x: f32) -> f32 {
    let t = 1.0 / x.abs().mul_add(0.327_591_1, 1.0);
    let polynomial = 1.061_405_4_f32.mul_add(t, -1.453_152).mul_add(t, 1.421_413_7).mul_add(t, -0.284_496_74);
    let polynomial = polynomial.mul_add(t, 0.254_829_6) * t;
    polynomial.mul_add(-exp(-x * x), 1.0).copysign(x)
}

/// The exponential function to some 2 units in the last place, without a branch: 2 to a whole power, which is an exponent's
/// bits, times the series of what is left, which is at most ln 2 / 2. Zero below -87.
#[inline(always)]
fn exp(x: f32) -> f32 {
    let power = (x.max(-87.0) * std::f32::consts::LOG2_E).round_ties_even();
    // ln 2 in two parts, the first of few bits, so that its product is exact.
    let rest = power.mul_add(2.121_944_4e-4, power.mul_add(-0.693_359_4, x.max(-87.0)));
    let series = (1.0_f32 / 720.0).mul_add(rest, 1.0 / 120.0).mul_add(rest, 1.0 / 24.0).mul_add(rest, 1.0 / 6.0);
    let series = series.mul_add(rest, 0.5).mul_add(rest, 1.0).mul_add(rest, 1.0);
    let scale = f32::from_bits(((power as i32 + 127) as u32) << 23);
    if x < -87.0 { 0.0 } else { series * scale }
}

/// In 16 sums side by side, which a processor can add at once.
#[inline(always)]
fn sum(x: &[f32]) -> f32 {
    let (chunks, rest) = x.as_chunks::<COLUMNS>();
    let mut sums = [0.0_f32; COLUMNS];
    for chunk in chunks {
        for (sum, x) in sums.iter_mut().zip(chunk) {
            *sum += x;
        }
    }
    sums.iter().chain(rest).sum()
}

#[inline(always)]
fn sum_of_squares(x: &[f32]) -> f32 {
    let (chunks, rest) = x.as_chunks::<COLUMNS>();
    let mut sums = [0.0_f32; COLUMNS];
    for chunk in chunks {
        for (sum, x) in sums.iter_mut().zip(chunk) {
            *sum = x.mul_add(*x, *sum);
        }
    }
    sums.iter().sum::<f32>() + rest.iter().map(|x| x * x).sum::<f32>()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn product(left: &[f32], right: &[f32], (height, depth, width): (usize, usize, usize)) -> Vec<f32> {
        let columns = Columns::new(depth, width, |row, column| right[row * width + column]);
        let mut out = vec![f32::NAN; height * width];
        multiply(
            height,
            |row, column| left[row * depth + column],
            &columns,
            |row, column, elements| {
                out[row * width + column..][..elements.len()].copy_from_slice(elements);
            },
        );
        out
    }

    #[test]
    fn a_product_is_rows_times_columns() {
        let product = product(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[7.0, 8.0, 9.0, 10.0, 11.0, 12.0], (2, 3, 2));
        assert_eq!(product, [58.0, 64.0, 139.0, 154.0]);
    }

    proptest! {
        #[test]
        fn products_of_any_size_are_those_of_the_definition(height in 1usize..20, depth in 1usize..40, width in 1usize..40) {
            let fill = |count: usize, step: usize| (0..count).map(|at| (at * step % 17) as f32 - 8.0).collect::<Vec<_>>();
            let (left, right) = (fill(height * depth, 5), fill(depth * width, 7));
            let product = product(&left, &right, (height, depth, width));
            for row in 0..height {
                for column in 0..width {
                    let expected: f32 = (0..depth).map(|at| left[row * depth + at] * right[at * width + column]).sum();
                    prop_assert_eq!(product[row * width + column], expected);
                }
            }
        }

        #[test]
        fn the_exponential_is_near_the_standard_librarys(x in -86.0f32..20.0) {
            prop_assert!((exp(x) / x.exp() - 1.0).abs() < 1e-6, "{} {}", exp(x), x.exp());
        }
    }

    #[test]
    fn gelu_and_softmax_have_their_known_values() {
        let close = |x: &[f32], expected: &[f32]| x.iter().zip(expected).all(|(x, y)| (x - y).abs() < 1e-6);
        let mut x = [-3.0, -1.0, 0.0, 0.5, 2.0];
        gelu(&mut x);
        assert!(close(&x, &[-0.004_049_69, -0.158_655_26, 0.0, 0.345_731_23, 1.954_499_7]), "{x:?}");
        let mut x = [1.0, 2.0, 3.0, -200.0, 0.0, 0.0, 0.0, 0.0];
        softmax_rows(&mut x, 4);
        assert!(close(&x, &[0.090_030_57, 0.244_728_47, 0.665_240_94, 0.0, 0.25, 0.25, 0.25, 0.25]), "{x:?}");
    }

    #[test]
    fn a_normalised_row_is_scaled_and_shifted() {
        let mut x = [1.0, 3.0];
        normalise_rows(&mut x, &[2.0, 2.0], &[10.0, 20.0], 0.0);
        assert_eq!(x, [8.0, 22.0]);
    }
}
