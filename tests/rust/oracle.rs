//! The exact score of `f32` vectors, as near as `f64` gives it, and the error that is allowed.
//!
//! The contract allows (2⌈D/16⌉ + 12)·2⁻²⁴. The oracle itself errs too. With ε = 2⁻⁵³, a product
//! of two `f32` is exact in `f64`, so summing D of them errs by at most Dε·|u||v|: Dε in the score
//! from the dot product, Dε/2 from either norm, and at most 4ε from the product, the root (of
//! which half counts), the division and the second order. No `f32` input leaves `f64`'s range.

use ndarray::ArrayView1;

fn dot(u: ArrayView1<'_, f32>, v: ArrayView1<'_, f32>) -> f64 {
    u.iter().zip(v).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

/// The score of two finite vectors; a norm is first raised to `epsilon`.
pub(crate) fn cosine(u: ArrayView1<'_, f32>, v: ArrayView1<'_, f32>, epsilon: f64) -> f64 {
    let norms = dot(u, u).sqrt().max(epsilon) * dot(v, v).sqrt().max(epsilon);
    if norms == 0.0 { 0.0 } else { dot(u, v) / norms }
}

/// How far a score of vectors of `dim` elements may be from the oracle's.
pub(crate) fn allowed(dim: usize) -> f64 {
    let [groups, dim] = [dim.div_ceil(16), dim].map(|n| f64::from(u32::try_from(n).unwrap()));
    (2.0 * groups + 12.0) * 2.0_f64.powi(-24) + (2.0 * dim + 4.0) * 2.0_f64.powi(-53)
}

/// Fails unless `score` is what the contract allows for these vectors.
#[track_caller]
pub(crate) fn assert_within_bound(u: ArrayView1<'_, f32>, v: ArrayView1<'_, f32>, score: f32) {
    let error = (f64::from(score) - cosine(u, v, 0.0)).abs();
    assert!(error <= allowed(u.len()), "{u} with {v}: {score} is {error} off");
}
