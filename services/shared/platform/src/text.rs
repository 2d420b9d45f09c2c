//! What sentences are made of.

use std::fmt::Display;

/// A number with its noun: `1 replica`, `2 replicas`, `0 replicas`. For nouns whose plural has an `s` more.
#[must_use]
pub fn counted<N: Copy + Display + PartialEq + From<u8>>(count: N, noun: &str) -> String {
    let ending = if count == N::from(1) { "" } else { "s" };
    format!("{count} {noun}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_one_and_nothing_are_many() {
        assert_eq!(counted(1_u32, "replica"), "1 replica");
        assert_eq!(counted(0_usize, "pod"), "0 pods");
        assert_eq!(counted(12_i64, "service"), "12 services");
        assert_eq!(counted(1.0, "GPU"), "1 GPU");
    }
}
