//! The operations, and their registration: once a process, and for good.
#![allow(unsafe_code)] // builders of TensorFlow's

use super::api::{Api, Compute, Create, Infer, Status, api};
use super::{kernel, shapes};
use std::ffi::CStr;
use std::sync::OnceLock;

/// An operation and its kernel on the CPU.
struct Op {
    name: &'static CStr,
    inputs: &'static [&'static CStr],
    outputs: &'static [&'static CStr],
    attributes: &'static [&'static CStr],
    infer: Infer,
    create: Create,
    compute: Compute,
}

const SIDES: &[&CStr] = &[c"x: Tx", c"y: Ty"];
const SIDES_AND_GRADIENT: &[&CStr] = &[c"x: Tx", c"y: Ty", c"scores_gradient: T"];
const SCORES: &[&CStr] = &[c"scores: T"];
const TYPES: &[&CStr] = &[
    c"Tx: {half, bfloat16, float, double}",
    c"Ty: {half, bfloat16, float, double}",
    c"T: {float, double}",
    c"epsilon_bits: int",
];
const TYPES_AND_FORM: &[&CStr] = &[TYPES[0], TYPES[1], TYPES[2], TYPES[3], c"form: int"];

const fn scores_op<const FORM: usize>(name: &'static CStr, infer: Infer) -> Op {
    Op {
        name,
        inputs: SIDES,
        outputs: SCORES,
        attributes: TYPES,
        infer,
        create: kernel::create::<FORM>,
        compute: kernel::compute_scores,
    }
}

const fn gradients_op<const INPUTS: u8>(
    name: &'static CStr,
    outputs: &'static [&'static CStr],
) -> Op {
    Op {
        name,
        inputs: SIDES_AND_GRADIENT,
        outputs,
        attributes: TYPES_AND_FORM,
        infer: shapes::like::<INPUTS>,
        create: kernel::create::<{ kernel::OF_ATTRIBUTE }>,
        compute: kernel::compute_gradients::<INPUTS>,
    }
}

static OPS: [Op; 6] = [
    scores_op::<0>(c"CosimRsBatchedScores", shapes::batched),
    scores_op::<1>(c"CosimRsPairedScores", shapes::paired),
    scores_op::<2>(c"CosimRsMatrixScores", shapes::matrix),
    gradients_op::<3>(c"CosimRsGradients", &[c"x_gradient: Tx", c"y_gradient: Ty"]),
    gradients_op::<1>(c"CosimRsFirstGradient", &[c"x_gradient: Tx"]),
    gradients_op::<2>(c"CosimRsSecondGradient", &[c"y_gradient: Ty"]),
];

/// Registers the operations, at the first call.
///
/// # Errors
/// Why it cannot be done, in words; then as at the first call.
pub(crate) fn register() -> Result<(), String> {
    static DONE: OnceLock<Result<(), String>> = OnceLock::new();
    DONE.get_or_init(|| {
        let api = api()?; // all of it is there, before anything is registered
        OPS.iter().try_for_each(|op| op.register(api))
    })
    .clone()
}

impl Op {
    fn register(&self, api: &'static Api) -> Result<(), String> {
        let status = Status::new(api);
        // SAFETY: strings end with a zero and are copied; builders are fresh, and are given away by
        // what registers them; the functions are as the headers want them, and live for good.
        unsafe {
            let op = (api.TF_NewOpDefinitionBuilder)(self.name.as_ptr());
            for input in self.inputs {
                (api.TF_OpDefinitionBuilderAddInput)(op, input.as_ptr());
            }
            for output in self.outputs {
                (api.TF_OpDefinitionBuilderAddOutput)(op, output.as_ptr());
            }
            for attribute in self.attributes {
                (api.TF_OpDefinitionBuilderAddAttr)(op, attribute.as_ptr());
            }
            (api.TF_OpDefinitionBuilderSetShapeInferenceFunction)(op, self.infer);
            (api.TF_RegisterOpDefinition)(op, status.raw);
            status.ok()?;
            let name = self.name.as_ptr();
            let (create, compute) = (self.create, self.compute);
            let kernel =
                (api.TF_NewKernelBuilder)(name, c"CPU".as_ptr(), create, compute, kernel::delete);
            (api.TF_RegisterKernelBuilder)(name, kernel, status.raw);
        }
        status.ok()
    }
}
