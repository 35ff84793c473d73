//! The functions of the C API, found in the libraries that the process has loaded.
#![allow(unsafe_code)] // functions found by name, whose types are those of TensorFlow's headers

use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::OnceLock;

/// Types that are only ever pointed to.
macro_rules! opaque {
    ($($name:ident),*) => {
        $(#[repr(C)]
        pub(super) struct $name {
            _private: [u8; 0],
        })*
    };
}

opaque!(
    Construction,
    Context,
    Dimensions, // TF_ShapeInferenceContext
    KernelBuilder,
    OpBuilder,
    RawStatus,
    RawTensor,
    Shape
);

pub(super) type Compute = unsafe extern "C" fn(*mut c_void, *mut Context);
pub(super) type Create = unsafe extern "C" fn(*mut Construction) -> *mut c_void;
pub(super) type Delete = unsafe extern "C" fn(*mut c_void);
pub(super) type Infer = unsafe extern "C" fn(*mut Dimensions, *mut RawStatus);

macro_rules! functions {
    ($(fn $name:ident($($argument:ty),*) $(-> $result:ty)?;)*) => {
        /// The functions, by their names in the headers.
        #[allow(non_snake_case)]
        pub(super) struct Api {
            $(pub(super) $name: unsafe extern "C" fn($($argument),*) $(-> $result)?,)*
        }

        impl Api {
            fn find() -> Result<Self, String> {
                let libraries = Libraries::find()?;
                Ok(Self {
                    // SAFETY: the header declares the function of this name so.
                    $($name: unsafe {
                        std::mem::transmute::<
                            *mut c_void,
                            unsafe extern "C" fn($($argument),*) $(-> $result)?,
                        >(libraries.symbol(concat!(stringify!($name), "\0"))?)
                    },)*
                })
            }
        }
    };
}

// tensorflow/c/ops.h, kernels.h, tf_tensor.h, tf_status.h, alike from 2.16 to 2.21.
functions! {
    fn TF_NewOpDefinitionBuilder(*const c_char) -> *mut OpBuilder;
    fn TF_OpDefinitionBuilderAddAttr(*mut OpBuilder, *const c_char);
    fn TF_OpDefinitionBuilderAddInput(*mut OpBuilder, *const c_char);
    fn TF_OpDefinitionBuilderAddOutput(*mut OpBuilder, *const c_char);
    fn TF_OpDefinitionBuilderSetShapeInferenceFunction(*mut OpBuilder, Infer);
    fn TF_RegisterOpDefinition(*mut OpBuilder, *mut RawStatus);

    fn TF_NewKernelBuilder(*const c_char, *const c_char, Create, Compute, Delete) -> *mut KernelBuilder;
    fn TF_RegisterKernelBuilder(*const c_char, *mut KernelBuilder, *mut RawStatus);
    fn TF_OpKernelConstruction_GetAttrInt64(*mut Construction, *const c_char, *mut i64, *mut RawStatus);
    fn TF_OpKernelConstruction_Failure(*mut Construction, *mut RawStatus);

    fn TF_GetInput(*mut Context, c_int, *mut *mut RawTensor, *mut RawStatus);
    fn TF_AllocateOutput(*mut Context, c_int, c_int, *const i64, c_int, usize, *mut RawStatus) -> *mut RawTensor;
    fn TF_ExpectedOutputDataType(*mut Context, c_int) -> c_int;
    fn TF_OpKernelContext_Failure(*mut Context, *mut RawStatus);
    fn TF_TensorType(*const RawTensor) -> c_int;
    fn TF_NumDims(*const RawTensor) -> c_int;
    fn TF_Dim(*const RawTensor, c_int) -> i64;
    fn TF_TensorData(*const RawTensor) -> *mut c_void;
    fn TF_DeleteTensor(*mut RawTensor);

    fn TF_NewShapeHandle() -> *mut Shape;
    fn TF_DeleteShapeHandle(*mut Shape);
    fn TF_ShapeInferenceContextGetInput(*mut Dimensions, c_int, *mut Shape, *mut RawStatus);
    fn TF_ShapeInferenceContextSetOutput(*mut Dimensions, c_int, *mut Shape, *mut RawStatus);
    fn TF_ShapeInferenceContextSetUnknownShape(*mut Dimensions, *mut RawStatus);
    fn TF_ShapeInferenceContextRank(*mut Dimensions, *mut Shape) -> i64;
    fn TF_ShapeInferenceContextRankKnown(*mut Dimensions, *mut Shape) -> c_int;
    fn TF_ShapeInferenceContextSubshape(*mut Dimensions, *mut Shape, i64, i64, *mut Shape, *mut RawStatus);
    fn TF_ShapeInferenceContextConcatenateShapes(*mut Dimensions, *mut Shape, *mut Shape, *mut Shape, *mut RawStatus);

    fn TF_NewStatus() -> *mut RawStatus;
    fn TF_DeleteStatus(*mut RawStatus);
    fn TF_SetStatus(*mut RawStatus, c_int, *const c_char);
    fn TF_GetCode(*const RawStatus) -> c_int;
    fn TF_Message(*const RawStatus) -> *const c_char;
}

