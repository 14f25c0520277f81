//! Repeatable randomness. Everything invented in a fleet (uids, suffixes, which lab breaks when) comes from one number.

/// A small deterministic generator (SplitMix64): the same seed gives the same fleet on every machine.
#[derive(Clone, Debug)]
pub struct Seed(u64);

/// What Kubernetes builds random name suffixes from: no vowels and nothing that looks like another letter.
const SUFFIX_LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

impl Seed {
    /// A generator that starts at `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A generator of its own for the thing called `name`; drawing from it does not disturb this one.
    #[must_use]
    pub fn for_name(&self, name: &str) -> Self {
        // FNV-1a, then mixed with the seed.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(mix(self.0 ^ hash))
    }

    /// A generator of its own for the thing with this number.
    #[must_use]
    pub fn for_index(&self, index: u64) -> Self {
        Self(mix(self.0 ^ index.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    }

    /// The next 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number below `bound`; 0 when the bound is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = bound as u64;
        // The remainder is below a bound that was a usize, so it fits one.
        if bound == 0 {
            0
        } else {
            usize::try_from(self.bits() % bound).unwrap_or(0)
        }
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = high.saturating_sub(low).unsigned_abs().saturating_add(1);
        low.saturating_add_unsigned(self.bits() % span)
    }

    /// True in `percent` of a hundred cases.
    pub fn chance(&mut self, percent: u8) -> bool {
        self.bits() % 100 < u64::from(percent)
    }

    /// One of the choices; the fallback when there are none.
    pub fn pick<'a, T: ?Sized>(&mut self, choices: &[&'a T], fallback: &'a T) -> &'a T {
        choices.get(self.below(choices.len())).copied().unwrap_or(fallback)
    }

    /// A random suffix of `length` letters, as in pod names.
    pub fn suffix(&mut self, length: usize) -> String {
        (0..length)
            .map(|_| char::from(SUFFIX_LETTERS.get(self.below(SUFFIX_LETTERS.len())).copied().unwrap_or(b'x')))
            .collect()
    }

    /// A version 4 uuid.
    pub fn uuid(&mut self) -> String {
        let (high, low) = (self.bits(), self.bits());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            ((low >> 48) & 0x3fff) | 0x8000,
            low & 0xffff_ffff_ffff
        )
    }

    /// A lab guid: five letters and digits of which the first is a letter.
    pub fn guid(&mut self) -> String {
        let first = char::from(b'a' + u8::try_from(self.below(26)).unwrap_or(0));
        format!("{first}{}", self.suffix(4))
    }
}

fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::Seed;

    #[test]
    fn the_same_seed_draws_the_same_values() {
        let draw = |seed| {
            let mut seed = Seed::new(seed);
            (seed.uuid(), seed.suffix(5), seed.guid(), seed.between(-3, 3))
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn names_get_streams_of_their_own() {
        let root = Seed::new(1);
        assert_ne!(root.for_name("a").bits(), root.for_name("b").bits());
        assert_eq!(root.for_name("a").bits(), root.for_name("a").bits());
    }

    #[test]
    fn bounds_hold() {
        let mut seed = Seed::new(3);
        assert_eq!(seed.below(0), 0);
        for _ in 0..1000 {
            assert!(seed.below(7) < 7);
            assert!((-2..=5).contains(&seed.between(-2, 5)));
        }
    }
}
