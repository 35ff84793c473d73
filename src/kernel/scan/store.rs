//! Numbers that are our own, or that lie in memory which somebody else keeps: a file that is mapped.

use std::ops::Deref;
use std::sync::Arc;

/// Numbers that somebody else keeps where they are, for as long as this lives.
pub type Shared<T> = Arc<dyn AsRef<[T]> + Send + Sync>;

/// Either; to be read, they are the same.
pub(crate) enum Store<T> {
    Own(Vec<T>),
    Shared(Shared<T>),
}

impl<T> Store<T> {
    /// Our own, to be filled.
    pub(crate) fn own(&mut self) -> &mut [T] {
        match self {
            Self::Own(numbers) => numbers,
            Self::Shared(_) => unreachable!("what is shared was filled before"),
        }
    }

    /// The bytes of what is our own.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Own(numbers) => size_of_val(numbers.as_slice()),
            Self::Shared(_) => 0,
        }
    }
}

impl<T> Deref for Store<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Self::Own(numbers) => numbers,
            Self::Shared(numbers) => (**numbers).as_ref(),
        }
    }
}
