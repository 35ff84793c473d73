//! What this machine can do at best, measured beside the benchmarks that are compared with it.
//!
//! Two limits bound cosine scores. One pass over many candidates is bound by *reading* them: the
//! sum of a large buffer, with loads as wide as the machine has, shows how fast memory gives. The
//! full matrix is bound by *fused multiply-adds*: chains of them that never touch memory, enough
//! side by side to keep every port busy through the latency of one, show how many there can be.
//!
//! Clocks and neighbours change from one second to the next, so a limit has to be measured
//! between the things it limits. With a number of threads as argument this program is therefore a
//! co-process: each line on standard input names limits (`float32`, `float64`, `read`; an empty
//! line means all) and is answered by one line of JSON, until the input ends. Without a number it
//! measures everything once.

#![allow(unsafe_code)]

use std::alloc::{self, Layout};
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::slice;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

/// Short enough to fit between two samples of a benchmark, long enough to reach full clocks.
const BURST: Duration = Duration::from_millis(20);
/// The best of these counts, as a limit is what nothing else got in the way of.
const ATTEMPTS: usize = 5;
/// Far larger than any last-level cache share, so that the sum comes from memory.
const BUFFER_BYTES: usize = 256 << 20;
const FLOATS: usize = BUFFER_BYTES / size_of::<f32>();
const HUGE_PAGE: usize = 2 << 20;
/// Independent chains. Latency 4 on two ports needs 8; 12 leave slack and, with their two
/// operands, still fit the 16 registers of AVX2.
const CHAINS: usize = 12;
/// Sums kept side by side while reading, so that no load waits for an addition.
const SUMS: usize = 8;

fn main() -> io::Result<()> {
    let threads = std::env::args().skip(1).find_map(|argument| argument.parse().ok());
    let Some(threads) = threads else {
        let threads = thread::available_parallelism()?.get();
        println!("{}", Limits::new(threads).answer(""));
        return Ok(());
    };
    let mut limits = Limits::new(threads);
    let mut answers = io::stdout().lock();
    for request in io::stdin().lines() {
        writeln!(answers, "{}", limits.answer(&request?))?;
        answers.flush()?;
    }
    Ok(())
}

/// The instructions in use, and what they have been asked to fill.
struct Limits {
    threads: usize,
    kernels: Kernels,
    buffer: Option<Buffer>,
}

impl Limits {
    fn new(threads: usize) -> Self {
        Self { threads: threads.max(1), kernels: Kernels::detect(), buffer: None }
    }

    /// One line of JSON for the limits that a request names.
    fn answer(&mut self, request: &str) -> String {
        let named = |name: &str| request.trim().is_empty() || request.contains(name);
        let mut answer = format!(
            r#"{{"instructions": "{}", "threads": {}"#,
            self.kernels.instructions, self.threads
        );
        let mut add = |name: &str, value: f64| {
            write!(answer, r#", "{name}": {value:.3}"#).expect("a string takes any text");
        };
        if named("float32") {
            add("float32_gflops", self.giga_flops(self.kernels.float32));
        }
        if named("float64") {
            add("float64_gflops", self.giga_flops(self.kernels.float64));
        }
        if named("read") {
            add("read_gbytes", self.giga_bytes());
        }
        answer + "}"
    }

    /// Fused multiply-adds a second on all threads, each counted as two operations, in 10⁹.
    fn giga_flops(&self, chains: Chains) -> f64 {
        const TRIAL: u32 = 100_000;
        let trial = seconds(1, |_| (chains.run)(TRIAL)).max(1e-9);
        let bursts = (BURST.as_secs_f64() / trial).ceil();
        // At most 20 ms over a trial of some microseconds: far below the largest u32.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let repeats = bursts as u32;
        let fastest =
            best(|| seconds(self.threads, |_| (0..repeats).for_each(|_| (chains.run)(TRIAL))));
        let rounds = f64::from(repeats) * f64::from(TRIAL) * as_float(self.threads);
        2.0 * as_float(CHAINS * chains.lanes) * rounds / fastest / 1e9
    }

    /// Bytes read a second by all threads, each from its own part of the buffer, in 10⁹.
    fn giga_bytes(&mut self) -> f64 {
        let threads = self.threads;
        let read = self.kernels.read;
        let floats = self.buffer.get_or_insert_with(|| Buffer::touched_by(threads)).floats();
        let part = floats.len().div_ceil(threads);
        let fastest = best(|| {
            seconds(threads, |thread| {
                let start = (thread * part).min(floats.len());
                read(&floats[start..(start + part).min(floats.len())]);
            })
        });
        as_float(size_of_val(floats)) / fastest / 1e9
    }
}

fn best(attempt: impl FnMut() -> f64) -> f64 {
    std::iter::repeat_with(attempt).take(ATTEMPTS).fold(f64::INFINITY, f64::min)
}

/// Seconds from the first thread's start to the last one's end; starting them is not counted.
fn seconds(threads: usize, work: impl Fn(usize) + Sync) -> f64 {
    let (barrier, work) = (&Barrier::new(threads), &work);
    let span = |thread| {
        barrier.wait();
        let start = Instant::now();
        work(thread);
        (start, Instant::now())
    };
    let spans: Vec<(Instant, Instant)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|own| scope.spawn(move || span(own))).collect();
        workers.into_iter().map(|worker| worker.join().expect("no burst panics")).collect()
    });
    let start = spans.iter().map(|span| span.0).min().expect("at least one thread");
    let end = spans.iter().map(|span| span.1).max().expect("at least one thread");
    (end - start).as_secs_f64()
}

