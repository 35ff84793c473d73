//! TensorFlow's operations, registered through its C API.
//!
//! `TensorFlow` is in the process already, or nothing is done: its functions are looked up in what is
//! loaded. There is an operation for the scores of each form, which differ in the shapes that come
//! out, and three for gradients: of both sides, of the first, of the second. The attributes say the
//! rest:
//!
//! ```text
//! CosimRsBatchedScores(x: Tx, y: Ty; T, epsilon_bits) -> scores: T         likewise Paired, Matrix
//! CosimRsGradients(x: Tx, y: Ty, scores_gradient: T; form, epsilon_bits) -> x_gradient: Tx, y_gradient: Ty
//! CosimRsFirstGradient, CosimRsSecondGradient                              one of these two
//! ```
//!
//! An attribute of `TensorFlow`'s floats has 32 bits, so epsilon comes as the bits of its `f64`, in an
//! integer.

mod api;
mod kernel;
mod ops;
mod run;
mod shapes;

pub(crate) use ops::register;
