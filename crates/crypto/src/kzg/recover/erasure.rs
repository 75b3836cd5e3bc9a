//! Reed–Solomon codes of length n and dimension n / 2 on a domain of roots of unity, values in bit-reversed order: which
//! is how cells stand in a row, and how rows stand in a column (data at the even powers, parity at the odd ones).
//!
//! With Z the polynomial that vanishes where values are missing, D = f · Z is known everywhere: it is zero there. Since
//! D′ = f′ · Z + f · Z′, a missing value is f(x) = D′(x) / Z′(x): one inverse transform, one derivative, one transform,
//! instead of dividing polynomials on a coset. The degree of D tells whether the known values contradict each other.

use blstrs::Scalar;
use ff::Field;

use crate::kzg::{
    field,
    ntt::{self, Direction},
};

/// A pattern of missing values, ready to fill any number of words that miss the same.
pub(super) struct Erasure {
    /// Z at each place that is known; zero where a value is missing.
    vanishing: Vec<Scalar>,
    /// Places that miss a value, with what x · D′(x), not yet divided by n, is to be multiplied with there.
    missing: Vec<(usize, Scalar)>,
}

/// The known values are not those of one polynomial of degree below n / 2.
#[derive(Debug)]
pub(super) struct Contradiction;

impl Erasure {
    /// `is_known` by place; at least half of the places are known. Rebuilt values come out times `scale`.
    pub(super) fn new(length: usize, is_known: impl Fn(usize) -> bool, scale: &Scalar) -> Self {
        let points: Vec<_> = (0..length)
            .map(|place| *ntt::root(length, ntt::reverse_bits(place, length), Direction::Forward))
            .collect();
        let lost: Vec<usize> = (0..length).filter(|place| !is_known(*place)).collect();
        // The product of the distances to all missing points but itself.
        let product = |place: usize| {
            let others = lost.iter().filter(|other| **other != place);
            others.fold(<Scalar as Field>::ONE, |product, other| product * (points[place] - points[*other]))
        };
        let vanishing = (0..length)
            .map(|place| if is_known(place) { product(place) } else { <Scalar as Field>::ZERO })
            .collect();
        let mut divisors: Vec<_> = lost.iter().map(|place| product(*place) * points[*place]).collect();
        field::invert_all(&mut divisors);
        let scale = scale * ntt::inverse_of(length);
        let missing = lost.into_iter().zip(divisors.into_iter().map(|inverse| inverse * scale)).collect();
        Self { vanishing, missing }
    }

    /// Fills the missing places of `width` words side by side. Other places hold nothing of use afterwards.
    pub(super) fn fill(&self, words: &mut [Scalar], width: usize) -> Result<(), Contradiction> {
        let length = self.vanishing.len();
        for (block, factor) in words.chunks_exact_mut(width).zip(&self.vanishing) {
            block.iter_mut().for_each(|value| *value *= factor);
        }
        ntt::from_reversed(words, width, Direction::Inverse);
        let degrees = length / 2 + self.missing.len();
        if words[degrees * width..].iter().any(|coefficient| !bool::from(coefficient.is_zero())) {
            return Err(Contradiction);
        }
        for (k, block) in words.chunks_exact_mut(width).enumerate() {
            let k = Scalar::from(k as u64);
            block.iter_mut().for_each(|coefficient| *coefficient *= k);
        }
        ntt::from_natural(words, width, Direction::Forward);
        for (place, factor) in &self.missing {
            words[place * width..][..width].iter_mut().for_each(|value| *value *= factor);
        }
        Ok(())
    }
}
