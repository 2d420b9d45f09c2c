//! Names that nobody shares, one after the other in one text: without an allocation each, and read in the order of
//! memory when all of them are searched.

/// Where a name stands in its [`Names`]; means nothing without them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name {
    begin: u32,
    length: u16,
}

#[derive(Debug, Default)]
pub struct Names {
    text: String,
    /// Bytes of names that were given back.
    unused: usize,
}

/// What is unused below this is not worth writing the rest anew.
const LEAST_UNUSED: usize = 2 * 1024;

impl Names {
    /// Keeps a name. One that Kubernetes gives has at most 253 bytes; of a longer one the beginning is kept.
    ///
    /// # Panics
    ///
    /// With more than 4 GiB of names, which no cluster has.
    pub fn keep(&mut self, name: &str) -> Name {
        let name = &name[..name.floor_char_boundary(usize::from(u16::MAX))];
        let begin = u32::try_from(self.text.len()).expect("a cluster has less than 4 GiB of names");
        self.text.push_str(name);
        Name {
            begin,
            length: u16::try_from(name.len()).unwrap_or(u16::MAX),
        }
    }

    #[must_use]
    pub fn text(&self, name: Name) -> &str {
        let begin = name.begin as usize;
        &self.text[begin..begin + usize::from(name.length)]
    }

    /// The name is needed no more; its bytes go when [`Self::renew`] is called.
    pub fn give_back(&mut self, name: Name) {
        self.unused += usize::from(name.length);
    }

    /// Writes the names that are still there anew, when more than half of the text is unused.
    pub fn renew<'a>(&mut self, names: impl Iterator<Item = &'a mut Name>) {
        if self.unused < LEAST_UNUSED.max(self.text.len() / 2) {
            return;
        }
        let old = std::mem::take(self);
        for name in names {
            *name = self.keep(old.text(*name));
        }
    }

    /// Bytes of memory.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.text.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_come_and_go_leave_nothing_and_the_others_stay() {
        let mut names = Names::default();
        let mut stays = [names.keep("web-1"), names.keep(""), names.keep("größe")];
        for round in 0..200_000 {
            let name = names.keep(&format!("pod-{round}"));
            names.give_back(name);
            names.renew(stays.iter_mut());
        }
        assert!(names.bytes() < 8 * LEAST_UNUSED, "{}", names.bytes());
        assert_eq!(stays.map(|name| names.text(name)), ["web-1", "", "größe"]);
    }

    #[test]
    fn a_name_that_is_too_long_is_cut_at_a_letter() {
        let mut names = Names::default();
        let long = names.keep(&"ö".repeat(40_000));
        assert_eq!(names.text(long), "ö".repeat(32_767));
        let next = names.keep("web");
        assert_eq!(names.text(next), "web");
    }
}
