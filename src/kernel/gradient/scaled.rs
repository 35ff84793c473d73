//! Gradients of any finite vectors, one pair at a time: slow, and safe from the smallest to the largest.
//!
//! Each vector is multiplied by the power of two that brings its largest element (or epsilon) to
//! [1, 2), and the gradient of the score by one that brings it there too. Then no product or sum is
//! out of range, and the powers are undone at the very end, by one that is exact or too large.

use crate::kernel::range::Floor;
use crate::kernel::real::Real;

/// A vector times a power of two.
pub(crate) struct Scaled<E> {
    elements: Vec<E>,
    /// Of the power that it was divided by.
    exponent: i32,
    /// At least epsilon, on this scale; NaN if an element is not finite, 0 if there is no direction.
    norm: E,
    /// Whether epsilon is the norm.
    is_raised: bool,
}

impl<E: Real> Scaled<E> {
    pub(crate) fn new(row: &[E], floor: Floor<E>) -> Self {
        let mut largest = floor.epsilon();
        for element in row {
            let magnitude = element.magnitude();
            if !magnitude.is_finite() {
                return Self { elements: Vec::new(), exponent: 0, norm: E::NAN, is_raised: false };
            }
            if magnitude > largest {
                largest = magnitude;
            }
        }
        if largest == E::ZERO {
            return Self { elements: Vec::new(), exponent: 0, norm: E::ZERO, is_raised: false };
        }
        let exponent = largest.exponent();
        let elements: Vec<_> = row.iter().map(|e| e.times_power_of_two(-exponent)).collect();
        let norm = dot(&elements, &elements).square_root();
        let epsilon = floor.epsilon().times_power_of_two(-exponent);
        let is_raised = norm < epsilon;
        Self { elements, exponent, norm: if is_raised { epsilon } else { norm }, is_raised }
    }

    /// What this pair adds to the gradients of the two, given that of its score: a number an element.
    /// The `v` side is written; the `u` side is added to.
    pub(crate) fn gradients(
        &self,
        v: &Self,
        weight: E,
        u_sum: Option<&mut [E]>,
        v_gradient: Option<&mut [E]>,
    ) {
        let product = self.norm * v.norm;
        if product == E::ZERO || weight == E::ZERO && !product.is_nan() {
            if let Some(gradient) = v_gradient {
                gradient.fill(E::ZERO);
            }
            return;
        }
        if !(product.is_finite() && weight.is_finite()) {
            for sum in u_sum.into_iter().chain(v_gradient).flatten() {
                *sum = E::NAN;
            }
            return;
        }
        let weight_exponent = weight.exponent();
        let weight = weight.times_power_of_two(-weight_exponent);
        let score = dot(&self.elements, &v.elements) / product;
        if let Some(gradient) = v_gradient {
            let one = v.toward(score, product, self);
            for (gradient, number) in gradient.iter_mut().zip(one) {
                *gradient = unscaled(weight * number, weight_exponent - v.exponent);
            }
        }
        if let Some(sum) = u_sum {
            let one = self.toward(score, product, v);
            for (sum, number) in sum.iter_mut().zip(one) {
                let number = unscaled(weight * number, weight_exponent - self.exponent);
                *sum = (*sum + number).saturated();
            }
        }
    }

    /// The gradient of the score with respect to this vector, on its scale.
    fn toward<'a>(&'a self, score: E, product: E, other: &'a Self) -> impl Iterator<Item = E> + 'a {
        let along = if self.is_raised { E::ZERO } else { -score / (self.norm * self.norm) };
        let pairs = self.elements.iter().zip(&other.elements);
        pairs.map(move |(&own, &others)| own.multiply_add(along, others / product))
    }
}

/// A number times a power of two; the largest where that is too large.
fn unscaled<E: Real>(number: E, exponent: i32) -> E {
    if number == E::ZERO { number } else { number.times_power_of_two(exponent).saturated() }
}

fn dot<E: Real>(x: &[E], y: &[E]) -> E {
    x.iter().zip(y).fold(E::ZERO, |sum, (&x, &y)| x.multiply_add(y, sum))
}
