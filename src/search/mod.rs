//! Search: the best items for each user, exactly.
//!
//! The order is total: by score descending, then by index ascending. So the best k are the first k
//! of the best k + 1, and they are those of a stable sort of the full score matrix, bit for bit,
//! for any number of threads and any way of cutting the work. NaN is in no order and never found.
//!
//! ```
//! use cosim_rs::score::Options;
//! use cosim_rs::search::{Filter, top_k};
//! use ndarray::arr2;
//!
//! let users = arr2(&[[1.0_f32, 0.0]]);
//! let items = arr2(&[[0.0, 2.0], [3.0, 0.0], [1.0, 1.0], [5.0, 0.0]]);
//! let best = top_k(users.view(), items.view(), 3, &Filter::default(), &Options::default())?;
//! assert_eq!(best.indices, arr2(&[[1, 3, 2]]));
//! assert_eq!(best.scores[(0, 0)], 1.0);
//! # Ok::<(), cosim_rs::Error>(())
//! ```

mod bits;
mod block;
mod bound;
mod buckets;
mod catalogue;
mod coded;
mod cut;
mod filter;
mod grid;
mod hits;
mod lists;
mod members;
mod mine;
mod own;
mod range;
mod scan;
mod segment;
mod sweep;
mod tiles;
mod top_k;
mod wanted;
mod zero_users;

pub use catalogue::{Catalogue, Shared};
pub use filter::Filter;
pub use lists::Lists;
pub use mine::{Mining, Pairs, mine_pairs};
pub use range::{Ranges, range_search};
pub use segment::Segment;
pub use top_k::{TopK, top_k, top_k_of};
