//! The text of every error: which argument, what it was, what it should have been.

use cosim_rs::Error;
use cosim_rs::score::{Options, batched_cosine_similarity, cosine_similarity};
use ndarray::{Array2, Array3};

fn message_of(options: &Options<'_>) -> String {
    let (x, mut scores) = (Array2::<f32>::ones((2, 3)), Array2::<f32>::zeros((2, 2)));
    cosine_similarity(x.view(), x.view(), scores.view_mut(), options).unwrap_err().to_string()
}

#[test]
fn shapes() {
    let (users, items) = (Array2::<f32>::ones((2, 4)), Array3::<f32>::ones((2, 5, 3)));
    let mut scores = Array2::<f32>::zeros((2, 5));
    let error = batched_cosine_similarity(
        users.view(),
        items.view(),
        scores.view_mut(),
        &Options::default(),
    );
    assert_eq!(error.unwrap_err().to_string(), "users: got shape [2, 4], expected [2, 3]");
}

#[test]
fn epsilon() {
    for (epsilon, shown) in [
        (-1.5, "-1.5"),
        (f64::NAN, "NaN"),
        (f64::INFINITY, "inf"),
        (1.0e39, "1000000000000000000000000000000000000000"),
    ] {
        let message = message_of(&Options { epsilon, ..Options::default() });
        let expected = format!("epsilon: got {shown}, expected a finite number of at least 0");
        assert_eq!(message, expected);
    }
}

#[test]
fn threads() {
    let message = message_of(&Options { threads: Some(0), ..Options::default() });
    assert_eq!(message, "threads: got 0, expected at least 1");
}

/// The errors of the environment, which is read once in a process, and of an interrupt.
#[test]
fn others() {
    let name = "COSIM_RS_NUM_THREADS";
    assert_eq!(
        Error::ThreadsVariable { name, got: "two".into() }.to_string(),
        "COSIM_RS_NUM_THREADS: got \"two\", expected a whole number of threads of at least 1"
    );
    assert_eq!(
        Error::Kernel { got: "mmx".into(), available: "portable, avx2".into() }.to_string(),
        "COSIM_RS_KERNEL: got \"mmx\", available here: portable, avx2"
    );
    assert_eq!(Error::Interrupted.to_string(), "interrupted");
}
