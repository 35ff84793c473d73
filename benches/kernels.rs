//! The kernels by themselves, through the public Rust functions: `cargo bench --bench kernels`.
//! (Against other libraries, see `benches/peers`.)

use cosim_rs::Gradient;
use cosim_rs::gradient::batched_cosine_gradient;
use cosim_rs::score::{self, Options};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ndarray::{Array1, Array2, Array3, ArrayD, IxDyn};

/// Numbers of about unit size, alike in every run.
fn numbers(shape: &[usize]) -> ArrayD<f32> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    ArrayD::from_shape_fn(IxDyn(shape), |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        f32::from(i16::from_le_bytes([state.to_le_bytes()[6], state.to_le_bytes()[7]])) / 16384.0
    })
}

fn matrix(rows: usize, dim: usize) -> Array2<f32> {
    numbers(&[rows, dim]).into_dimensionality().expect("two axes")
}

fn batched(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("batched");
    for (batch, count, dim) in [(8, 50, 32), (32, 100, 64), (256, 1000, 64), (64, 10_000, 100)] {
        let users = matrix(batch, dim);
        let items: Array3<f32> =
            numbers(&[batch, count, dim]).into_dimensionality().expect("three axes");
        let mut scores = Array2::<f32>::zeros((batch, count));
        group.throughput(Throughput::Bytes((items.len() * size_of::<f32>()) as u64));
        let name = format!("{batch}x{count}x{dim}");
        for threads in [Some(1), None] {
            let options = Options { threads, ..Options::default() };
            let id = BenchmarkId::new(&name, threads.map_or("all", |_| "one"));
            group.bench_function(id, |bencher| {
                bencher.iter(|| {
                    let (users, items) = (users.view(), items.view());
                    score::batched_cosine_similarity(users, items, scores.view_mut(), &options)
                });
            });
        }
    }
}

fn gradients(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("gradients");
    for (batch, count, dim) in [(8, 50, 32), (32, 100, 64), (256, 1000, 64), (64, 10_000, 100)] {
        let users = matrix(batch, dim);
        let items: Array3<f32> =
            numbers(&[batch, count, dim]).into_dimensionality().expect("three axes");
        let weights = matrix(batch, count);
        let (mut of_users, mut of_items) = (users.clone(), items.clone());
        group.throughput(Throughput::Bytes((2 * items.len() * size_of::<f32>()) as u64));
        let name = format!("{batch}x{count}x{dim}");
        for threads in [Some(1), None] {
            let options = Options { threads, ..Options::default() };
            let id = BenchmarkId::new(&name, threads.map_or("all", |_| "one"));
            group.bench_function(id, |bencher| {
                bencher.iter(|| {
                    let of_users = of_users.as_slice_mut().map(Gradient::Native);
                    let of_items = of_items.as_slice_mut().map(Gradient::Native);
                    let (users, items, weights) = (users.view(), items.view(), weights.view());
                    batched_cosine_gradient(users, items, weights, of_users, of_items, &options)
                });
            });
        }
    }
}

fn paired(criterion: &mut Criterion) {
    let (x, y) = (matrix(100_000, 64), matrix(100_000, 64));
    let mut scores = Array1::<f32>::zeros(100_000);
    criterion.bench_function("paired/100000x64", |bencher| {
        bencher.iter(|| {
            let options = Options::default();
            score::paired_cosine_similarity(x.view(), y.view(), scores.view_mut(), &options)
        });
    });
}

fn full_matrix(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("matrix");
    group.sample_size(20);
    for dim in [64, 128, 384] {
        let (x, y) = (matrix(1000, dim), matrix(10_000, dim));
        let mut scores = Array2::<f32>::zeros((1000, 10_000));
        group.throughput(Throughput::Elements(scores.len() as u64 * dim as u64));
        for threads in [Some(1), None] {
            let options = Options { threads, ..Options::default() };
            let id = BenchmarkId::new(dim.to_string(), threads.map_or("all", |_| "one"));
            group.bench_function(id, |bencher| {
                bencher.iter(|| {
                    score::cosine_similarity(x.view(), y.view(), scores.view_mut(), &options)
                });
            });
        }
    }
}

fn self_matrix(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("self_matrix");
    group.sample_size(20);
    for dim in [32, 128] {
        let x = matrix(4000, dim);
        let mut scores = Array2::<f32>::zeros((4000, 4000));
        let options = Options::default();
        group.bench_function(BenchmarkId::new(dim.to_string(), "mirrored"), |bencher| {
            bencher.iter(|| score::self_cosine_similarity(x.view(), scores.view_mut(), &options));
        });
        group.bench_function(BenchmarkId::new(dim.to_string(), "whole"), |bencher| {
            bencher
                .iter(|| score::cosine_similarity(x.view(), x.view(), scores.view_mut(), &options));
        });
    }
}

criterion_group!(benches, batched, gradients, paired, full_matrix, self_matrix);
criterion_main!(benches);
