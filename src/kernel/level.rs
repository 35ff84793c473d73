//! Which instruction sets there are, which this CPU has, and which one is in use.
//!
//! Detection happens once. `COSIM_RS_KERNEL` caps the level, so that tests can run every kernel
//! that the machine has; all of them give the same bits.

use super::scan::{self, ScanKernel};
use super::{Kernels, tables};
use crate::error::Error;
use std::sync::OnceLock;

/// An instruction set with kernels of its own, slowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Plain Rust; the definition of the bits.
    Portable,
    /// AVX2 with FMA and F16C.
    Avx2,
    /// AVX-512F and BW.
    Avx512,
    /// AVX-512F and BW, and VNNI for the scan.
    Avx512Vnni,
    /// All of those, and AMX for the scan.
    Amx,
}

impl Level {
    const ALL: [Self; 5] = [Self::Portable, Self::Avx2, Self::Avx512, Self::Avx512Vnni, Self::Amx];

    /// The name by which `COSIM_RS_KERNEL` and `show_config` call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
            Self::Avx512Vnni => "avx512vnni",
            Self::Amx => "amx",
        }
    }

    fn is_available(self) -> bool {
        match self {
            Self::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => {
                let has_half_floats = is_x86_feature_detected!("f16c");
                has_half_floats
                    && is_x86_feature_detected!("avx2")
                    && is_x86_feature_detected!("fma")
            }
            // What the AVX-512 kernels are compiled for; and the scan at this level is AVX2's.
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                Self::Avx2.is_available()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
            }
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Vnni => {
                Self::Avx512.is_available() && is_x86_feature_detected!("avx512vnni")
            }
            #[cfg(target_arch = "x86_64")]
            Self::Amx => Self::Avx512Vnni.is_available() && scan::amx::instructions::is_available(),
            #[cfg(not(target_arch = "x86_64"))]
            _ => false,
        }
    }

    pub(super) fn kernels_f32(self) -> &'static Kernels<f32> {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 | Self::Avx512Vnni | Self::Amx => &tables::avx512::F32,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => &tables::avx2::F32,
            _ => &tables::portable::F32,
        }
    }

    pub(super) fn kernels_f64(self) -> &'static Kernels<f64> {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 | Self::Avx512Vnni | Self::Amx => &tables::avx512::F64,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => &tables::avx2::F64,
            _ => &tables::portable::F64,
        }
    }
}

impl Level {
    /// The best scan up to this level; AVX-512 without VNNI multiplies no bytes better than AVX2.
    pub(crate) fn scan(self) -> &'static ScanKernel {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Amx => &scan::tables::AMX,
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Vnni => &scan::tables::VNNI,
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 | Self::Avx2 => &scan::tables::AVX2,
            _ => &scan::tables::PORTABLE,
        }
    }
}

/// The levels that this CPU can run, slowest first.
#[must_use]
pub fn available() -> Vec<Level> {
    Level::ALL.into_iter().filter(|level| level.is_available()).collect()
}

/// The level in use: the best available one, or the one that `COSIM_RS_KERNEL` names.
///
/// # Errors
/// [`Error::Kernel`] if that is not available.
pub fn selected() -> Result<Level, Error> {
    static SELECTED: OnceLock<Result<Level, Error>> = OnceLock::new();
    SELECTED.get_or_init(|| choose(std::env::var_os("COSIM_RS_KERNEL").as_deref())).clone()
}

fn choose(cap: Option<&std::ffi::OsStr>) -> Result<Level, Error> {
    let Some(cap) = cap.filter(|cap| !cap.is_empty()) else {
        let available = available();
        return Ok(available[available.len() - 1]); // the portable one is always there
    };
    // Only the named one is looked for: to look for AMX is to ask the system for it.
    let named = Level::ALL.into_iter().find(|level| cap == level.name());
    named.filter(|level| level.is_available()).ok_or_else(|| Error::Kernel {
        got: cap.to_string_lossy().into_owned(),
        available: available().iter().map(|level| level.name()).collect::<Vec<_>>().join(", "),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_chosen_by_its_name() {
        assert_eq!(choose(Some("portable".as_ref())), Ok(Level::Portable));
        assert_eq!(choose(None), choose(Some("".as_ref())));
        assert_eq!(choose(None).unwrap(), *available().last().unwrap());
    }

    #[test]
    fn a_level_is_chosen_only_where_it_is_available() {
        for level in Level::ALL {
            let chosen = choose(Some(level.name().as_ref()));
            assert_eq!(chosen.ok(), available().contains(&level).then_some(level));
        }
    }

    #[test]
    fn an_unknown_level_is_refused_with_the_available_ones() {
        let error = choose(Some("mmx".as_ref())).unwrap_err().to_string();
        assert!(
            error.contains("COSIM_RS_KERNEL: got \"mmx\", available here: portable"),
            "{error}"
        );
    }
}
