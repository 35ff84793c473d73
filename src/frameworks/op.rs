//! The operations, whatever the framework: shapes looked at, then the core called.

use super::tensor::{Kind, Tensor, TensorMut};
use crate::error::Error;
use crate::gradient::{batched_cosine_gradient, cosine_gradient};
use crate::score::{
    Options, batched_cosine_similarity, cosine_similarity, paired_cosine_similarity,
};
use crate::view::{Computed, Gradient, Vectors, same_vectors};
use ndarray::{ArrayView3, Axis, Ix2, Ix3};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

/// Which vectors meet. Leading axes, `…`, are a batch of such problems.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    /// `(…, D)` or `(…, 1, D)`, and `(…, N, D)`, to `(…, N)`.
    Batched,
    /// `(…, D)` and `(…, D)` to `(…)`.
    Paired,
    /// `(…, U, D)` and `(…, N, D)` to `(…, U, N)`.
    Matrix,
}

impl Form {
    /// By the number that a framework's operation may know a form by.
    pub(crate) const ALL: [Self; 3] = [Self::Batched, Self::Paired, Self::Matrix];

    /// The shape of the scores, for who makes room for them. Whether the shapes fit each other is
    /// looked at by [`scores`].
    ///
    /// # Errors
    /// That there is none, in words.
    pub(crate) fn scores_shape(self, x: &[usize], y: &[usize]) -> Result<Vec<usize>, String> {
        match (self, x, y) {
            (Self::Batched, _, [leading @ .., _]) | (Self::Paired, [leading @ .., _], _) => {
                Ok(leading.to_vec())
            }
            (Self::Matrix, [leading @ .., _], [.., count, _]) => Ok([leading, &[*count]].concat()),
            _ => Err(refused(self, x, y)),
        }
    }
}

fn refused(form: Form, x: &[usize], y: &[usize]) -> String {
    format!("shapes {x:?} and {y:?} do not fit {form:?} scores")
}

/// The type of the scores of vectors of these.
pub(crate) fn scores_kind(x: Kind, y: Kind) -> Kind {
    if x == Kind::Double || y == Kind::Double { Kind::Double } else { Kind::Single }
}

/// Does some work that a framework asked for, whose frames a panic must not unwind: it is an error.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let message = panic.downcast_ref::<String>().map(String::as_str);
        let message = message.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(format!("a bug: {}", message.unwrap_or("a panic")))
    })
}

/// How often scores and gradients were computed here, in this process.
static CALLS: [AtomicU64; 2] = [AtomicU64::new(0), AtomicU64::new(0)];

/// How often scores, and how often gradients, were computed here in this process.
pub(crate) fn calls() -> (u64, u64) {
    (CALLS[0].load(Ordering::Relaxed), CALLS[1].load(Ordering::Relaxed))
}

/// All shapes as `(L, U, D)` and `(L, N, D)` to `(L, U, N)`.
struct Problem {
    form: Form,
    x: [usize; 3],
    y: [usize; 3],
    scores: [usize; 3],
}

impl Problem {
    fn new(form: Form, x: &[usize], y: &[usize]) -> Result<Self, String> {
        let refused = || refused(form, x, y);
        let (&dim, y_rest) = y.split_last().ok_or_else(refused)?;
        let (count, leading) = match form {
            Form::Paired => (1, y_rest),
            Form::Batched | Form::Matrix => {
                y_rest.split_last().map(|(&count, leading)| (count, leading)).ok_or_else(refused)?
            }
        };
        let (&x_dim, x_rest) = x.split_last().ok_or_else(refused)?;
        let (users, x_leading) = match form {
            Form::Matrix => {
                x_rest.split_last().map(|(&users, leading)| (users, leading)).ok_or_else(refused)?
            }
            Form::Batched if x.len() == y.len() && x_rest.last() == Some(&1) => {
                (1, &x_rest[..x_rest.len() - 1])
            }
            Form::Batched | Form::Paired => (1, x_rest),
        };
        if x_dim != dim || x_leading != leading {
            return Err(refused());
        }
        let batch = leading.iter().product();
        Ok(Self {
            form,
            x: [batch, users, dim],
            y: [batch, count, dim],
            scores: [batch, users, count],
        })
    }
}

/// Writes the scores of `x` and `y`: `f32`, or `f64` if either is.
///
/// # Errors
/// What does not fit, in words.
pub(crate) fn scores(
    form: Form,
    x: Tensor<'_>,
    y: Tensor<'_>,
    epsilon: f64,
    out: TensorMut<'_>,
) -> Result<(), String> {
    CALLS[0].fetch_add(1, Ordering::Relaxed);
    let problem = Problem::new(form, x.shape, y.shape)?;
    if out.kind != scores_kind(x.kind, y.kind) {
        return Err(format!("no {:?} scores of {:?} and {:?} vectors", out.kind, x.kind, y.kind));
    }
    match out.kind {
        Kind::Double => scores_in::<f64>(&problem, x, y, epsilon, out),
        _ => scores_in::<f32>(&problem, x, y, epsilon, out),
    }
}

