//! A catalogue: items prepared once, to be searched often.
//!
//! What is prepared are the items' codes, a quarter of their bytes or less; the items stay the
//! caller's. It may be searched from many threads at once. Codes can be kept in a file and handed over
//! again, where they lie.

use super::coded::Quantiser;
use super::filter::Filter;
use super::segment::Segment;
use super::top_k::{TopK, top_k_of};
use crate::error::Error;
use crate::kernel::quantise::MOST_CODES;
use crate::kernel::real::Real;
use crate::kernel::scan::GROUP;
use crate::kernel::scan::codes::ItemCodes;
use crate::kernel::scan::shared::SharedCodes;
pub use crate::kernel::scan::store::Shared;
use crate::memory;
use crate::parallel::for_each;
use crate::score::{Call, Options, rows_per_block};
use crate::view::Rows;

/// The codes of items; see the module's prose.
pub struct Catalogue {
    epsilon: f64,
    shape: [usize; 2],
    codes: ItemCodes,
}

impl Catalogue {
    /// Prepares `items` `(N, D)`; searches will use the epsilon of these options.
    ///
    /// # Errors
    /// [`Error::Memory`] if there is none for the codes, and the errors of the [`Options`].
    pub fn new<'a, E: Real>(
        items: impl Into<Rows<'a, E>>,
        options: &Options<'_>,
    ) -> Result<Self, Error> {
        let call = Call::<E>::new(options)?;
        let items = items.into();
        let [count, dim] = items.shape();
        let numbered = coded(count, dim);
        memory::ask_for(numbered.saturating_mul(dim), "the codes")?;
        let mut codes = ItemCodes::new(numbered, dim);
        let quantiser = Quantiser::new(&call);
        let part = rows_per_block::<E>(dim).next_multiple_of(GROUP);
        let threads = call.threads_for(count.saturating_mul(dim));
        for_each(
            codes.parts_to_fill(part),
            numbered.div_ceil(part),
            threads,
            call.interrupted,
            |mut blocks| {
                let end = (blocks.first + part).min(numbered);
                quantiser.fill(items.range(blocks.first..end), &mut blocks);
            },
        )?;
        Ok(Self { epsilon: options.epsilon, shape: [count, dim], codes })
    }

    /// The catalogue whose codes [`Self::lines`], [`Self::scales`] and [`Self::residuals`] gave, for items
    /// of this shape and this epsilon. Codes of other items make it find the wrong ones.
    ///
    /// # Errors
    /// [`Error::Epsilon`]; [`Error::Shape`] and [`Error::Codes`] if these cannot be anybody's codes.
    pub fn of_codes(
        shape: [usize; 2],
        epsilon: f64,
        lines: Shared<u8>,
        scales: Shared<f32>,
        residuals: Shared<f32>,
    ) -> Result<Self, Error> {
        let _call = Call::<f32>::new(&Options { epsilon, ..Options::default() })?;
        let [count, dim] = shape;
        let shared = SharedCodes { lines, scales, residuals };
        let codes = ItemCodes::shared(coded(count, dim), dim, shared)?;
        Ok(Self { epsilon, shape, codes })
    }

    /// The codes in whole lines of 64 bytes, and sixteen more lines that mean nothing.
    #[must_use]
    pub fn lines(&self) -> &[u8] {
        self.codes.parts().0
    }

    /// What a code of 1 stands for, an item, filled up to sixteen with zeros.
    #[must_use]
    pub fn scales(&self) -> &[f32] {
        self.codes.parts().1
    }

    /// The norm of what the codes leave out, an item; negative infinity for an item without scores,
    /// and behind the last one.
    #[must_use]
    pub fn residuals(&self) -> &[f32] {
        self.codes.parts().2
    }

    /// The best `k` of `items` for each of `users` `(U, D)`, as [`super::top_k`] finds them. They must be the
    /// items that were prepared: of others, what is found means nothing.
    ///
    /// # Errors
    /// Those of [`super::top_k`].
    pub fn top_k<'a, E: Real>(
        &'a self,
        users: impl Into<Rows<'a, E>>,
        items: impl Into<Rows<'a, E>>,
        k: usize,
        filter: &Filter<'_>,
        options: &Options<'_>,
    ) -> Result<TopK<E>, Error> {
        let options = Options { epsilon: self.epsilon, ..*options };
        top_k_of(users, &[Segment::prepared(items, self)?], k, filter, &options)
    }

    /// How many bytes the codes take, but for those that are shared.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.codes.bytes()
    }

    pub(super) fn shape(&self) -> [usize; 2] {
        self.shape
    }

    /// The codes, if all items have them and they serve a search in either type of float: they do
    /// unless an epsilon that is subnormal in 32 bits is another number there. A normal one is off
    /// by a rounding, for which the codes' errors have room.
    pub(super) fn whole_codes(&self) -> Option<&ItemCodes> {
        let serves_all_types = self.epsilon == 0.0 || self.epsilon >= f64::from(f32::MIN_POSITIVE);
        (self.codes.count() == self.shape[0] && serves_all_types).then_some(&self.codes)
    }
}

/// How many of the items have codes, all or none: longer vectors, and more items than the scan can
/// number, are searched without.
fn coded(count: usize, dim: usize) -> usize {
    if dim > MOST_CODES || u32::try_from(count).is_err() { 0 } else { count }
}
