//! The contract's bits, written down a second time as plainly as can be.
//!
//! For vectors whose squares need no scaling: sixteen lanes by fused multiply-add, the tree that
//! adds lane j to j + 8, j + 4, j + 2, j + 1, and one square root and division.

use crate::number::Number;
use ndarray::{Array2, ArrayView1, ArrayView2};

/// The dot product of two vectors in the contract's order.
fn dot<E: Number>(u: ArrayView1<'_, E>, v: ArrayView1<'_, E>) -> E {
    let mut lanes = [E::ZERO; 16];
    for (place, (&a, &b)) in u.iter().zip(v).enumerate() {
        lanes[place % 16] = a.multiply_add(b, lanes[place % 16]);
    }
    for half in [8, 4, 2, 1] {
        for lane in 0..half {
            lanes[lane] = lanes[lane] + lanes[lane + half];
        }
    }
    lanes[0]
}

/// The score of two vectors.
fn score<E: Number>(u: ArrayView1<'_, E>, v: ArrayView1<'_, E>) -> E {
    let squares = dot(u, u) * dot(v, v);
    if squares == E::ZERO {
        return E::ZERO;
    }
    let quotient = dot(u, v) / squares.square_root();
    if quotient > E::ONE {
        E::ONE
    } else if quotient < -E::ONE {
        -E::ONE
    } else {
        quotient + E::ZERO
    }
}

/// The scores of each row of `x` with each row of `y`.
pub(crate) fn scores<E: Number>(x: ArrayView2<'_, E>, y: ArrayView2<'_, E>) -> Array2<E> {
    Array2::from_shape_fn((x.nrows(), y.nrows()), |(row, item)| score(x.row(row), y.row(item)))
}
