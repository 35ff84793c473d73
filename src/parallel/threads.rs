//! How many threads a call may use.
//!
//! In this order: the call's own `threads`, [`set_num_threads`], `COSIM_RS_NUM_THREADS`,
//! `RAYON_NUM_THREADS`, and the CPUs that this process may use (its affinity and cgroup). The limits of
//! a Python context are applied before, at the border.

use crate::error::Error;
use std::ffi::OsStr;
use std::num::NonZeroUsize;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Set by `set_num_threads`; 0 is not set.
static SET: AtomicUsize = AtomicUsize::new(0);

/// Sets how many threads calls use that do not say so themselves.
///
/// # Errors
/// [`Error::Threads`] if `threads` is 0.
pub fn set_num_threads(threads: usize) -> Result<(), Error> {
    if threads == 0 {
        return Err(Error::Threads);
    }
    SET.store(threads, Ordering::Relaxed);
    Ok(())
}

/// How many threads calls use that do not say so themselves.
///
/// # Errors
/// [`Error::ThreadsVariable`] if nothing was set and the environment holds no number of threads.
pub fn num_threads() -> Result<usize, Error> {
    match SET.load(Ordering::Relaxed) {
        0 => from_environment(),
        threads => Ok(threads),
    }
}

/// The number of threads of a call.
pub(crate) fn resolve(threads: Option<usize>) -> Result<usize, Error> {
    match threads {
        None => num_threads(),
        Some(0) => Err(Error::Threads),
        Some(threads) => Ok(threads),
    }
}

fn from_environment() -> Result<usize, Error> {
    static THREADS: OnceLock<Result<usize, Error>> = OnceLock::new();
    THREADS
        .get_or_init(|| {
            for name in ["COSIM_RS_NUM_THREADS", "RAYON_NUM_THREADS"] {
                if let Some(threads) = parse(name, std::env::var_os(name).as_deref())? {
                    return Ok(threads);
                }
            }
            Ok(std::thread::available_parallelism().map_or(1, NonZeroUsize::get))
        })
        .clone()
}

/// A variable's number of threads; none if it is not set, empty, or rayon's 0 for "you decide".
fn parse(name: &'static str, value: Option<&OsStr>) -> Result<Option<usize>, Error> {
    let Some(value) = value.filter(|value| !value.is_empty()) else { return Ok(None) };
    match value.to_str().and_then(|value| value.trim().parse().ok()) {
        Some(0) if name == "RAYON_NUM_THREADS" => Ok(None),
        Some(threads) if threads > 0 => Ok(Some(threads)),
        _ => Err(Error::ThreadsVariable { name, got: value.to_string_lossy().into_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_hold_whole_numbers_of_at_least_one() {
        let parse = |name, value: &str| parse(name, Some(value.as_ref()));
        assert_eq!(parse("COSIM_RS_NUM_THREADS", "3"), Ok(Some(3)));
        assert_eq!(parse("COSIM_RS_NUM_THREADS", ""), Ok(None));
        assert_eq!(parse("RAYON_NUM_THREADS", "0"), Ok(None));
        for bad in ["0", "-1", "two", "1.5"] {
            let error = parse("COSIM_RS_NUM_THREADS", bad).unwrap_err().to_string();
            assert!(error.starts_with("COSIM_RS_NUM_THREADS: got "), "{error}");
        }
    }
}
