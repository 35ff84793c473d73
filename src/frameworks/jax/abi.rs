//! XLA's foreign function interface, as much of it as handlers read: the layout of its C structs.
//!
//! After `xla/ffi/api/c_api.h`, which jaxlib ships in `jax.ffi.include_dir()`. Fields are only ever
//! added at the end of these structs, so what a newer version adds is not looked at.

use std::ffi::{c_char, c_int, c_void};

/// The major version of the interface that this is.
pub(super) const MAJOR_VERSION: c_int = 0;

/// `XLA_FFI_Extension_Metadata`: a call that asks what the handler is.
pub(super) const METADATA: c_int = 1;

/// `XLA_FFI_ExecutionStage_EXECUTE`.
pub(super) const EXECUTE: c_int = 3;

/// `XLA_FFI_ArgType_BUFFER` and `XLA_FFI_RetType_BUFFER`.
pub(super) const BUFFER: c_int = 1;

/// `XLA_FFI_AttrType_SCALAR`.
pub(super) const SCALAR: c_int = 3;

/// `XLA_FFI_Error_Code_INTERNAL`.
pub(super) const INTERNAL: c_int = 13;

/// `XLA_FFI_DataType`.
pub(super) mod data_type {
    use std::ffi::c_int;

    pub(in crate::frameworks::jax) const S8: c_int = 2;
    pub(in crate::frameworks::jax) const F16: c_int = 10;
    pub(in crate::frameworks::jax) const F32: c_int = 11;
    pub(in crate::frameworks::jax) const F64: c_int = 12;
    pub(in crate::frameworks::jax) const BF16: c_int = 16;
}

#[repr(C)]
pub(super) struct Extension {
    pub(super) struct_size: usize,
    pub(super) kind: c_int,
    pub(super) next: *mut Extension,
}

#[repr(C)]
pub(super) struct MetadataExtension {
    pub(super) base: Extension,
    pub(super) metadata: *mut Metadata,
}

#[repr(C)]
pub(super) struct Metadata {
    pub(super) struct_size: usize,
    pub(super) version: Version,
    pub(super) traits: u32,
}

#[repr(C)]
pub(super) struct Version {
    pub(super) struct_size: usize,
    pub(super) extension: *mut Extension,
    pub(super) major: c_int,
    pub(super) minor: c_int,
}

/// What XLA offers to handlers; more functions follow.
#[repr(C)]
pub(super) struct Api {
    pub(super) struct_size: usize,
    pub(super) extension: *mut Extension,
    pub(super) version: Version,
    pub(super) internal: *const c_void,
    pub(super) create_error: Option<unsafe extern "C" fn(*mut NewError) -> *mut XlaError>,
}

/// An error of XLA's, which it alone can look into.
#[repr(C)]
pub(crate) struct XlaError {
    _opaque: [u8; 0],
}

#[repr(C)]
pub(super) struct NewError {
    pub(super) struct_size: usize,
    pub(super) extension: *mut Extension,
    pub(super) message: *const c_char,
    pub(super) code: c_int,
}

/// All of one call.
#[repr(C)]
pub(crate) struct CallFrame {
    pub(super) struct_size: usize,
    pub(super) extension: *mut Extension,
    pub(super) api: *const Api,
    pub(super) context: *mut c_void,
    pub(super) stage: c_int,
    pub(super) arguments: Values,
    pub(super) results: Values,
    pub(super) attributes: Attributes,
}

/// Arguments or results.
#[repr(C)]
pub(super) struct Values {
    pub(super) struct_size: usize,
    pub(super) extension: *mut Extension,
    pub(super) len: i64,
    pub(super) kinds: *const c_int,
    pub(super) buffers: *const *const Buffer,
}

#[repr(C)]
pub(super) struct Buffer {
    pub(super) struct_size: usize,
    pub(super) extension: *mut Extension,
    pub(super) data_type: c_int,
    pub(super) data: *mut c_void,
    pub(super) rank: i64,
    pub(super) dims: *const i64,
}

/// Constants of the call, by name.
#[repr(C)]
pub(super) struct Attributes {
    pub(super) struct_size: usize,
    pub(super) extension: *mut Extension,
    pub(super) len: i64,
    pub(super) kinds: *const c_int,
    pub(super) names: *const *const Text,
    pub(super) values: *const *const c_void,
}

#[repr(C)]
pub(super) struct Text {
    pub(super) data: *const u8,
    pub(super) len: usize,
}

#[repr(C)]
pub(super) struct Scalar {
    pub(super) data_type: c_int,
    pub(super) value: *const c_void,
}
