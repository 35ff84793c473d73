//! The tiles of a CPU with AMX, in assembly: stable Rust has no intrinsics for them.
//!
//! Tiles belong to a thread, as registers do, and keep what they hold from one of these statements
//! to the next: the compiler uses none by itself, knows them as clobbers at most, and the system
//! saves them with the thread. It does so only for a process that has asked for it.

use super::tiles::{CONFIGURATION, GROUPS, TILE_BYTES, TILE_USERS, Tiles, UserSums};
use crate::kernel::scan::GROUP;
use crate::kernel::scan::codes::{Line, TILE_LINES};
use std::arch::asm;
use std::marker::PhantomData;
use std::sync::OnceLock;

/// A value proves that this thread may use tiles, and that they are configured, and are its alone.
pub(crate) struct Amx {
    of_this_thread: PhantomData<*const ()>,
}

impl Amx {
    /// Configures the tiles until dropped.
    ///
    /// # Safety
    /// [`is_available`], and this thread does nothing else with tiles until then.
    #[inline(always)]
    pub(crate) unsafe fn configure() -> Self {
        // SAFETY: the caller vouches for AMX; reads the 64 bytes, which are valid for palette 1.
        unsafe {
            asm!("ldtilecfg [{}]", in(reg) &CONFIGURATION, options(nostack, preserves_flags, readonly));
        }
        Self { of_this_thread: PhantomData }
    }
}

impl Drop for Amx {
    /// Gives up the tiles: a thread without is switched faster.
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: `self` proves AMX.
        unsafe { asm!("tilerelease", options(nomem, nostack, preserves_flags)) };
    }
}

// In every block below, the instruction is there and the tiles are configured because `self` proves
// it, and it changes nothing but a tile, of which the compiler knows nothing, or the memory that it
// is said to write. None is `pure`, so all are kept, and in this order.

impl Tiles for Amx {
    #[inline(always)]
    fn zero<const TILE: usize>(&mut self) {
        // SAFETY: `self` proves AMX.
        unsafe {
            asm!("tilezero tmm{}", const TILE, options(nomem, nostack, preserves_flags));
        }
    }

    #[inline(always)]
    fn load_users<const TILE: usize>(&mut self, rows: &[i8], step: usize) {
        let bytes_per_row = rows.len() / TILE_USERS;
        assert!(step < bytes_per_row / TILE_BYTES);
        // SAFETY: `self` proves AMX; each row is within `rows`, and so long that there is this step.
        unsafe { load::<TILE>(rows.as_ptr().add(step * TILE_BYTES).cast(), bytes_per_row) };
    }

    #[inline(always)]
    fn load_items<const TILE: usize>(&mut self, lines: &[Line; TILE_LINES]) {
        // SAFETY: `self` proves AMX; the rows are the lines.
        unsafe { load::<TILE>(lines.as_ptr().cast(), size_of::<Line>()) };
    }

    #[inline(always)]
    fn multiply_add<const SUMS: usize, const USERS: usize, const ITEMS: usize>(&mut self) {
        const { assert!(SUMS != USERS && SUMS != ITEMS && USERS != ITEMS) };
        // SAFETY: `self` proves AMX; the tiles are three, as the instruction demands.
        unsafe {
            asm!(
                "tdpbsud tmm{sums}, tmm{users}, tmm{items}",
                sums = const SUMS,
                users = const USERS,
                items = const ITEMS,
                options(nomem, nostack, preserves_flags),
            );
        }
    }

    #[inline(always)]
    fn store<const TILE: usize>(&mut self, sums: &mut [UserSums; TILE_USERS], group: usize) {
        assert!(group < GROUPS);
        // SAFETY: `self` proves AMX; a row is a user's sums of a group, and the next one's are as
        // far as the next user's, so all sixteen are within `sums`.
        unsafe {
            asm!(
                "tilestored [{to} + {stride} * 1], tmm{tile}",
                to = in(reg) sums.as_mut_ptr().cast::<[i32; GROUP]>().add(group),
                stride = in(reg) size_of::<UserSums>(),
                tile = const TILE,
                options(nostack, preserves_flags),
            );
        }
    }
}

/// Loads sixteen rows of 64 bytes.
///
/// # Safety
/// The tiles are configured, and the rows may be read.
#[inline(always)]
unsafe fn load<const TILE: usize>(from: *const u8, stride: usize) {
    // SAFETY: the caller vouches for it.
    unsafe {
        asm!(
            "tileloadd tmm{tile}, [{from} + {stride} * 1]",
            tile = const TILE,
            from = in(reg) from,
            stride = in(reg) stride,
            options(nostack, preserves_flags, readonly),
        );
    }
}

/// Whether this CPU has tiles of bytes, beside AVX-512, and the system lets this process use them.
/// It is asked once.
pub(crate) fn is_available() -> bool {
    static GRANTED: OnceLock<bool> = OnceLock::new();
    *GRANTED.get_or_init(|| {
        // AVX-512 is found only where the register that `is_enabled` reads can be read.
        is_x86_feature_detected!("avx512f") && has_tiles() && is_enabled() && is_granted()
    })
}

/// Whether the CPU has AMX-TILE and AMX-INT8.
fn has_tiles() -> bool {
    const TILE_AND_INT8: u32 = 1 << 24 | 1 << 25;
    #[allow(unused_unsafe)] // safe since Rust 1.94
    // SAFETY: a CPU with AVX-512 has this leaf.
    let features = unsafe { std::arch::x86_64::__cpuid_count(7, 0) }.edx;
    features & TILE_AND_INT8 == TILE_AND_INT8
}

/// Whether the system has enabled the tiles and their configuration in XCR0.
fn is_enabled() -> bool {
    const CONFIGURATION_AND_DATA: u32 = 1 << 17 | 1 << 18;
    let low: u32;
    // SAFETY: a CPU on which AVX-512 was found has the instruction, enabled; it reads XCR0.
    unsafe {
        asm!("xgetbv", in("ecx") 0, out("eax") low, out("edx") _, options(nomem, nostack, preserves_flags));
    }
    low & CONFIGURATION_AND_DATA == CONFIGURATION_AND_DATA
}

/// Asks the system to save the tiles with the threads of this process, and of those that it forks.
/// It refuses if a thread has a stack for signals that has no room for them, and will refuse such
/// stacks from then on.
#[cfg(target_os = "linux")]
fn is_granted() -> bool {
    const ARCH_PRCTL: isize = 158;
    const ARCH_REQ_XCOMP_PERM: usize = 0x1023;
    const TILE_DATA: usize = 18;
    let result: isize;
    // SAFETY: the call touches no memory of this process; it changes the registers named here.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") ARCH_PRCTL => result,
            in("rdi") ARCH_REQ_XCOMP_PERM,
            in("rsi") TILE_DATA,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result == 0
}

/// Only of Linux do we know how to ask.
#[cfg(not(target_os = "linux"))]
fn is_granted() -> bool {
    false
}
