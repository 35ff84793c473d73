//! The gradients of batched scores: each item is read once, and its gradient written in the same pass
//! that adds to its user's.

use crate::error::Error;
use crate::kernel::real::Real;
use crate::parallel::for_each;
use crate::score::{Call, Options, check_shape, rows_per_block};
use crate::view::{Batches, Gradient, Rows};
use ndarray::{ArrayView2, s};

/// A row takes this many times as long as its score, so a block has fewer.
const SHARE: usize = 4;

/// The gradients of users `(B, D)` and of their items `(B, N, D)`, given that of the scores `(B, N)`.
///
/// Each is written to room for as many numbers, if there is any for it; of vectors of 8-bit integers
/// there is none. See [the module](crate::gradient) for the formula.
///
/// # Errors
/// [`Error::Shape`] if the shapes do not fit, and the errors of the [`Options`].
pub fn batched_cosine_gradient<'a, E: Real>(
    users: impl Into<Rows<'a, E>>,
    items: impl Into<Batches<'a, E>>,
    scores_gradient: ArrayView2<'_, E>,
    mut users_gradient: Option<Gradient<'_, E>>,
    items_gradient: Option<Gradient<'_, E>>,
    options: &Options<'_>,
) -> Result<(), Error> {
    let (users, items) = (users.into(), items.into());
    let (batch, count, dim) = items.dim();
    check_shape("users", &users.shape(), &[batch, dim])?;
    check_shape("scores_gradient", scores_gradient.shape(), &[batch, count])?;
    check_room("users_gradient", users_gradient.as_ref(), batch * dim)?;
    check_room("items_gradient", items_gradient.as_ref(), batch * count * dim)?;
    let call = Call::<E>::new(options)?;

    let rows = rows_per_block::<E>(dim.saturating_mul(SHARE));
    let blocks = count.div_ceil(rows).max(1);
    let mut own_sums = Vec::new();
    let sums = match &mut users_gradient {
        None => None,
        Some(Gradient::Native(gradient)) if blocks == 1 => Some(&mut **gradient),
        Some(_) => {
            own_sums.resize(batch * blocks * dim, E::ZERO);
            Some(&mut own_sums[..])
        }
    };
    let jobs = Jobs {
        shape: (batch, count, dim),
        most: ((rows / count.max(1)).max(1), rows),
        next: (0, 0),
        sums,
        items: items_gradient,
    };
    let job_count = batch.div_ceil(jobs.most.0).saturating_mul(blocks);
    let threads =
        call.threads_for(batch.saturating_mul(count).saturating_mul(dim).saturating_mul(2));
    for_each(jobs, job_count, threads, call.interrupted, |mut job| {
        let (mut scratch, mut weights) = (Vec::new(), Vec::new());
        for place in 0..job.users {
            let user = job.first_user + place;
            let columns = job.first_item..job.first_item + job.items;
            weights.clear();
            weights.extend(scores_gradient.slice(s![user, columns.clone()]));
            let items = items.of(user).range(columns);
            let sum =
                job.sums.as_mut().map(|sums| sums.split_off_mut(..dim).expect("a sum a user"));
            let room = job.gradient.as_mut().map(|gradient| gradient.split_off(job.items * dim));
            call.kernels.gradients(
                users.row(user, &mut scratch),
                items,
                &weights,
                call.floor,
                sum,
                room,
            );
        }
    })?;
    if let (Some(gradient), false) = (&mut users_gradient, own_sums.is_empty()) {
        gather(&own_sums, (batch, blocks, dim), gradient);
    }
    Ok(())
}

fn check_room<E: Real>(
    name: &'static str,
    room: Option<&Gradient<'_, E>>,
    expected: usize,
) -> Result<(), Error> {
    room.map_or(Ok(()), |room| check_shape(name, &[room.len()], &[expected]))
}

/// Adds up the sums of each user's blocks, in order.
fn gather<E: Real>(
    sums: &[E],
    (batch, blocks, dim): (usize, usize, usize),
    gradient: &mut Gradient<'_, E>,
) {
    let mut sum = vec![E::ZERO; dim];
    for user in 0..batch {
        sum.fill(E::ZERO);
        for block in sums[user * blocks * dim..].chunks(dim).take(blocks) {
            for (sum, &part) in sum.iter_mut().zip(block) {
                *sum = (*sum + part).saturated();
            }
        }
        gradient.write(user * dim, &sum);
    }
}

/// Some users with all of their items, or one user with some of them; and room for what comes out.
struct Job<'a, E> {
    first_user: usize,
    users: usize,
    first_item: usize,
    items: usize,
    sums: Option<&'a mut [E]>,
    gradient: Option<Gradient<'a, E>>,
}

/// Cuts the work into jobs that own what they write.
struct Jobs<'a, E> {
    shape: (usize, usize, usize),
    /// Users and items of a job.
    most: (usize, usize),
    next: (usize, usize),
    sums: Option<&'a mut [E]>,
    items: Option<Gradient<'a, E>>,
}

impl<'a, E: Real> Iterator for Jobs<'a, E> {
    type Item = Job<'a, E>;

    fn next(&mut self) -> Option<Job<'a, E>> {
        let ((batch, count, dim), (first_user, first_item)) = (self.shape, self.next);
        if first_user == batch {
            return None;
        }
        let users = self.most.0.min(batch - first_user);
        let items = self.most.1.min(count - first_item);
        let is_last = first_item + items == count;
        self.next =
            if is_last { (first_user + users, 0) } else { (first_user, first_item + items) };
        Some(Job {
            first_user,
            users,
            first_item,
            items,
            sums: self.sums.as_mut().map(|sums| sums.split_off_mut(..users * dim).expect("sums")),
            gradient: self.items.as_mut().map(|gradient| gradient.split_off(users * items * dim)),
        })
    }
}
