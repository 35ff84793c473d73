//! Sixteen lanes: the one vector shape in which every kernel computes.
//!
//! The contract fixes the order of every sum: lane `j` takes the elements `j, j+16, j+32, …` by
//! fused multiply-add, then one tree adds lane `j` to `j+8`, `j+4`, `j+2`, `j+1`. A wider or a
//! narrower instruction set only holds the same sixteen lanes in fewer or more registers, so the
//! bits cannot differ. This is the whole interface that the algorithms need; each instruction set
//! is one thin file that implements it, and the portable one is the definition.
//!
//! A value of a type that implements [`Lanes`] is a proof that this CPU has its instructions, so
//! its methods are safe to call. They must be inlined into a function compiled for those
//! instructions, hence `inline(always)` on all of them and on the algorithms in between.
//!
//! # The tree, many rows at a time
//! One row's reduction leaves most lanes idle, so rows share it. `halves_8` takes two vectors of
//! sixteen lanes to one that holds the lower eight of each, and one with the upper eight; added, they
//! are eight sums of each. `halves_4` does so with four lanes of each of four rows; and so on: fifteen
//! additions turn sixteen rows into one vector of sixteen sums, with those of the tree and no others.
//!
//! ```text
//! rows       a b    c d    e f    g h    …     16 vectors, 16 lanes a row
//! halves_8   a|b    c|d    e|f    g|h    …      8 vectors,  8 lanes a row
//! halves_4   abcd          efgh          …      4 vectors,  4 lanes a row
//! halves_2   abcdefgh                    …      2 vectors,  2 lanes a row
//! halves_1   abcdefghijklmnop                   1 vector,   1 lane a row (then put in order)
//! ```
//!
//! If nothing is added and both halves are kept, sixteen rows become their sixteen columns.
#![allow(unsafe_code)] // the intrinsics

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;
#[cfg(target_arch = "x86_64")]
mod bytes;
pub(crate) mod portable;
mod widening;

use super::real::Real;

/// How many lanes: of a vector, of a row's accumulator, and rows of a group.
pub(crate) const LANES: usize = 16;

/// How many whole numbers are multiplied at once: two for each lane.
pub(crate) const PAIRS: usize = 2 * LANES;

/// One step of a transpose: the vectors of each of some pieces of `rows`, pair by pair, to their lower
/// halves and then their upper ones.
macro_rules! turn {
    ($lanes:ident, $rows:ident, $halves:ident, pieces: $pieces:literal, pairs: $pairs:literal) => {
        let from = $rows;
        for piece in 0..$pieces {
            let first = 2 * $pairs * piece;
            for pair in 0..$pairs {
                let [low, high] =
                    $lanes.$halves(from[first + 2 * pair], from[first + 2 * pair + 1]);
                ($rows[first + pair], $rows[first + $pairs + pair]) = (low, high);
            }
        }
    };
}

/// Sixteen lanes of one element type on one instruction set; see the module's prose.
pub(crate) trait Lanes<E: Real>: Copy {
    type Vector: Copy;

    /// Whether a vector is a few registers. If not, what would be fast code is just much of it.
    const IS_REGISTERS: bool = true;

    fn splat(self, value: E) -> Self::Vector;
    fn store(self, vector: Self::Vector) -> [E; LANES];
    /// `a * b + sum` with one rounding.
    fn multiply_add(self, a: Self::Vector, b: Self::Vector, sum: Self::Vector) -> Self::Vector;

    fn added(self, both: [Self::Vector; 2]) -> Self::Vector;

    /// The lower eight lanes of both, and the upper eight; see the module's prose for this and the
    /// next three.
    fn halves_8(self, a: Self::Vector, b: Self::Vector) -> [Self::Vector; 2];
    fn halves_4(self, a: Self::Vector, b: Self::Vector) -> [Self::Vector; 2];
    fn halves_2(self, a: Self::Vector, b: Self::Vector) -> [Self::Vector; 2];
    fn halves_1(self, a: Self::Vector, b: Self::Vector) -> [Self::Vector; 2];
    /// Undoes the order in which this instruction set's halves left the rows.
    fn in_order(self, sums: Self::Vector) -> Self::Vector;

