//! A long call asks its caller now and then whether to stop, and stops.
//!
//! The work is far more than is done between two questions, on rows repeated by a stride of 0, so
//! that it costs no memory. Rows are equal, so a written score is 1; where it is 0, nothing was.

use cosim_rs::Error;
use cosim_rs::score::{
    Options, batched_cosine_similarity, paired_cosine_similarity, self_cosine_similarity,
};
use ndarray::{Array1, Array2, ArrayView2, Axis};
use std::cell::Cell;
use std::thread;

/// Calls with a caller that stops when asked for the `patience`-th time, on one thread and on
/// four; the first score must be there and the last one not.
fn assert_interruptible(call: impl Fn(&Options<'_>) -> (Result<(), Error>, [f32; 2])) {
    for threads in [1, 4] {
        for patience in [1, 3] {
            let caller = thread::current().id();
            let asked = Cell::new(0);
            let interrupted = || {
                assert_eq!(thread::current().id(), caller);
                asked.set(asked.get() + 1);
                asked.get() == patience
            };
            let options =
                Options { threads: Some(threads), interrupted: &interrupted, ..Options::default() };
            let (result, [first, last]) = call(&options);
            assert_eq!(result, Err(Error::Interrupted));
            assert_eq!(asked.get(), patience, "asked no more once it was told to stop");
            let [first, last] = [first, last].map(f32::to_bits);
            assert_eq!(first, 1.0_f32.to_bits(), "begun");
            assert_eq!(last, 0, "not finished");
        }
    }
}

fn repeated(row: &Array2<f32>, count: usize) -> ArrayView2<'_, f32> {
    row.broadcast((count, row.ncols())).unwrap()
}

#[test]
fn a_long_matrix_is_interrupted() {
    let row = Array2::ones((1, 4096));
    assert_interruptible(|options| {
        let mut scores = Array2::<f32>::zeros((8000, 8000));
        let result = self_cosine_similarity(repeated(&row, 8000), scores.view_mut(), options);
        (result, [scores[(0, 0)], scores[(7999, 7999)]])
    });
}

#[test]
fn a_long_batch_is_interrupted() {
    let row = Array2::ones((1, 4096));
    assert_interruptible(|options| {
        let (batch, count) = (8, 4_000_000);
        let mut scores = Array2::<f32>::zeros((batch, count));
        let users = repeated(&row, batch);
        let items = users.insert_axis(Axis(1));
        let items = items.broadcast((batch, count, 4096)).unwrap();
        let result = batched_cosine_similarity(users, items, scores.view_mut(), options);
        (result, [scores[(0, 0)], scores[(batch - 1, count - 1)]])
    });
}

#[test]
fn long_pairs_are_interrupted() {
    let row = Array2::ones((1, 4096));
    assert_interruptible(|options| {
        let count = 32_000_000;
        let mut scores = Array1::<f32>::zeros(count);
        let x = repeated(&row, count);
        let result = paired_cosine_similarity(x, x, scores.view_mut(), options);
        (result, [scores[0], scores[count - 1]])
    });
}

#[test]
fn a_call_of_one_block_asks_nothing() {
    let interrupted = || panic!("asked");
    let options = Options { interrupted: &interrupted, ..Options::default() };
    let (x, mut scores) = (Array2::<f32>::ones((3, 17)), Array2::<f32>::zeros((3, 3)));
    assert_eq!(self_cosine_similarity(x.view(), scores.view_mut(), &options), Ok(()));
    assert_eq!(scores, Array2::<f32>::ones((3, 3)));
}
