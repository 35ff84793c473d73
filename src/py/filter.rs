//! A filter as Python gives it: a tuple of `min_score`, `exclude`, `allow`, `candidates`,
//! `exclude_self`.

use super::array::input;
use crate::search::{Filter, Lists};
use ndarray::Ix1;
use pyo3::prelude::*;

/// Two arrays of 64-bit integers; see [`Lists`].
type GivenLists<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>);

/// The parts in their order; `allow` is an array of bool.
#[derive(FromPyObject)]
pub(super) struct Given<'py>(
    Option<f64>,
    Option<GivenLists<'py>>,
    Option<Bound<'py, PyAny>>,
    Option<GivenLists<'py>>,
    bool,
);

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
        if let Some(allow) = allow {
            let Some(flags) = input::<bool, Ix1>(allow).and_then(|flags| flags.to_slice()) else {
                return Ok(None);
            };
            filter.allow = Some(flags);
        }
        Ok(Some(filter))
    }
}

fn lists<'a>((starts, items): &'a GivenLists<'_>) -> Option<(&'a [i64], &'a [i64])> {
    Some((input::<i64, Ix1>(starts)?.to_slice()?, input::<i64, Ix1>(items)?.to_slice()?))
}
