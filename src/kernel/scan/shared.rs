//! Codes that were made before and are handed over where they lie.
//!
//! They may come from anywhere, so all is checked on which it rests that a scan ends well. Nothing
//! rests on the lines: any bytes are codes, and codes that are not the items' find the wrong ones.
//! Scales and errors must be such as unit vectors have. Then no bound is infinite or NaN; and behind the
//! last item there is none to be found.

use super::GROUP;
use super::codes::{LINE, NOT_FOUND, TILE_LINES, lines_for};
use super::store::Shared;
use crate::error::Error;
use crate::score::check_shape;

/// Lines and those of a tile behind them, scales, and residuals; see [`super::codes`].
pub(crate) struct SharedCodes {
    pub(crate) lines: Shared<u8>,
    pub(crate) scales: Shared<f32>,
    pub(crate) residuals: Shared<f32>,
}

impl SharedCodes {
    /// Whether they can be codes of so many items of so many elements.
    pub(super) fn check(&self, count: usize, dim: usize) -> Result<(), Error> {
        let (lines, scales, errors) =
            ((*self.lines).as_ref(), (*self.scales).as_ref(), (*self.residuals).as_ref());
        let blocks = count.div_ceil(GROUP);
        let bytes = blocks.saturating_mul(lines_for(dim)).saturating_add(TILE_LINES);
        check_shape("lines", &[lines.len()], &[bytes.saturating_mul(LINE)])?;
        check_shape("scales", &[scales.len()], &[blocks * GROUP])?;
        check_shape("residuals", &[errors.len()], &[blocks * GROUP])?;
        let (items, beyond) = errors.split_at(count);
        let is_norm = |error| error == NOT_FOUND || is_of_unit(error);
        check_each("scales", scales, is_of_unit, "0 to 1")?;
        check_each("residuals", items, is_norm, "0 to 1, or -inf for an item without scores")?;
        check_each("residuals", beyond, |error| error == NOT_FOUND, "-inf behind the last item")
    }
}

/// Whether it may be what a code of a unit vector stands for, or the norm of what its codes leave out.
fn is_of_unit(number: f32) -> bool {
    (0.0..=1.0).contains(&number)
}

/// Looks at all of them before it tells which is wrong: millions are looked at while a file is opened.
fn check_each(
    name: &'static str,
    numbers: &[f32],
    is_right: impl Fn(f32) -> bool,
    expected: &'static str,
) -> Result<(), Error> {
    if numbers.iter().fold(true, |right, &number| right & is_right(number)) {
        return Ok(());
    }
    let place = numbers.iter().position(|&number| !is_right(number)).unwrap_or_default();
    Err(Error::Codes { name, place, got: numbers[place].to_string(), expected })
}
