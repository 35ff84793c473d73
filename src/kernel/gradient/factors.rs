//! What rows are multiplied by, sixteen at a time; see [`super`].

// As in `tile`: loops over registers go by index.
#![allow(clippy::needless_range_loop)]

use super::super::lanes::{LANES, Load};
use super::super::range::{Floor, out_of_range, places};
use super::super::real::Real;
use super::step::load;

/// Weights up to this are multiplied in range; 2³⁰.
const MOST_WEIGHT: f32 = 1_073_741_824.0;

/// A user in range.
pub(super) struct Side<E> {
    /// At least epsilon's.
    pub(super) square: E,
    /// Whether it is epsilon's.
    pub(super) is_raised: bool,
}

impl<E: Real> Side<E> {
    /// Nothing if the user is out of range.
    pub(super) fn new(square: E, floor: Floor<E>) -> Option<Self> {
        let is_raised = square < floor.square;
        let square = if is_raised { floor.square } else { square };
        let is_safe = E::SAFE_SQUARES.0 <= square && square <= E::SAFE_SQUARES.1;
        is_safe.then_some(Self { square, is_raised })
    }
}

/// The two factors of each of sixteen rows.
pub(super) struct Factors<E> {
    across: [E; LANES],
    along: [E; LANES],
    /// A bit for each row that has none.
    outside: u16,
}

impl<E: Real> Factors<E> {
    /// From the rows' dot products and squares; each row's g · s is added to its lane of `scores`.
    #[inline(always)]
    pub(super) fn new<L: Load<E, E>>(
        lanes: L,
        user: &Side<E>,
        (dots, squares): (L::Vector, L::Vector),
        weights: &[E],
        floor: Floor<E>,
        scores: &mut [E; LANES],
    ) -> Self {
        let count = weights.len();
        let weights = load(lanes, weights);
        let raised = lanes.at_least(squares, lanes.splat(floor.square));
        let most = E::from_f32(MOST_WEIGHT);
        let outside = out_of_range(lanes, raised, count) | lanes.outside(weights, -most, most);
        let (dots, squares) = (lanes.store(dots), lanes.store(squares));
        let (raised, mut across) = (lanes.store(raised), lanes.store(weights));
        let (mut along, mut terms) = ([E::ZERO; LANES], [E::ZERO; LANES]);
        for lane in 0..LANES {
            across[lane] = across[lane] / (user.square * raised[lane]).square_root();
            terms[lane] = across[lane] * dots[lane];
            let number = -terms[lane] / raised[lane];
            along[lane] = if squares[lane] < floor.square { E::ZERO } else { number };
        }
        for place in places(outside | !(u16::MAX >> (LANES - count))) {
            terms[place] = E::ZERO;
        }
        for lane in 0..LANES {
            scores[lane] = scores[lane] + terms[lane];
        }
        Self { across, along, outside }
    }

    /// Whether there are factors for `ROWS` rows from this place on.
    #[inline(always)]
    pub(super) fn are_for<const ROWS: usize>(&self, place: usize, count: usize) -> bool {
        let rows = u16::MAX >> (LANES - ROWS);
        place + ROWS <= count && self.outside >> place & rows == 0
    }

    /// Those of `ROWS` rows from a place on: across, along.
    #[inline(always)]
    pub(super) fn of<L: Load<E, E>, const ROWS: usize>(
        &self,
        lanes: L,
        place: usize,
    ) -> [(L::Vector, L::Vector); ROWS] {
        let mut factors = [(lanes.zero(), lanes.zero()); ROWS];
        for row in 0..ROWS {
            let (across, along) = (self.across[place + row], self.along[place + row]);
            factors[row] = (lanes.splat(across), lanes.splat(along));
        }
        factors
    }
}
