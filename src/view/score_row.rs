//! Where scores go, a row at a time.

use ndarray::ArrayViewMut1;

/// Where one row's scores go: consecutive, or at a stride.
pub(crate) enum ScoreRow<'a, E> {
    Slice(&'a mut [E]),
    Strided(ArrayViewMut1<'a, E>),
}

impl<'a, E: Copy> ScoreRow<'a, E> {
    pub(crate) fn new(view: ArrayViewMut1<'a, E>) -> Self {
        match view.stride_of(ndarray::Axis(0)) {
            1 => Self::Slice(view.into_slice().expect("stride 1 is a slice")),
            _ => Self::Strided(view),
        }
    }

    /// Writes the first `count` of a group of scores from place `first` on.
    #[inline(always)]
    pub(crate) fn write<const GROUP: usize>(
        &mut self,
        first: usize,
        scores: &[E; GROUP],
        count: usize,
    ) {
        match self {
            // A copy of known length is one store, any other a call.
            Self::Slice(row) if count == GROUP => {
                row[first..first + GROUP].copy_from_slice(scores);
            }
            Self::Slice(row) => row[first..first + count].copy_from_slice(&scores[..count]),
            Self::Strided(row) => write_strided(row, first, &scores[..count]),
        }
    }
}

#[cold]
fn write_strided<E: Copy>(row: &mut ArrayViewMut1<'_, E>, first: usize, scores: &[E]) {
    for (place, &score) in scores.iter().enumerate() {
        row[first + place] = score;
    }
}
