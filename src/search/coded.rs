//! Rows made codes: a catalogue's items in parallel, once; users, and the items of one search, as
//! they come.

use super::bound::UserBound;
use crate::kernel::Kernels;
use crate::kernel::quantise::{Quantised, Scales, ZERO_CODE};
use crate::kernel::range::Floor;
use crate::kernel::real::Real;
use crate::kernel::scan::GROUP;
use crate::kernel::scan::codes::{NOT_FOUND, lines_for};
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
            to.interleave(first / GROUP, codes);
            let (scales, errors) = (&mut to.scales[first..], &mut to.errors[first..]);
            for place in 0..GROUP {
                let (scale, error) = match quantised.get(place) {
                    Some(item) if !item.error.is_nan() => (item.scale, item.error),
                    _ => (0.0, NOT_FOUND),
                };
                (scales[place], errors[place]) = (scale, error);
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
        let bytes_per_row = 4 * lines_for(users.dim());
        self.each_sixteen(users, Scales::Own(most_code), |_, codes, quantised| {
            for (row, &user) in quantised.iter().enumerate() {
                coded.push(&codes[row * bytes_per_row..][..users.dim()]);
                bounds.push(UserBound::new::<E>(user, users.dim()));
            }
        });
        (coded, bounds)
    }

    /// Gives the codes of sixteen rows after sixteen, in whole lines of four bytes.
    pub(super) fn each_sixteen(
        &self,
        rows: Rows<'_, E>,
        scales: Scales,
        mut take: impl FnMut(usize, &[u8], &[Quantised]),
    ) {
        let mut codes = vec![ZERO_CODE; GROUP * 4 * lines_for(rows.dim())];
        let mut quantised = [Quantised { scale: 0.0, error: f32::NAN }; GROUP];
        for first in (0..rows.count()).step_by(GROUP) {
            let count = GROUP.min(rows.count() - first);
            let codes = &mut codes[..count * 4 * lines_for(rows.dim())];
            let rows = rows.range(first..first + count);
            self.kernels.quantise(rows, self.floor, scales, codes, &mut quantised);
            take(first, codes, &quantised[..count]);
        }
    }
}
