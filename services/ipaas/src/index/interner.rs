//! Texts that many rows share, each kept once.
//!
//! Rows hold 4-byte symbols. Symbols are counted, so that images and nodes that come and go over
//! millions of changes leave nothing behind.

use std::collections::HashMap;
use std::sync::Arc;

/// A text of an [`Interner`]; means nothing without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Symbol(u32);

impl Symbol {
    /// The empty text, in every interner.
    pub const EMPTY: Self = Self(0);

    /// For tables beside the interner.
    #[must_use]
    pub fn position(self) -> usize {
        self.0 as usize
    }
}

#[derive(Debug)]
struct Entry {
    text: Arc<str>,
    holders: u32,
}

#[derive(Debug)]
pub struct Interner {
    entries: Vec<Entry>,
    by_text: HashMap<Arc<str>, u32>,
    free: Vec<u32>,
}

impl Default for Interner {
    fn default() -> Self {
        Self {
            entries: vec![Entry {
                text: Arc::from(""),
                holders: 1,
            }],
            by_text: HashMap::new(),
            free: Vec::new(),
        }
    }
}

impl Interner {
    /// The symbol of a text, held once more.
    pub fn hold(&mut self, text: &str) -> Symbol {
        if text.is_empty() {
            return Symbol::EMPTY;
        }
        if let Some(place) = self.by_text.get(text) {
            self.entries[*place as usize].holders += 1;
            return Symbol(*place);
        }
        let text: Arc<str> = Arc::from(text);
        let entry = Entry {
            text: text.clone(),
            holders: 1,
        };
        let place = match self.free.pop() {
            Some(place) => {
                self.entries[place as usize] = entry;
                place
            }
            None => {
                self.entries.push(entry);
                u32::try_from(self.entries.len() - 1).expect("a cluster has fewer than 4 billion texts")
            }
        };
        self.by_text.insert(text, place);
        Symbol(place)
    }

    /// Gives a symbol back; the text goes with its last holder.
    pub fn release(&mut self, symbol: Symbol) {
        if symbol == Symbol::EMPTY {
            return;
        }
        let entry = &mut self.entries[symbol.position()];
        entry.holders -= 1;
        if entry.holders == 0 {
            let text = std::mem::replace(&mut entry.text, Arc::from(""));
            self.by_text.remove(&text);
            self.free.push(symbol.0);
        }
    }

    /// The symbol of a text that somebody holds.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<Symbol> {
        if text.is_empty() {
            return Some(Symbol::EMPTY);
        }
        self.by_text.get(text).map(|place| Symbol(*place))
    }

    #[must_use]
    pub fn text(&self, symbol: Symbol) -> &str {
        &self.entries[symbol.position()].text
    }

    /// One more than the largest position of a symbol.
    #[must_use]
    pub fn positions(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_kept_once_and_goes_with_its_last_holder() {
        let mut interner = Interner::default();
        let first = interner.hold("node-1");
        assert_eq!(interner.hold("node-1"), first);
        let other = interner.hold("node-2");
        assert_ne!(first, other);
        interner.release(first);
        assert_eq!(interner.text(first), "node-1");
        interner.release(first);
        assert_eq!(interner.find("node-1"), None);
        assert_eq!(interner.text(other), "node-2");
        assert_eq!(interner.hold(""), Symbol::EMPTY);
        assert_eq!(interner.text(Symbol::EMPTY), "");
    }

    #[test]
    fn a_million_texts_that_come_and_go_leave_nothing() {
        let mut interner = Interner::default();
        for round in 0..1_000_000 {
            let symbol = interner.hold(&format!("image:{round}"));
            interner.release(symbol);
        }
        assert_eq!(interner.positions(), 2);
        assert!(interner.by_text.is_empty());
    }
}
