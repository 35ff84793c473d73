//! The kernels: arguments from torch's stack, results to it.
#![allow(unsafe_code)] // a border spot: torch calls these

use super::handle::{Input, Output};
use super::shims::{Shims, Value};
use crate::frameworks::{Form, gradients, guarded, scores, scores_kind};
use std::ffi::CString;

/// `(x, y, epsilon) -> scores`
///
/// # Safety
/// To be called by torch, as the kernel of an operation of that schema for the CPU.
pub(super) unsafe extern "C-unwind" fn scores_kernel<const FORM: u8>(
    stack: *mut Value,
    _inputs: u64,
    _outputs: u64,
) {
    // SAFETY: as many values as the schema has, and by it tensors that are ours now. Torch's dense
    // tensors of the CPU alone have this kernel.
    let (x, y, epsilon) = unsafe {
        let x = Input::new(*stack);
        (x, Input::new(*stack.add(1)), f64::from_bits(*stack.add(2)))
    };
    let result = guarded(|| {
        let (x, y) = (x?, y?);
        let form = form(FORM);
        let shape = form.scores_shape(x.shape(), y.shape())?;
        let mut out = Output::new(scores_kind(x.kind(), y.kind()), &shape)?;
        scores(form, x.tensor()?, y.tensor()?, epsilon, out.room()?)?;
        Ok([out])
    });
    // SAFETY: the stack has room for as many results.
    unsafe { leave(stack, result) };
}

/// `(x, y, gradient of the scores, epsilon, whether of x, whether of y) -> gradients of x and y`,
/// an empty tensor for one that is not wanted.
///
/// # Safety
/// To be called by torch, as the kernel of an operation of that schema for the CPU.
pub(super) unsafe extern "C-unwind" fn gradient_kernel<const FORM: u8>(
    stack: *mut Value,
    _inputs: u64,
    _outputs: u64,
) {
    // SAFETY: as in `scores_kernel`.
    let (tensors, epsilon) = unsafe {
        let tensors = [Input::new(*stack), Input::new(*stack.add(1)), Input::new(*stack.add(2))];
        (tensors, f64::from_bits(*stack.add(3)))
    };
    // SAFETY: as above. A truth value is one byte of its value.
    let [x_wanted, y_wanted] = [4, 5].map(|at| unsafe { *stack.add(at) & 0xff != 0 });
    let result = guarded(|| {
        let [x, y, weights] = tensors;
        let (x, y, weights) = (x?, y?, weights?);
        let mut x_out = gradient_output(&x, x_wanted)?;
        let mut y_out = gradient_output(&y, y_wanted)?;
        let x_room = x_wanted.then(|| x_out.room()).transpose()?;
        let y_room = y_wanted.then(|| y_out.room()).transpose()?;
        let (x, y, weights) = (x.tensor()?, y.tensor()?, weights.tensor()?);
        gradients(form(FORM), x, y, epsilon, weights, x_room, y_room)?;
        Ok([x_out, y_out])
    });
    // SAFETY: the stack has room for as many results.
    unsafe { leave(stack, result) };
}

fn form(number: u8) -> Form {
    Form::ALL[usize::from(number)]
}

fn gradient_output(side: &Input, is_wanted: bool) -> Result<Output, String> {
    Output::new(side.kind(), if is_wanted { side.shape() } else { &[0] })
}

/// Leaves the results on the stack, or throws torch's exception.
///
/// # Safety
/// The stack has room for so many results, and the arguments were taken from it.
unsafe fn leave<const COUNT: usize>(stack: *mut Value, result: Result<[Output; COUNT], String>) {
    match result {
        Ok(outputs) => {
            for (place, output) in outputs.into_iter().enumerate() {
                // SAFETY: room for it, as the caller says.
                unsafe { *stack.add(place) = output.into_value() };
            }
        }
        Err(message) => {
            let message = CString::new(message.replace('\0', " ")).unwrap_or_default();
            let (name, line) = (c"cosim_rs".as_ptr(), line!());
            // SAFETY: strings that end in zero. The exception is C++'s and goes through this frame
            // and the kernel's, both of which may be unwound, to torch, which called the kernel.
            unsafe { (Shims::get().call.check)(false, name, name, line, message.as_ptr()) };
        }
    }
}
