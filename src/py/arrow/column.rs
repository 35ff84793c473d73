//! A column's numbers and their shape: down from the lists to what they hold.
//!
//! Lists of one length lie one after the other in a flat column of numbers. So the length of each
//! level is kept, and the flat numbers are shaped once. Where a level begins follows from the one
//! above: a slice is a start and a length at the top, and what lies below still begins at its own
//! beginning.

use super::kind::{Kind, Numbers};
use super::level::Level;
use super::refusal::Refusal;
use std::ffi::c_void;

/// No array of NumPy's has more axes, and a hostile type may be its own child.
const MOST_AXES: usize = 64;

/// What a column holds.
pub(super) struct Column {
    /// The lengths of the axes as they lie in memory, the last one side by side.
    pub(super) shape: Vec<usize>,
    /// Which of these axes are to be seen, in turn; None if they are as they lie.
    pub(super) axes: Option<Vec<usize>>,
    pub(super) values: Values,
}

pub(super) enum Values {
    /// Where they lie; null if there are none.
    Numbers(Numbers, *const c_void),
    Flags(Vec<bool>),
}

/// Goes down from the top; None if anything but numbers and flags is at the bottom.
pub(super) fn read(mut level: Level<'_>) -> Result<Option<Column>, Refusal> {
    let (mut shape, mut axes) = (Vec::with_capacity(4), None);
    shape.push(level.count);
    while shape.len() <= MOST_AXES {
        let kind = level.of.kind()?;
        refuse_nulls(&level, &kind, &shape)?;
        let (first, length) = match kind {
            Kind::Fixed(length) => (level.first.checked_mul(length), length),
            Kind::Tensors(ref tensor) => (level.first.checked_mul(tensor.size), tensor.size),
            Kind::Lists { is_large } => common_length(&level, is_large, &shape)?,
            _ => {
                let axes = axes.map(|axes| seen(axes, shape.len(), &[]));
                return Ok(values(&level, &kind)?.map(|values| Column { shape, axes, values }));
            }
        };
        let count = level.count.checked_mul(length).ok_or(Refusal::TOO_LARGE)?;
        level = level.child(first.ok_or(Refusal::TOO_LARGE)?, count)?;
        if let Kind::Tensors(tensor) = kind {
            if let Some(permutation) = tensor.permutation {
                axes = Some(seen(axes.unwrap_or_default(), shape.len(), &permutation));
            }
            shape.extend(tensor.shape);
        } else {
            shape.push(length);
        }
    }
    Err(Refusal::Broken("lists in more lists than an array has axes"))
}

/// The axes that are seen up to the inner ones, and those in their own order.
fn seen(mut axes: Vec<usize>, outer: usize, inner: &[usize]) -> Vec<usize> {
    axes.extend(axes.len()..outer);
    axes.extend(inner.iter().map(|axis| outer + axis));
    axes
}

/// What is at the bottom.
fn values(level: &Level<'_>, kind: &Kind) -> Result<Option<Values>, Refusal> {
    Ok(match *kind {
        Kind::Numbers(numbers) => Some(Values::Numbers(numbers, level.numbers(numbers.width)?)),
        Kind::Flags => Some(Values::Flags(level.flags()?)),
        Kind::Nulls => Some(Values::Numbers(Numbers::of::<f64>(), std::ptr::null())),
        _ => None,
    })
}

fn refuse_nulls(level: &Level<'_>, kind: &Kind, shape: &[usize]) -> Result<(), Refusal> {
    let null = match kind {
        Kind::Nulls => (level.count > 0).then_some(0),
        kind if kind.marks_nulls() => level.first_null()?,
        _ => None,
    };
    null.map_or(Ok(()), |place| Err(Refusal::Null(row(place, shape))))
}

/// The row in which this one of a level's elements is.
fn row(place: usize, shape: &[usize]) -> usize {
    place / shape[1..].iter().product::<usize>()
}

/// Where all the lists of a level begin, and the length that each has.
fn common_length(
    level: &Level<'_>,
    is_large: bool,
    shape: &[usize],
) -> Result<(Option<usize>, usize), Refusal> {
    if level.count == 0 {
        return Ok((Some(0), 0));
    }
    if is_large {
        let offsets = level.offsets()?.iter();
        common(offsets.map(|&offset| i64::from_ne_bytes(offset)), shape)
    } else {
        let offsets = level.offsets()?.iter();
        common(offsets.map(|&offset| i32::from_ne_bytes(offset).into()), shape)
    }
}

fn common(
    offsets: impl Iterator<Item = i64> + Clone,
    shape: &[usize],
) -> Result<(Option<usize>, usize), Refusal> {
    let whole = |number: Option<i64>| {
        let number = number.and_then(|number| usize::try_from(number).ok());
        number.ok_or(Refusal::Broken("lists that end before they begin"))
    };
    let start = whole(offsets.clone().next())?;
    let pairs = offsets.clone().zip(offsets.skip(1));
    let mut lengths = pairs.map(|(start, end)| end.wrapping_sub(start));
    let length = lengths.next();
    let wanted = whole(length)?;
    match lengths.enumerate().find(|&(_, other)| Some(other) != length) {
        None => Ok((Some(start), wanted)),
        Some((before, other)) => Err(Refusal::Ragged {
            row: row(before + 1, shape),
            got: vec![whole(Some(other))?],
            wanted: vec![wanted],
        }),
    }
}
