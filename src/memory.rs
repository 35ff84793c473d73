//! Memory, asked for before it is taken: an allocation that fails ends the process, and what asks for too
//! much should be told so.

use crate::error::Error;
use std::hint::black_box;

/// Whether the system would give so many bytes `for_what` now. As ever it may promise more than it has.
///
/// # Errors
/// [`Error::Memory`] if it would not.
pub(crate) fn ask_for(bytes: usize, for_what: &'static str) -> Result<(), Error> {
    /// Less is hardly ever refused; and glibc, which learns from what is given back, learns from no more.
    const LARGE: usize = 64 << 20;
    let mut room = Vec::<u8>::new();
    let is_given = bytes < LARGE || room.try_reserve_exact(bytes).is_ok();
    // Or the compiler leaves out what nobody uses.
    black_box(&room);
    if is_given { Ok(()) } else { Err(Error::Memory { bytes, for_what }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_given_is_an_error() {
        assert_eq!(ask_for(100 << 20, "it"), Ok(()));
        for bytes in [1 << 60, usize::MAX] {
            let error = ask_for(bytes, "it").unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("memory: got none for it, expected {bytes} bytes")
            );
        }
    }
}