/// Counts here stay far below 2⁵³.
#[allow(clippy::cast_precision_loss)]
fn as_float(count: usize) -> f64 {
    count as f64
}

/// A large buffer on huge pages where the system grants them, as `NumPy`'s arrays are.
struct Buffer {
    start: *mut f32,
}

impl Buffer {
    const LAYOUT: Layout = match Layout::from_size_align(BUFFER_BYTES, HUGE_PAGE) {
        Ok(layout) => layout,
        Err(_) => panic!("a power of two is a valid alignment"),
    };

    /// Every page is first written by the thread that will read it.
    fn touched_by(threads: usize) -> Self {
        // SAFETY: the layout's size is not zero.
        let start = unsafe { alloc::alloc_zeroed(Self::LAYOUT) };
        if start.is_null() {
            alloc::handle_alloc_error(Self::LAYOUT);
        }
        prefer_huge_pages(start);
        let buffer = Self { start: start.cast() };
        // SAFETY: the allocation is ours alone, of this length, and zeros are valid floats.
        let floats = unsafe { slice::from_raw_parts_mut(buffer.start, FLOATS) };
        thread::scope(|scope| {
            for part in floats.chunks_mut(FLOATS.div_ceil(threads)) {
                scope.spawn(move || part.fill(1.0));
            }
        });
        buffer
    }

    fn floats(&self) -> &[f32] {
        // SAFETY: allocated with this length, filled with floats, and shared only for reading.
        unsafe { slice::from_raw_parts(self.start, FLOATS) }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: allocated with this very layout, and nothing borrows it any more.
        unsafe { alloc::dealloc(self.start.cast(), Self::LAYOUT) }
    }
}

#[cfg(target_os = "linux")]
fn prefer_huge_pages(start: *mut u8) {
    unsafe extern "C" {
        fn madvise(start: *mut u8, length: usize, advice: i32) -> i32;
    }
    const MADV_HUGEPAGE: i32 = 14;
    // SAFETY: the range is one aligned allocation of ours; the advice never changes its content,
    // and a system that cannot follow it says so in a result that does not matter here.
    unsafe { madvise(start, BUFFER_BYTES, MADV_HUGEPAGE) };
}

#[cfg(not(target_os = "linux"))]
fn prefer_huge_pages(_start: *mut u8) {}

/// Rounds of one fused multiply-add on every chain, and the lanes that each of them has.
#[derive(Clone, Copy)]
struct Chains {
    lanes: usize,
    run: fn(u32),
}

/// One of `wide`'s functions as a plain one, for the branch that has found its instructions.
#[cfg(target_arch = "x86_64")]
macro_rules! found {
    ($name:ident) => {
        |argument| {
            // SAFETY: the branch has just detected the instructions that it is compiled for.
            unsafe { wide::$name(argument) }
        }
    };
}

/// The widest instructions that this machine has.
struct Kernels {
    instructions: &'static str,
    float32: Chains,
    float64: Chains,
    read: fn(&[f32]),
}

