//! The floating-point mode in which every score is computed.
//!
//! TensorFlow and XLA run their threads with flush-to-zero, where a subnormal counts as zero, and
//! a caller may have changed the rounding. So every entry sets the default mode (round to nearest,
//! subnormals kept, exceptions masked) and puts the caller's back when it is done. The compiler
//! knows nothing of the mode, but the kernels are called through pointers and so stay inside.
#![allow(unsafe_code)] // the control register

use std::arch::asm;

/// The default mode until dropped, then the mode of before.
pub(crate) struct DefaultMode {
    before: Register,
}

impl DefaultMode {
    pub(crate) fn enter() -> Self {
        let before = read();
        if before != DEFAULT {
            write(DEFAULT);
        }
        Self { before }
    }
}

impl Drop for DefaultMode {
    fn drop(&mut self) {
        if self.before != DEFAULT {
            write(self.before);
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod register {
    use super::asm;

    pub(super) type Register = u32;
    /// MXCSR with all exceptions masked and nothing else set.
    pub(super) const DEFAULT: Register = 0x1f80;

    pub(super) fn read() -> Register {
        let mut mode: Register = 0;
        // SAFETY: stores MXCSR to the variable pointed to.
        unsafe { asm!("stmxcsr [{}]", in(reg) &raw mut mode, options(nostack, preserves_flags)) };
        mode
    }

    pub(super) fn write(mode: Register) {
        // SAFETY: `mode` is the default or was read from MXCSR, so no reserved bit is set.
        unsafe { asm!("ldmxcsr [{}]", in(reg) &raw const mode, options(nostack, preserves_flags)) };
    }
}

#[cfg(target_arch = "aarch64")]
mod register {
    use super::asm;

    pub(super) type Register = u64;
    /// FPCR: round to nearest, no flushing, no traps.
    pub(super) const DEFAULT: Register = 0;

    pub(super) fn read() -> Register {
        let mode: Register;
        // SAFETY: reads FPCR.
        unsafe { asm!("mrs {}, fpcr", out(reg) mode, options(nomem, nostack, preserves_flags)) };
        mode
    }

    pub(super) fn write(mode: Register) {
        // SAFETY: `mode` is the default or was read from FPCR.
        unsafe { asm!("msr fpcr, {}", in(reg) mode, options(nostack, preserves_flags)) };
    }
}

use register::{DEFAULT, Register, read, write};
