//! The kernels: made once a node of a graph, with its attributes, and run with tensors.
#![allow(unsafe_code)] // called by TensorFlow, with pointers that it vouches for

use super::api::{Construction, Context, Status, api};
use super::run::{Input, Output, Run};
use crate::frameworks::{Form, gradients, guarded, scores, scores_kind};
use std::ffi::{CStr, c_void};

/// Instead of a form's number: the attribute says it.
pub(super) const OF_ATTRIBUTE: usize = Form::ALL.len();

/// What a node of a graph computes.
struct Kernel {
    form: Form,
    epsilon: f64,
}

fn run_scores(run: &Run, kernel: &Kernel) -> Result<(), String> {
    let (x, y) = (run.input(0)?, run.input(1)?);
    let shape = kernel.form.scores_shape(&x.shape, &y.shape)?;
    let mut out = run.output(0, scores_kind(x.kind, y.kind), &shape)?;
    scores(kernel.form, x.tensor(), y.tensor(), kernel.epsilon, out.room())
}

fn run_gradients<const INPUTS: u8>(run: &Run, kernel: &Kernel) -> Result<(), String> {
    let (x, y, scores_gradient) = (run.input(0)?, run.input(1)?, run.input(2)?);
    let mut outputs = 0..;
    let mut output = |bit: u8, input: &Input| {
        let index = (INPUTS & bit != 0).then(|| outputs.next()).flatten();
        index.map(|index| run.output(index, input.kind, &input.shape)).transpose()
    };
    let (mut x_out, mut y_out) = (output(1, &x)?, output(2, &y)?);
    let (x_room, y_room) = (x_out.as_mut().map(Output::room), y_out.as_mut().map(Output::room));
    let (form, epsilon) = (kernel.form, kernel.epsilon);
    gradients(form, x.tensor(), y.tensor(), epsilon, scores_gradient.tensor(), x_room, y_room)
}

fn attribute(construction: *mut Construction, name: &CStr) -> Result<i64, String> {
    let (api, mut value) = (api()?, 0);
    let status = Status::new(api);
    let get = api.TF_OpKernelConstruction_GetAttrInt64;
    // SAFETY: all live during the call.
    unsafe { get(construction, name.as_ptr(), &raw mut value, status.raw) };
    status.ok().map(|()| value)
}

/// Makes a kernel of the form of this number, or [`OF_ATTRIBUTE`].
///
/// # Safety
/// As `TensorFlow` makes kernels.
pub(super) unsafe extern "C" fn create<const FORM: usize>(
    construction: *mut Construction,
) -> *mut c_void {
    let made = guarded(|| {
        let number = match FORM {
            OF_ATTRIBUTE => usize::try_from(attribute(construction, c"form")?).ok(),
            _ => Some(FORM),
        };
        let form =
            number.and_then(|number| Form::ALL.get(number).copied()).ok_or("no such form")?;
        let epsilon = f64::from_bits(attribute(construction, c"epsilon_bits")?.cast_unsigned());
        Ok(Box::new(Kernel { form, epsilon }))
    });
    match made {
        Ok(kernel) => Box::into_raw(kernel).cast(),
        Err(words) => {
            if let Ok(api) = api() {
                let status = Status::error(api, &words);
                // SAFETY: both live during the call.
                unsafe { (api.TF_OpKernelConstruction_Failure)(construction, status.raw) };
            }
            std::ptr::null_mut()
        }
    }
}

/// # Safety
/// As `TensorFlow` deletes what [`create`] made.
pub(super) unsafe extern "C" fn delete(kernel: *mut c_void) {
    if !kernel.is_null() {
        // SAFETY: from `create`, deleted once.
        drop(unsafe { Box::from_raw(kernel.cast::<Kernel>()) });
    }
}

/// # Safety
/// As `TensorFlow` runs a kernel that [`create`] made.
pub(super) unsafe extern "C" fn compute_scores(kernel: *mut c_void, context: *mut Context) {
    // SAFETY: the caller's word.
    unsafe { compute(kernel, context, run_scores) };
}

/// # Safety
/// As `TensorFlow` runs a kernel that [`create`] made.
pub(super) unsafe extern "C" fn compute_gradients<const INPUTS: u8>(
    kernel: *mut c_void,
    context: *mut Context,
) {
    // SAFETY: the caller's word.
    unsafe { compute(kernel, context, run_gradients::<INPUTS>) };
}

/// # Safety
/// The kernel is from [`create`], and the context is that of its run.
unsafe fn compute(
    kernel: *mut c_void,
    context: *mut Context,
    work: fn(&Run, &Kernel) -> Result<(), String>,
) {
    let Ok(api) = api() else { return }; // found, since it was registered
    // SAFETY: the caller's word; kernels do not change.
    let (kernel, run) = unsafe { (&*kernel.cast::<Kernel>(), Run::new(api, context)) };
    if let Err(words) = guarded(|| work(&run, kernel)) {
        let status = Status::error(api, &words);
        // SAFETY: both live during the call.
        unsafe { (api.TF_OpKernelContext_Failure)(context, status.raw) };
    }
}