    fn magnitude(self, vector: Self::Vector) -> Self::Vector;
    /// The larger of each lane and `floor`; NaN stays NaN.
    fn at_least(self, vector: Self::Vector, floor: Self::Vector) -> Self::Vector;
    /// A bit for each lane that is not within `[low, high]`; NaN is not.
    fn outside(self, vector: Self::Vector, low: E, high: E) -> u16;
    /// `dot / sqrt(square * other_square)` clamped to [-1, 1], never -0, NaN in its one form.
    fn cosine(
        self,
        dots: Self::Vector,
        squares: Self::Vector,
        other_squares: Self::Vector,
    ) -> Self::Vector;

    /// The same vector, computed before anything is loaded that comes later: a wall to the compiler,
    /// where it would move loads and arithmetic.
    fn settle(self, vector: Self::Vector) -> Self::Vector;

    #[inline(always)]
    fn zero(self) -> Self::Vector {
        self.splat(E::ZERO)
    }

    /// Four rows to one vector with four sums of each.
    #[inline(always)]
    fn fold_rows(self, [a, b, c, d]: [Self::Vector; 4]) -> Self::Vector {
        let (a, b) = (self.added(self.halves_8(a, b)), self.added(self.halves_8(c, d)));
        self.added(self.halves_4(a, b))
    }

    /// Four results of `fold_rows` to the sums of their sixteen rows, in order.
    #[inline(always)]
    fn fold_quarters(self, [a, b, c, d]: [Self::Vector; 4]) -> Self::Vector {
        let (a, b) = (self.added(self.halves_2(a, b)), self.added(self.halves_2(c, d)));
        self.in_order(self.added(self.halves_1(a, b)))
    }

    /// The sums of sixteen rows.
    #[inline(always)]
    fn fold(self, rows: [Self::Vector; LANES]) -> Self::Vector {
        let (fours, _) = rows.as_chunks::<4>();
        let [a, b, c, d] = [fours[0], fours[1], fours[2], fours[3]];
        self.fold_quarters([
            self.fold_rows(a),
            self.fold_rows(b),
            self.fold_rows(c),
            self.fold_rows(d),
        ])
    }

    /// The largest lanes of sixteen rows without NaN.
    #[inline(always)]
    fn largest(self, rows: [Self::Vector; LANES]) -> Self::Vector {
        let mut columns = self.turned(rows);
        for half in [8, 4, 2, 1] {
            for column in 0..half {
                columns[column] = self.at_least(columns[column], columns[column + half]);
            }
        }
        columns[0]
    }

    /// The columns of sixteen rows.
    #[inline(always)]
    fn turned(self, mut rows: [Self::Vector; LANES]) -> [Self::Vector; LANES] {
        turn!(self, rows, halves_8, pieces: 1, pairs: 8);
        turn!(self, rows, halves_4, pieces: 2, pairs: 4);
        turn!(self, rows, halves_2, pieces: 4, pairs: 2);
        turn!(self, rows, halves_1, pieces: 8, pairs: 1);
        for row in &mut rows {
            *row = self.in_order(*row);
        }
        rows
    }

    /// The sum of one row's lanes, by the same tree.
    #[inline(always)]
    fn sum(self, row: Self::Vector) -> E {
        let zero = self.zero();
        let quarter = self.fold_rows([row, zero, zero, zero]);
        self.store(self.fold_quarters([quarter, zero, zero, zero]))[0]
    }
}

/// The widening load: elements as they are stored, to lanes as they are computed with.
pub(crate) trait Load<E: Real, Stored>: Lanes<E> {
    fn load(self, elements: &[Stored; LANES]) -> Self::Vector;
    /// Fewer than sixteen elements; the lanes behind them are zero.
    fn load_first(self, elements: &[Stored]) -> Self::Vector;

    /// Whether what is stored are bytes, and they are multiplied as such.
    const MULTIPLIES_BYTES: bool = false;

    /// Sixteen sums each, in no order, of an item's products with a user and of its squares.
    #[inline(always)]
    fn whole_dot_and_square(
        self,
        _user: &[[i16; PAIRS]],
        _item: &[Stored],
    ) -> (Self::Vector, Self::Vector) {
        unreachable!("items of bytes alone are multiplied so")
    }
}