/// The vectors of both sides.
fn sides<'a>(
    problem: &Problem,
    x: Tensor<'a>,
    y: Tensor<'a>,
) -> Result<(Vectors<'a, Ix3>, Vectors<'a, Ix3>), String> {
    let sides = x.rows(problem.x).zip(y.rows(problem.y));
    sides.ok_or_else(|| "strides of more than three axes".to_owned())
}

fn scores_in<E: Computed>(
    problem: &Problem,
    x: Tensor<'_>,
    y: Tensor<'_>,
    epsilon: f64,
    mut out: TensorMut<'_>,
) -> Result<(), String> {
    let (x, y) = sides(problem, x, y)?;
    let mut out = out.scores::<E>(problem.scores).ok_or("room for other scores")?;
    let options = &Options { epsilon, ..Options::default() };
    let result = match problem.form {
        Form::Batched => {
            let users = E::rows(first_row(&x));
            batched_cosine_similarity(users, E::batches(y), out.index_axis_mut(Axis(1), 0), options)
        }
        Form::Paired => {
            let (x, y) = (E::rows(first_row(&x)), E::rows(first_row(&y)));
            let out = out.index_axis_move(Axis(1), 0);
            paired_cosine_similarity(x, y, out.index_axis_move(Axis(1), 0), options)
        }
        Form::Matrix => out.outer_iter_mut().enumerate().try_for_each(|(batch, out)| {
            cosine_similarity(E::rows(matrix(&x, batch)), E::rows(matrix(&y, batch)), out, options)
        }),
    };
    result.map_err(in_words)
}

/// Writes the gradients of `x` and `y`, of the types that these have, given that of their scores.
///
/// # Errors
/// What does not fit, in words.
pub(crate) fn gradients(
    form: Form,
    x: Tensor<'_>,
    y: Tensor<'_>,
    epsilon: f64,
    scores_gradient: Tensor<'_>,
    x_gradient: Option<TensorMut<'_>>,
    y_gradient: Option<TensorMut<'_>>,
) -> Result<(), String> {
    CALLS[1].fetch_add(1, Ordering::Relaxed);
    let problem = Problem::new(form, x.shape, y.shape)?;
    for (side, gradient) in [(x, &x_gradient), (y, &y_gradient)] {
        if gradient.as_ref().is_some_and(|gradient| gradient.kind != side.kind) {
            return Err("a gradient of another type than its vectors".to_owned());
        }
    }
    let rooms = (x_gradient, y_gradient);
    let kind = scores_gradient.kind;
    if kind != scores_kind(x.kind, y.kind) {
        return Err(format!("a {kind:?} gradient of {:?} and {:?} vectors", x.kind, y.kind));
    }
    match kind {
        Kind::Double => gradients_in::<f64>(&problem, (x, y), epsilon, scores_gradient, rooms),
        _ => gradients_in::<f32>(&problem, (x, y), epsilon, scores_gradient, rooms),
    }
}

fn gradients_in<E: Computed>(
    problem: &Problem,
    (x, y): (Tensor<'_>, Tensor<'_>),
    epsilon: f64,
    scores_gradient: Tensor<'_>,
    (x_gradient, y_gradient): (Option<TensorMut<'_>>, Option<TensorMut<'_>>),
) -> Result<(), String> {
    let (x, y) = sides(problem, x, y)?;
    let weights: ArrayView3<'_, E> =
        scores_gradient.view(problem.scores).ok_or("a gradient of other scores")?;
    let native = scores_gradient.kind;
    let mut x_gradient = x_gradient.map(|room| gradient_room(room, native)).transpose()?;
    let mut y_gradient = y_gradient.map(|room| gradient_room(room, native)).transpose()?;
    let options = &Options { epsilon, ..Options::default() };
    let result = match problem.form {
        Form::Batched | Form::Paired => {
            let weights = weights.index_axis(Axis(1), 0);
            let users = E::rows(first_row(&x));
            batched_cosine_gradient(users, E::batches(y), weights, x_gradient, y_gradient, options)
        }
        Form::Matrix => weights.outer_iter().enumerate().try_for_each(|(batch, weights)| {
            let x_room =
                x_gradient.as_mut().map(|room| room.split_off(problem.x[1] * problem.x[2]));
            let y_room =
                y_gradient.as_mut().map(|room| room.split_off(problem.y[1] * problem.y[2]));
            let (x, y) = (E::rows(matrix(&x, batch)), E::rows(matrix(&y, batch)));
            cosine_gradient(x, y, weights, x_room, y_room, options)
        }),
    };
    result.map_err(in_words)
}

fn gradient_room<E>(room: TensorMut<'_>, native: Kind) -> Result<Gradient<'_, E>, String> {
    room.gradient(native).ok_or_else(|| "no such gradient".to_owned())
}

/// The only row of each.
fn first_row<'a>(vectors: &Vectors<'a, Ix3>) -> Vectors<'a, Ix2> {
    same_vectors!(vectors, view => (*view).index_axis_move(Axis(1), 0))
}

/// One of the matrices.
fn matrix<'a>(vectors: &Vectors<'a, Ix3>, batch: usize) -> Vectors<'a, Ix2> {
    same_vectors!(vectors, view => (*view).index_axis_move(Axis(0), batch))
}

#[allow(clippy::needless_pass_by_value)] // as `map_err` wants it
fn in_words(error: Error) -> String {
    error.to_string()
}
