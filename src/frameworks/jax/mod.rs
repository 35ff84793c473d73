//! JAX: handlers of XLA's foreign function interface, which its compiled programs call.
//!
//! XLA first asks a handler what it is (an extension of the call says so), then calls it with
//! buffers in its own memory, from threads of its own that hold no lock of Python's. The form and
//! the results that are wanted are in the name of the target, epsilon is an attribute of it.
//! Whatever leading axes `vmap` adds are a batch of problems.
#![allow(unsafe_code)] // a border spot: XLA's C interface

mod abi;
mod frame;

use super::{Form, TensorMut, gradients, guarded, scores};
use abi::{CallFrame, XlaError};
use frame::{Array, arguments, attribute, results};
use std::ffi::CString;

/// What XLA calls.
pub(crate) type Handler = unsafe extern "C" fn(*mut CallFrame) -> *mut XlaError;

/// The scores.
const SCORES: u8 = 0;
/// The gradient of the first argument, of the second, of both.
const X: u8 = 1;
const Y: u8 = 2;
const BOTH: u8 = X | Y;

/// The handlers by the names of their targets.
pub(crate) const HANDLERS: [(&str, Handler); 12] = [
    ("cosim_rs_batched_scores", handle::<0, SCORES>),
    ("cosim_rs_batched_gradient_x", handle::<0, X>),
    ("cosim_rs_batched_gradient_y", handle::<0, Y>),
    ("cosim_rs_batched_gradient_xy", handle::<0, BOTH>),
    ("cosim_rs_paired_scores", handle::<1, SCORES>),
    ("cosim_rs_paired_gradient_x", handle::<1, X>),
    ("cosim_rs_paired_gradient_y", handle::<1, Y>),
    ("cosim_rs_paired_gradient_xy", handle::<1, BOTH>),
    ("cosim_rs_matrix_scores", handle::<2, SCORES>),
    ("cosim_rs_matrix_gradient_x", handle::<2, X>),
    ("cosim_rs_matrix_gradient_y", handle::<2, Y>),
    ("cosim_rs_matrix_gradient_xy", handle::<2, BOTH>),
];

/// # Safety
/// XLA calls it, with a frame of its own.
unsafe extern "C" fn handle<const FORM: usize, const WANTED: u8>(
    frame: *mut CallFrame,
) -> *mut XlaError {
    // SAFETY: XLA vouches for the frame.
    let frame = unsafe { &*frame };
    // SAFETY: as above.
    if unsafe { has_described_itself(frame) } || frame.stage != abi::EXECUTE {
        return std::ptr::null_mut();
    }
    // SAFETY: as above; the frame is one of an execution.
    let work = || unsafe { compute(Form::ALL[FORM], WANTED, frame) };
    let Err(message) = guarded(work) else { return std::ptr::null_mut() };
    // SAFETY: as above.
    unsafe { error(frame, &format!("cosim_rs: {message}")) }
}

/// # Safety
/// The frame is one of an execution, in full.
unsafe fn compute(form: Form, wanted: u8, frame: &CallFrame) -> Result<(), String> {
    // SAFETY: the caller vouches for the frame.
    let (arguments, results, epsilon) =
        unsafe { (arguments(frame)?, results(frame)?, attribute(frame, "epsilon")?) };
    let mut rooms = results.into_iter().map(Array::tensor_mut);
    let mut room = || rooms.next().ok_or("too few results");
    match (wanted, &arguments[..]) {
        (SCORES, [x, y]) => scores(form, x.tensor(), y.tensor(), epsilon, room()?),
        (X | Y | BOTH, [x, y, weights]) => {
            let mut room_if = |is_wanted| -> Result<Option<TensorMut<'_>>, String> {
                Ok(if is_wanted { Some(room()?) } else { None })
            };
            let (x_room, y_room) = (room_if(wanted & X != 0)?, room_if(wanted & Y != 0)?);
            gradients(form, x.tensor(), y.tensor(), epsilon, weights.tensor(), x_room, y_room)
        }
        _ => Err(format!("{} arguments", arguments.len())),
    }
}

/// Answers a call that asks what the handler is, if it is one.
///
/// # Safety
/// XLA vouches for the frame.
unsafe fn has_described_itself(frame: &CallFrame) -> bool {
    // SAFETY: null, or an extension that lives as long as the frame.
    let Some(extension) = (unsafe { frame.extension.as_ref() }) else { return false };
    if extension.kind != abi::METADATA {
        return false;
    }
    // SAFETY: null, or the interface.
    let minor = unsafe { frame.api.as_ref() }.map_or(1, |api| api.version.minor);
    // SAFETY: an extension of this kind has metadata to be filled in.
    let metadata = unsafe { &mut *(*frame.extension.cast::<abi::MetadataExtension>()).metadata };
    // A minor version other than XLA's own would be refused, with all of the CPU's backend. The
    // structs read here are the same in all of them.
    (metadata.version.major, metadata.version.minor) = (abi::MAJOR_VERSION, minor);
    metadata.traits = 0;
    true
}

/// An error of XLA's.
///
/// # Safety
/// XLA vouches for the frame.
unsafe fn error(frame: &CallFrame, message: &str) -> *mut XlaError {
    let message = CString::new(message.replace('\0', " ")).expect("without NULs");
    // SAFETY: null, or the interface.
    let Some(create) = (unsafe { frame.api.as_ref() }).and_then(|api| api.create_error) else {
        return std::ptr::null_mut();
    };
    let mut new = abi::NewError {
        struct_size: size_of::<abi::NewError>(),
        extension: std::ptr::null_mut(),
        message: message.as_ptr(),
        code: abi::INTERNAL,
    };
    // SAFETY: its own function, with what it wants; it copies the message.
    unsafe { create(&raw mut new) }
}