impl Kernels {
    fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f") {
                return Self {
                    instructions: "avx512",
                    float32: Chains { lanes: 16, run: found!(f32x16) },
                    float64: Chains { lanes: 8, run: found!(f64x8) },
                    read: found!(read_f32x16),
                };
            }
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                return Self {
                    instructions: "avx2",
                    float32: Chains { lanes: 8, run: found!(f32x8) },
                    float64: Chains { lanes: 4, run: found!(f64x4) },
                    read: found!(read_f32x8),
                };
            }
        }
        Self {
            instructions: "portable",
            float32: Chains { lanes: 4, run: portable::f32x4 },
            float64: Chains { lanes: 2, run: portable::f64x2 },
            read: portable::read_f32x4,
        }
    }
}

/// The chains. They start at different values, or the compiler would see that they are one; the
/// factor and the addend lead each towards 1, where no number is subnormal or slow.
macro_rules! chains {
    ($(#[$feature:meta])? $name:ident, $broadcast:expr, $fused:expr) => {
        $(#[$feature])?
        pub(crate) fn $name(rounds: u32) {
            let (factor, addend) = ($broadcast(black_box(0.75)), $broadcast(black_box(0.25)));
            let mut start = 0.0;
            let mut chains = [(); CHAINS].map(|()| {
                start += 1.0;
                $broadcast(start)
            });
            for _ in 0..rounds {
                for chain in &mut chains {
                    *chain = $fused(*chain, factor, addend);
                }
            }
            black_box(chains);
        }
    };
}

/// The sum of a slice, a few floats at its end left out.
macro_rules! read {
    ($(#[$feature:meta])? $name:ident, $lanes:literal, $zero:expr, $add:expr, $load:expr) => {
        $(#[$feature])?
        pub(crate) fn $name(floats: &[f32]) {
            let mut sums = [$zero; SUMS];
            for block in floats.chunks_exact(SUMS * $lanes) {
                for (index, sum) in sums.iter_mut().enumerate() {
                    // SAFETY: a block has `SUMS` groups of lanes, and the index is below `SUMS`.
                    *sum = $add(*sum, unsafe { $load(block.as_ptr().add(index * $lanes)) });
                }
            }
            black_box(sums);
        }
    };
}

#[cfg(target_arch = "x86_64")]
mod wide {
    use std::arch::x86_64::{
        _mm256_add_ps, _mm256_fmadd_pd, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_set1_pd,
        _mm256_set1_ps, _mm256_setzero_ps, _mm512_add_ps, _mm512_fmadd_pd, _mm512_fmadd_ps,
        _mm512_loadu_ps, _mm512_set1_pd, _mm512_set1_ps, _mm512_setzero_ps,
    };
    use std::hint::black_box;

    use super::{CHAINS, SUMS};

    chains!(
        #[target_feature(enable = "avx512f")]
        f32x16,
        _mm512_set1_ps,
        _mm512_fmadd_ps
    );
    chains!(
        #[target_feature(enable = "avx512f")]
        f64x8,
        _mm512_set1_pd,
        _mm512_fmadd_pd
    );
    chains!(
        #[target_feature(enable = "avx2,fma")]
        f32x8,
        _mm256_set1_ps,
        _mm256_fmadd_ps
    );
    chains!(
        #[target_feature(enable = "avx2,fma")]
        f64x4,
        _mm256_set1_pd,
        _mm256_fmadd_pd
    );

    read!(
        #[target_feature(enable = "avx512f")]
        read_f32x16,
        16,
        _mm512_setzero_ps(),
        _mm512_add_ps,
        _mm512_loadu_ps
    );
    read!(
        #[target_feature(enable = "avx2")]
        read_f32x8,
        8,
        _mm256_setzero_ps(),
        _mm256_add_ps,
        _mm256_loadu_ps
    );
}

/// Arrays of one 128-bit register, which every 64-bit target has; the compiler widens their loops.
mod portable {
    use std::array::from_fn;
    use std::hint::black_box;

    use super::{CHAINS, SUMS};

    chains!(f32x4, |value: f32| [value; 4], |a: [f32; 4], b: [f32; 4], c: [f32; 4]| {
        from_fn(|lane| a[lane].mul_add(b[lane], c[lane]))
    });
    chains!(f64x2, |value: f64| [value; 2], |a: [f64; 2], b: [f64; 2], c: [f64; 2]| {
        from_fn(|lane| a[lane].mul_add(b[lane], c[lane]))
    });
    read!(
        read_f32x4,
        4,
        [0.0_f32; 4],
        |sum: [f32; 4], lanes: [f32; 4]| from_fn(|lane| sum[lane] + lanes[lane]),
        |start: *const f32| start.cast::<[f32; 4]>().read()
    );
}
