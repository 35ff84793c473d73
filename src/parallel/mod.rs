//! Work shared between threads: blocks of output, taken one by one.
//!
//! The calling thread starts on the blocks at once and helpers from the pool join it, each taking
//! the next block when it is done with the last; so no thread waits for a slow one, and a helper
//! that wakes late costs nothing. No score depends on who computes it. Between blocks the calling
//! thread asks now and then whether it should stop, and the helpers read the answer from one flag.

mod pool;
mod threads;

pub(crate) use threads::resolve;
pub use threads::{num_threads, set_num_threads};

use crate::error::Error;
use crate::kernel::float_mode::DefaultMode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Below this many bytes of input, waking a helper costs more than it saves.
pub(crate) const SMALL_WORK: usize = 1 << 20;
/// How often the calling thread asks whether to stop.
const POLL_EVERY: Duration = Duration::from_millis(50);

/// Does `work` on each of the `count` blocks, on the calling thread and up to `threads - 1` others.
///
/// The calling thread is in the default floating-point mode already; the helpers enter it here.
///
/// # Errors
/// [`Error::Interrupted`] if `interrupted` said so; blocks not begun by then are left alone.
pub(crate) fn for_each<B>(
    blocks: B,
    count: usize,
    threads: usize,
    interrupted: &dyn Fn() -> bool,
    work: impl Fn(B::Item) + Sync,
) -> Result<(), Error>
where
    B: Iterator + Send,
{
    let queue = Mutex::new(blocks);
    let stop = AtomicBool::new(false);
    let next = || {
        if stop.load(Ordering::Relaxed) {
            return None;
        }
        queue.lock().unwrap_or_else(PoisonError::into_inner).next()
    };
    let help = || {
        let _mode = DefaultMode::enter();
        let _stop = StopOnPanic(&stop);
        while let Some(block) = next() {
            work(block);
        }
    };
    let mut was_interrupted = false;
    let mut lead = || {
        let _stop = StopOnPanic(&stop);
        let mut polled = (count > 1).then(Instant::now);
        while let Some(block) = next() {
            work(block);
            if let Some(last) = &mut polled
                && last.elapsed() >= POLL_EVERY
            {
                was_interrupted = interrupted();
                stop.fetch_or(was_interrupted, Ordering::Relaxed);
                *last = Instant::now();
            }
        }
    };
    match threads.min(count).saturating_sub(1) {
        0 => lead(),
        helpers => pool::with_help(helpers, &help, lead),
    }
    if was_interrupted { Err(Error::Interrupted) } else { Ok(()) }
}

/// A panic on one thread ends the work of all.
struct StopOnPanic<'a>(&'a AtomicBool);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    #[test]
    fn each_block_is_done_once_by_any_number_of_threads() {
        for threads in 1..=8 {
            let done: Vec<_> = (0..1000).map(|_| AtomicUsize::new(0)).collect();
            let work = |block: usize| {
                done[block].fetch_add(1, Ordering::Relaxed);
            };
            for_each(0..1000, 1000, threads, &|| false, work).unwrap();
            assert!(done.iter().all(|times| times.load(Ordering::Relaxed) == 1));
        }
    }

    #[test]
    fn an_interrupt_leaves_the_rest_undone() {
        for threads in [1, 4] {
            let done = AtomicUsize::new(0);
            let work = |_| {
                std::thread::sleep(Duration::from_millis(10));
                done.fetch_add(1, Ordering::Relaxed);
            };
            let result = for_each(0..1000, 1000, threads, &|| true, work);
            assert_eq!(result, Err(Error::Interrupted));
            assert!(done.load(Ordering::Relaxed) < 500);
        }
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_pool_survives_it() {
        for threads in [1, 4] {
            let work = |block: usize| assert!(block != 50, "block {block}");
            let panic =
                std::panic::catch_unwind(|| for_each(0..100, 100, threads, &|| false, work))
                    .unwrap_err();
            assert_eq!(panic.downcast_ref::<String>().unwrap(), "block 50");
            for_each(0..100, 100, threads, &|| false, |_| ()).unwrap();
        }
    }

    #[test]
    fn a_panic_on_a_helper_reaches_the_caller() {
        let caller = std::thread::current().id();
        let work = |_| {
            std::thread::sleep(Duration::from_millis(1));
            assert!(std::thread::current().id() == caller, "on a helper");
        };
        let panic = std::panic::catch_unwind(|| for_each(0..5000, 5000, 4, &|| false, work));
        assert_eq!(*panic.unwrap_err().downcast_ref::<&str>().unwrap(), "on a helper");
    }
}