/// The functions, looked up once.
///
/// # Errors
/// What is missing, in words.
pub(super) fn api() -> Result<&'static Api, String> {
    static API: OnceLock<Result<Api, String>> = OnceLock::new();
    API.get_or_init(Api::find).as_ref().map_err(Clone::clone)
}

/// A status that is deleted in the end.
pub(super) struct Status {
    pub(super) raw: *mut RawStatus,
    api: &'static Api,
}

const INVALID_ARGUMENT: c_int = 3;

impl Status {
    pub(super) fn new(api: &'static Api) -> Self {
        // SAFETY: takes nothing.
        Self { raw: unsafe { (api.TF_NewStatus)() }, api }
    }

    /// An error in words of ours.
    pub(super) fn error(api: &'static Api, words: &str) -> Self {
        let status = Self::new(api);
        let words = format!("cosim_rs: {words}").replace('\0', " ");
        let words = std::ffi::CString::new(words).unwrap_or_default();
        // SAFETY: the status lives; the words end with a zero and are copied.
        unsafe { (api.TF_SetStatus)(status.raw, INVALID_ARGUMENT, words.as_ptr()) };
        status
    }

    /// # Errors
    /// What the framework put there, in its words.
    pub(super) fn ok(&self) -> Result<(), String> {
        // SAFETY: the status lives, and so does its message, while it is copied.
        unsafe {
            if (self.api.TF_GetCode)(self.raw) == 0 {
                return Ok(());
            }
            Err(CStr::from_ptr((self.api.TF_Message)(self.raw)).to_string_lossy().into_owned())
        }
    }
}

impl Drop for Status {
    fn drop(&mut self) {
        // SAFETY: made by `TF_NewStatus`, and used no more.
        unsafe { (self.api.TF_DeleteStatus)(self.raw) };
    }
}

/// What the process has loaded of `TensorFlow`; never closed.
struct Libraries([*mut c_void; 2]);

impl Libraries {
    #[cfg(target_os = "linux")]
    fn find() -> Result<Self, String> {
        // Which of the two holds a function has changed from version to version.
        let names = [c"libtensorflow_framework.so.2", c"libtensorflow_cc.so.2"];
        // SAFETY: loads nothing (so no code of theirs runs), only looks.
        let found = names.map(|name| unsafe {
            libc::dlopen(name.as_ptr(), libc::RTLD_NOLOAD | libc::RTLD_LAZY)
        });
        if found[0].is_null() {
            return Err("libtensorflow_framework.so.2 is not loaded".to_owned());
        }
        Ok(Self(found))
    }

    #[cfg(not(target_os = "linux"))]
    fn find() -> Result<Self, String> {
        Err("its C API is looked up on Linux only".to_owned())
    }

    /// Where a function is, by its name and a zero.
    fn symbol(&self, name: &str) -> Result<*mut c_void, String> {
        let found = self.0.iter().filter(|library| !library.is_null()).find_map(|&library| {
            let address = address(library, name);
            (!address.is_null()).then_some(address)
        });
        found.ok_or_else(|| format!("it has no {}", name.trim_end_matches('\0')))
    }
}

#[cfg(target_os = "linux")]
fn address(library: *mut c_void, name: &str) -> *mut c_void {
    // SAFETY: a library from `dlopen`, never closed, and a name that ends with a zero.
    unsafe { libc::dlsym(library, name.as_ptr().cast()) }
}

#[cfg(not(target_os = "linux"))]
fn address(_library: *mut c_void, _name: &str) -> *mut c_void {
    std::ptr::null_mut()
}
