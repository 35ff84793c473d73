//! The gradients of a full matrix of scores: those of one side, then those of the other, each as the
//! gradient of a user with all rows of the other side as its items.

use super::batched_cosine_gradient;
use crate::error::Error;
use crate::kernel::real::Real;
use crate::score::{Options, check_shape};
use crate::view::{Batches, Gradient, Rows};
use ndarray::ArrayView2;

/// The gradients of `x` `(U, D)` and `y` `(N, D)`, given that of their scores `(U, N)`.
///
/// Each is written to room for as many numbers, if there is any for it.
///
/// # Errors
/// [`Error::Shape`] if the shapes do not fit, and the errors of the [`Options`].
pub fn cosine_gradient<'a, E: Real>(
    x: impl Into<Rows<'a, E>>,
    y: impl Into<Rows<'a, E>>,
    scores_gradient: ArrayView2<'_, E>,
    x_gradient: Option<Gradient<'_, E>>,
    y_gradient: Option<Gradient<'_, E>>,
    options: &Options<'_>,
) -> Result<(), Error> {
    let (x, y) = (x.into(), y.into());
    let [users, dim] = x.shape();
    check_shape("y", &y.shape(), &[y.count(), dim])?;
    check_shape("scores_gradient", scores_gradient.shape(), &[users, y.count()])?;
    if x_gradient.is_some() {
        let items = Batches::alike(y, users);
        batched_cosine_gradient(x, items, scores_gradient, x_gradient, None, options)?;
    }
    if y_gradient.is_some() {
        let (items, scores_gradient) = (Batches::alike(x, y.count()), scores_gradient.t());
        batched_cosine_gradient(y, items, scores_gradient, y_gradient, None, options)?;
    }
    Ok(())
}
