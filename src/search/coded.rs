//! Rows made codes: a catalogue's items in parallel, once; users, and the items of one search, as
//! they come.

use super::bound::UserBound;
use crate::kernel::Kernels;
use crate::kernel::quantise::{Quantised, Scales, ZERO_CODE};
use crate::kernel::range::Floor;
use crate::kernel::real::Real;
use crate::kernel::scan::GROUP;
use crate::kernel::scan::codes::{LINE, Line, NOT_FOUND};
use crate::kernel::scan::fill::BlocksToFill;
use crate::kernel::scan::users::UserCodes;
use crate::score::Call;
use crate::view::Rows;

/// Makes codes of rows.
#[derive(Clone, Copy)]
pub(super) struct Quantiser<E: Clone + 'static> {
    pub(super) kernels: &'static Kernels<E>,
    pub(super) floor: Floor<E>,
}

impl<E: Real> Quantiser<E> {
    pub(super) fn new(call: &Call<'_, E>) -> Self {
        Self { kernels: call.kernels, floor: call.floor }
    }

    /// Fills blocks with the codes of `items`; what they have room for beyond these is never found.
    pub(super) fn fill(&self, items: Rows<'_, E>, to: &mut BlocksToFill<'_>) {
        self.each_sixteen(items, Scales::Shared, |first, codes, quantised| {
            self.kernels.interleave(codes, to.block(first / GROUP));
            let places = to.scales[first..].iter_mut().zip(&mut to.errors[first..]);
            let fill = Quantised { scale: 0.0, error: NOT_FOUND };
            let all = quantised.iter().chain(std::iter::repeat(&fill)).take(GROUP);
            for ((scale, error), item) in places.zip(all) {
                let found = !item.error.is_nan();
                *scale = if found { item.scale } else { 0.0 };
                *error = if found { item.error } else { NOT_FOUND };
            }
        });
        to.outline();
    }

    /// All users' codes, within ±`most_code`, and bounds.
    pub(super) fn users(
        &self,
        users: Rows<'_, E>,
        most_code: i8,
    ) -> (UserCodes, Vec<Option<UserBound>>) {
        let mut coded = UserCodes::new(users.count(), users.dim());
        let mut bounds = Vec::new();
        self.each_sixteen(users, Scales::Own(most_code), |_, codes, quantised| {
            let rows = codes.chunks(codes.len() / GROUP);
            for (codes, &user) in rows.zip(quantised) {
                coded.push(&codes.as_flattened()[..users.dim()]);
                bounds.push(UserBound::new::<E>(user, users.dim()));
            }
        });
        (coded, bounds)
    }

    /// Gives the codes of sixteen rows after sixteen, each filled up to lines; of fewer, those of the
    /// rest are zeros.
    pub(super) fn each_sixteen(
        &self,
        rows: Rows<'_, E>,
        scales: Scales,
        mut take: impl FnMut(usize, &[Line], &[Quantised]),
    ) {
        let lines_per_row = rows.dim().div_ceil(LINE).max(1);
        let mut codes = vec![[ZERO_CODE; LINE]; GROUP * lines_per_row];
        let mut quantised = [Quantised { scale: 0.0, error: f32::NAN }; GROUP];
        for first in (0..rows.count()).step_by(GROUP) {
            let count = GROUP.min(rows.count() - first);
            codes[count * lines_per_row..].fill([0; LINE]);
            let bytes = codes.as_flattened_mut();
            self.kernels.quantise(rows, first, self.floor, scales, bytes, &mut quantised);
            take(first, &codes, &quantised[..count]);
        }
    }
}
