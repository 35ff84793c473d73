//! The border to Python: convert, let go of the interpreter, call the core, wrap.
//!
//! A function here takes arrays that can be used as they are, and checks whatever safety rests on.
//! Anything else it refuses by returning None, with nothing done. The Python shim then converts
//! what can be converted and says what is wrong with the rest, in the caller's terms; so a call
//! that is right from the start pays for neither.

mod array;
mod arrow;
mod batched;
mod call;
mod candidates;
mod catalogue;
mod config;
mod filter;
mod frameworks;
mod lent;
mod limit;
mod matrix;
mod mine;
mod paired;
mod range;
mod segments;
mod top_k;
mod vectors;

use pyo3::prelude::*;

#[pymodule(gil_used = false)]
mod _cosim_rs {
    #[pymodule_export]
    use super::arrow::{arrow_array, arrow_chunks};
    #[pymodule_export]
    use super::batched::batched_cosine_similarity;
    #[pymodule_export]
    use super::candidates::candidate_cosine_similarity;
    #[pymodule_export]
    use super::catalogue::{Codes, codes_of, prepare};
    #[pymodule_export]
    use super::config::{
        available_kernels, get_num_threads, in_default_mode, kernel, native_calls, set_num_threads,
    };
    #[pymodule_export]
    use super::frameworks::{implement_for_torch, register_tensorflow, xla_handlers};
    #[pymodule_export]
    use super::limit::keep_to;
    #[pymodule_export]
    use super::matrix::cosine_similarity;
    #[pymodule_export]
    use super::mine::mine_pairs;
    #[pymodule_export]
    use super::paired::paired_cosine_similarity;
    #[pymodule_export]
    use super::range::range_search;
    #[pymodule_export]
    use super::top_k::top_k;

    #[pymodule_export]
    #[allow(non_upper_case_globals)] // the name that Python modules use
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
