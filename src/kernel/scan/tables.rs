//! The scan, compiled for each instruction set.

#[cfg(target_arch = "x86_64")]
use super::amx::instructions::Amx;
use super::barred::Barred;
use super::candidates::Candidates;
use super::codes::ItemBlocks;
use super::users::UserRows;
use super::{ScanKernel, Sink, tile};
use crate::kernel::quantise::MOST_CODE;

/// A kernel of this name; `most` is the largest code of a user, `tile` the users × groups of sixteen
/// items that the registers hold.
macro_rules! kernel {
    ($name:ident, $lanes:expr, most: $most:expr, tile: $users:literal x $groups:literal $(, $feature:meta)?) => {
        pub(crate) static $name: ScanKernel = {
            $(#[$feature])?
            unsafe fn scan(
                users: UserRows<'_>,
                items: ItemBlocks<'_>,
                barred: Barred<'_>,
                candidates: &mut [Candidates],
                sink: &mut dyn Sink,
            ) {
                tile::scan::<_, $users, $groups>($lanes, users, items, barred, candidates, sink);
            }
            ScanKernel { most_code: $most, scan }
        };
    };
}

kernel!(PORTABLE, super::portable::Portable, most: MOST_CODE, tile: 1 x 1);

#[cfg(target_arch = "x86_64")]
kernel!(AVX2, {
    // SAFETY: this kernel runs only where the CPU has AVX2 and FMA; see `ScanKernel`.
    unsafe { super::avx2::Avx2::new() }
}, most: super::avx2::MOST_USER_CODE, tile: 4 x 1, target_feature(enable = "avx2,fma"));

#[cfg(target_arch = "x86_64")]
kernel!(VNNI, {
    // SAFETY: this kernel runs only where the CPU has AVX-512 VNNI; see `ScanKernel`.
    unsafe { super::vnni::Vnni::new() }
}, most: MOST_CODE, tile: 4 x 4, target_feature(enable = "avx512f,avx512vnni"));

/// Tiles with the epilogue of [`VNNI`].
#[cfg(target_arch = "x86_64")]
pub(crate) static AMX: ScanKernel = {
    #[target_feature(enable = "avx512f,avx512vnni")]
    unsafe fn scan(
        users: UserRows<'_>,
        items: ItemBlocks<'_>,
        barred: Barred<'_>,
        candidates: &mut [Candidates],
        sink: &mut dyn Sink,
    ) {
        // SAFETY: this kernel runs only where the CPU has AMX and AVX-512 VNNI; see `ScanKernel`.
        // No sink scans, and nothing but a scan uses tiles.
        let (tiles, lanes) = unsafe { (Amx::configure(), super::vnni::Vnni::new()) };
        super::amx::scan(tiles, lanes, users, items, barred, candidates, sink);
    }
    ScanKernel { most_code: MOST_CODE, scan }
};
