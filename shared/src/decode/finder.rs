//! The search for a short needle where code size counts more than speed: the viewer's Wasm. There
//! memchr's own finder (two-way search, prefilters) would be a fifteenth of the download, and each
//! part of `/bytes` has a Content-Length, so that only the delimiters' own bytes are searched.

use alloc::vec::Vec;
use core::marker::PhantomData;

/// A stand-in for `memchr::memmem::Finder`, with the same methods.
#[derive(Clone, Debug)]
pub(super) struct Finder<'n> {
    needle: Vec<u8>,
    borrowed: PhantomData<&'n [u8]>,
}

impl Finder<'_> {
    pub(super) fn new<N: AsRef<[u8]> + ?Sized>(needle: &N) -> Self {
        Self {
            needle: needle.as_ref().to_vec(),
            borrowed: PhantomData,
        }
    }

    pub(super) fn into_owned(self) -> Finder<'static> {
        Finder {
            needle: self.needle,
            borrowed: PhantomData,
        }
    }

    pub(super) fn needle(&self) -> &[u8] {
        &self.needle
    }

    pub(super) fn find(&self, hay: &[u8]) -> Option<usize> {
        let first = *self.needle.first()?;
        memchr::memchr_iter(first, hay).find(|&at| {
            hay.get(at..)
                .is_some_and(|rest| rest.starts_with(&self.needle))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both finders agree on every needle and hay over two letters.
    #[test]
    fn finds_what_memmem_finds() {
        let word = |n_letters: usize, bits: usize| -> Vec<u8> {
            (0..n_letters)
                .map(|at| b'a' + (bits >> at & 1) as u8)
                .collect()
        };
        for n_needle in 1..=4 {
            for needle in (0..1 << n_needle).map(|bits| word(n_needle, bits)) {
                let (ours, theirs) = (Finder::new(&needle), memchr::memmem::Finder::new(&needle));
                assert_eq!(ours.clone().into_owned().needle(), needle);
                for hay in (0..1 << 8).map(|bits| word(8, bits)) {
                    assert_eq!(ours.find(&hay), theirs.find(&hay), "{needle:?} in {hay:?}");
                }
            }
        }
    }
}
