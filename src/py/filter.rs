//! A filter as Python gives it: a tuple of `min_score`, `exclude`, `allow`, `candidates`,
//! `exclude_self`.

#![allow(unsafe_code)] // a border spot: flags that may be any bytes

use super::array::{elements, input};
use crate::search::{Filter, Lists};
use ndarray::Ix1;
use numpy::{PyArray1, PyArrayMethods};
use pyo3::prelude::*;

/// Two arrays of 64-bit integers; see [`Lists`].
type GivenLists<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>);

/// The parts in their order.
#[derive(FromPyObject)]
pub(super) struct Given<'py>(
    Option<f64>,
    Option<GivenLists<'py>>,
    Option<Flags>,
    Option<GivenLists<'py>>,
    bool,
);

/// An array of bool, as a copy: in NumPy's any byte but zero is true, and others may write to it while it
/// is read.
struct Flags(Vec<bool>);

impl FromPyObject<'_, '_> for Flags {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        let object = object.to_owned();
        let flags = object.cast::<PyArray1<bool>>()?;
        // SAFETY: any byte is a `u8`.
        let bytes = unsafe { elements::<bool, u8, Ix1>(flags.as_untyped()) };
        Ok(Self(bytes.expect("a row of bytes").iter().map(|&byte| byte != 0).collect()))
    }
}

impl Given<'_> {
    /// The filter, if its arrays can be used as they are.
    pub(super) fn filter(&self) -> PyResult<Option<Filter<'_>>> {
        let Self(min_score, exclude, allow, candidates, exclude_self) = self;
        let mut filter =
            Filter { min_score: *min_score, exclude_self: *exclude_self, ..Filter::default() };
        if let Some(given) = exclude {
            let Some((starts, items)) = lists(given) else { return Ok(None) };
            filter.exclude = Some(Lists::new("exclude", starts, items)?);
        }
        if let Some(given) = candidates {
            let Some((starts, items)) = lists(given) else { return Ok(None) };
            filter.candidates = Some(Lists::new("candidates", starts, items)?);
        }
        filter.allow = allow.as_ref().map(|Flags(flags)| flags.as_slice());
        Ok(Some(filter))
    }
}

fn lists<'a>((starts, items): &'a GivenLists<'_>) -> Option<(&'a [i64], &'a [i64])> {
    Some((input::<i64, Ix1>(starts)?.to_slice()?, input::<i64, Ix1>(items)?.to_slice()?))
}
