//! Scores: the functions of the core, and the contract that all of them keep.
//!
//! ```text
//! score(u, v) = clamp(dot(u, v) / sqrt(|u|² · |v|²), -1, 1)
//! ```
//!
//! One score per pair: the same two vectors get the same bits from every function, for any batch,
//! number of threads, order, layout and instruction set. Each sum uses sixteen accumulators by
//! fused multiply-add and one fixed tree, so |score − exact| ≤ (2⌈D/16⌉ + 12)·2⁻²⁴ for `f32`
//! (2⁻⁵³ for `f64`) and D ≤ 32,768. A zero vector scores +0 with every finite vector; a NaN or an
//! infinity makes the scores of its vector NaN. No score is -0.
//!
//! ```
//! use cosim_rs::score::{Options, batched_cosine_similarity};
//! use ndarray::{Array2, arr2, arr3};
//!
//! let users = arr2(&[[1.0_f32, 0.0]]);
//! let items = arr3(&[[[2.0, 0.0], [0.0, 5.0], [-3.0, 0.0]]]);
//! let mut scores = Array2::<f32>::zeros((1, 3));
//! batched_cosine_similarity(users.view(), items.view(), scores.view_mut(), &Options::default())?;
//! assert_eq!(scores, arr2(&[[1.0, 0.0, -1.0]]));
//! # Ok::<(), cosim_rs::Error>(())
//! ```

mod batched;
mod candidates;
pub(crate) mod matrix;
mod paired;
mod symmetric;

pub use batched::batched_cosine_similarity;
pub use candidates::candidate_cosine_similarity;
pub use matrix::cosine_similarity;
pub use paired::paired_cosine_similarity;
pub use symmetric::self_cosine_similarity;

use crate::error::Error;
use crate::kernel::Kernels;
use crate::kernel::float_mode::DefaultMode;
use crate::kernel::range::Floor;
use crate::kernel::real::Real;
use crate::parallel;
use std::hint::black_box;

/// What every function takes besides its arrays.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// Norms are raised to at least this before the division; finite and at least 0.
    pub epsilon: f64,
    /// The most threads to use; `None` for the global setting, see [`crate::num_threads`].
    pub threads: Option<usize>,
    /// Asked by the calling thread now and then in a long call: whether to stop.
    pub interrupted: &'a dyn Fn() -> bool,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self { epsilon: 0.0, threads: None, interrupted: &|| false }
    }
}

/// A call's options, checked and resolved.
pub(crate) struct Call<'a, E: Clone + 'static> {
    /// The mode of the whole call: a caller that flushes subnormals would flush epsilon too.
    _mode: DefaultMode,
    pub(crate) kernels: &'static Kernels<E>,
    pub(crate) floor: Floor<E>,
    pub(crate) threads: usize,
    pub(crate) interrupted: &'a dyn Fn() -> bool,
}

impl<'a, E: Real> Call<'a, E> {
    pub(crate) fn new(options: &Options<'a>) -> Result<Self, Error> {
        let mode = DefaultMode::enter();
        // Hidden from the compiler, so that it rounds neither before nor after the mode is set.
        let epsilon = black_box(E::from_f64(black_box(options.epsilon)));
        if !(options.epsilon >= 0.0 && epsilon.is_finite()) {
            return Err(Error::Epsilon(options.epsilon.to_string()));
        }
        Ok(Self {
            _mode: mode,
            kernels: E::kernels()?,
            floor: black_box(Floor::new(epsilon)),
            threads: parallel::resolve(options.threads)?,
            interrupted: options.interrupted,
        })
    }

    /// How many threads to use for work on this many elements.
    pub(crate) fn threads_for(&self, elements: usize) -> usize {
        let bytes = elements.saturating_mul(size_of::<E>());
        if bytes < parallel::SMALL_WORK { 1 } else { self.threads }
    }
}

pub(crate) fn check_shape(
    name: &'static str,
    got: &[usize],
    expected: &[usize],
) -> Result<(), Error> {
    if got == expected {
        return Ok(());
    }
    Err(Error::Shape { name, got: got.to_vec(), expected: expected.to_vec() })
}

/// How many rows of `dim` elements make a block: about 1 MiB of them, in whole groups of sixteen, the
/// kernels' unit. From memory, blocks of 256 KiB took 1.05 to 1.15 times as long.
pub(crate) fn rows_per_block<E>(dim: usize) -> usize {
    const BLOCK_BYTES: usize = 1 << 20;
    let rows = BLOCK_BYTES / dim.saturating_mul(size_of::<E>()).max(1);
    if rows < 16 { rows.max(1) } else { rows / 16 * 16 }
}
