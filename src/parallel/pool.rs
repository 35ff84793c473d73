//! The pool: threads of our own that lend a hand.
//!
//! A call lends its helpers a closure that borrows from the caller's stack. A helper takes part
//! only if it comes while the loan is open; the caller closes the loan when it has run out of
//! work, waits for the helpers that are inside, and returns. So a call never waits for a helper
//! that is asleep, or busy with another call: many calls share the pool, and a short one is not
//! held up by a long one. A helper that has nothing left to do stays awake for a moment, since calls
//! often come in a row and waking takes longer than a small batch.
//!
//! A forked child inherits the pool's memory but none of its threads, so the pool is kept with the
//! id of its process, and the child builds its own. It is kept in a slot that is read without a
//! lock: a lock could be held by another thread at the moment of the fork, for ever.
#![allow(unsafe_code)] // one place: the loan of a borrowed closure to threads that outlive it

use arc_swap::ArcSwapOption;
use rayon::{ThreadPool, ThreadPoolBuilder, Yield};
use std::any::Any;
use std::cell::Cell;
use std::hint::spin_loop;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// More helpers than this are never of use and might be more than the system allows.
const MOST_HELPERS: usize = 255;
/// How long a caller spins for the last helper before it sleeps: about the time of one block.
const SPINS: usize = 2_000;
/// How many times an idle helper looks for the next call before it sleeps: some 500 µs. Calls that
/// followed each other within that time took 0.6 to 0.75 of the time.
const LOOKS: usize = 1_000;

struct Pool {
    process: u32,
    helpers: usize,
    threads: ThreadPool,
}

static POOL: ArcSwapOption<Pool> = ArcSwapOption::const_empty();

impl Pool {
    /// The pool, started if there is none in this process and grown if it is too small; `None` if
    /// the system gives no threads.
    fn with(helpers: usize) -> Option<Arc<Self>> {
        let process = std::process::id();
        loop {
            let current = POOL.load_full();
            if let Some(pool) = &current
                && pool.process == process
                && pool.helpers >= helpers
            {
                return current;
            }
            let threads = ThreadPoolBuilder::new()
                .num_threads(helpers)
                .thread_name(|index| format!("cosim_rs-{index}"))
                .build()
                .ok()?;
            let new = Arc::new(Self { process, helpers, threads });
            let found = POOL.compare_and_swap(&current, Some(Arc::clone(&new)));
            let ours = match (&*found, &current) {
                (Some(found), Some(current)) => Arc::ptr_eq(found, current),
                (found, current) => found.is_none() && current.is_none(),
            };
            if let Some(inherited) = current.filter(|pool| pool.process != process) {
                // Its threads are not here to be ended.
                std::mem::forget(inherited);
            }
            if ours {
                return Some(new);
            }
        }
    }
}

/// Runs `lead` on the calling thread, and meanwhile `help` on up to `helpers` others.
///
/// A panic in either is passed on when all have left.
pub(super) fn with_help(helpers: usize, help: &(dyn Fn() + Sync), lead: impl FnOnce()) {
    let helpers = helpers.min(MOST_HELPERS);
    let Some(pool) = Pool::with(helpers) else { return lead() };
    // SAFETY: only the lifetime changes. `help` is called only between `Loan::enter` and
    // `Loan::leave`, and `Loan::close`, which `Closing` calls before this function is left in any
    // way, lets nobody in any more and waits for all who are inside.
    let help: &'static (dyn Fn() + Sync) = unsafe { std::mem::transmute(help) };
    let loan = Arc::new(Loan::new(help));
    for _ in 0..helpers {
        let loan = Arc::clone(&loan);
        pool.threads.spawn(move || {
            loan.take_part();
            linger();
        });
    }
    let closing = Closing(&loan);
    lead();
    drop(closing);
    if let Some(panic) = loan.gate().panic.take() {
        resume_unwind(panic);
    }
}

/// Keeps a helper awake for the next call, which it then joins at once. It yields between its looks,
/// so whoever needs the CPU has it.
fn linger() {
    thread_local!(static LINGERS: Cell<bool> = const { Cell::new(false) });
    if LINGERS.replace(true) {
        return; // in a job that was taken on below
    }
    let mut looks = 0;
    while looks < LOOKS {
        if let Some(Yield::Executed) = rayon::yield_now() {
            looks = 0;
        } else {
            looks += 1;
            std::thread::yield_now();
        }
    }
    LINGERS.set(false);
}

/// A closure on loan.
struct Loan {
    help: &'static (dyn Fn() + Sync),
    gate: Mutex<Gate>,
    /// How many are inside; changed only by who holds the gate.
    inside: AtomicUsize,
    last_left: Condvar,
}

struct Gate {
    open: bool,
    panic: Option<Box<dyn Any + Send>>,
}

impl Loan {
    fn new(help: &'static (dyn Fn() + Sync)) -> Self {
        let gate = Mutex::new(Gate { open: true, panic: None });
        Self { help, gate, inside: AtomicUsize::new(0), last_left: Condvar::new() }
    }

    fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_part(&self) {
        if self.enter() {
            let panic = catch_unwind(AssertUnwindSafe(self.help)).err();
            self.leave(panic);
        }
    }

    fn enter(&self) -> bool {
        let gate = self.gate();
        self.inside.fetch_add(usize::from(gate.open), Ordering::Relaxed);
        gate.open
    }

    fn leave(&self, panic: Option<Box<dyn Any + Send>>) {
        let mut gate = self.gate();
        gate.panic = gate.panic.take().or(panic);
        // Release: what the helper did happens before the caller sees it gone.
        if self.inside.fetch_sub(1, Ordering::Release) == 1 {
            self.last_left.notify_one();
        }
    }

    fn close(&self) {
        self.gate().open = false;
        for _ in 0..SPINS {
            if self.inside.load(Ordering::Acquire) == 0 {
                return;
            }
            spin_loop();
        }
        let mut gate = self.gate();
        while self.inside.load(Ordering::Acquire) != 0 {
            gate = self.last_left.wait(gate).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Closes the loan when dropped, so that a panic closes it as well.
struct Closing<'a>(&'a Loan);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}
