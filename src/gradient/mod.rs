//! Gradients: what training wants to know of the scores.
//!
//! With n(x) = max(|x|, epsilon), a score is s = dot(u, v) / (n(u) · n(v)). For a loss whose gradient
//! with respect to that score is g,
//!
//! ```text
//! d loss / d v = g · (u / (n(u) · n(v)) - s · v / n(v)²)        the second term only where |v| > epsilon
//! d loss / d u = Σ over its items g · (v / (n(u) · n(v)) - s · u / n(u)²)     likewise, |u| > epsilon
//! ```
//!
//! That is the gradient of the formula, with the clamped norm where a norm is clamped; the clamp of
//! the score itself only undoes a rounding and has none. At a zero vector with epsilon 0 there is no
//! gradient, and 0 is given. A NaN or an infinity in a vector, or in g, gives NaN; what is too large
//! for its type becomes the largest finite number, so finite vectors never give an infinity or a NaN.
//!
//! The sums over a user's items are made block by block, of a size that depends on nothing but the
//! length and type of the vectors, so gradients too are the same bits for any number of threads.

mod batched;
mod matrix;

pub use batched::batched_cosine_gradient;
pub use matrix::cosine_gradient;
