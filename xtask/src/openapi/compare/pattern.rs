//! Inclusion of regular expressions, decided on the product of their automata.

use std::collections::HashSet;

use regex_automata::dfa::Automaton;
use regex_automata::dfa::StartKind;
use regex_automata::dfa::dense::{Builder, Config, DFA};
use regex_automata::util::primitives::StateID;
use regex_automata::util::start;
use regex_automata::{Anchored, MatchKind};

/// Bound on the size of an automaton and on its construction, in bytes.
const MAX_SIZE: usize = 64 << 20;
/// Maximum number of states of the product.
const MAX_STATES: usize = 1 << 20;

/// Whether `wide` finds a match in every text in which `narrow` finds one. `None` if a pattern is not supported, or a bound
/// is exceeded.
pub fn is_within(narrow: &str, wide: &str) -> Option<bool> {
    // The third automaton restricts the texts to valid UTF-8.
    let automata = [narrow, wide, r"\A(?s:.)*\z"].map(Walk::of);
    let [Some(narrow), Some(wide), Some(text)] = automata else { return None };
    let begin = [narrow.begin()?, wide.begin()?, text.begin()?];
    let (mut seen, mut left) = (HashSet::from([begin]), vec![begin]);
    while let Some([of_narrow, of_wide, of_text]) = left.pop() {
        if narrow.matches(of_narrow) && text.matches(of_text) && !wide.matches(of_wide) {
            return Some(false);
        }
        for byte in 0..=u8::MAX {
            let next = [narrow.next(of_narrow, byte), wide.next(of_wide, byte), text.next(of_text, byte)];
            if text.is_over(next[2]) || narrow.is_over(next[0]) {
                continue;
            }
            if seen.insert(next) {
                left.push(next);
            }
        }
        if seen.len() > MAX_STATES {
            return None;
        }
    }
    Some(true)
}

/// The automaton of one pattern.
struct Walk(DFA<Vec<u32>>);

/// A state, and whether a match was found before it.
type Place = (StateID, bool);

impl Walk {
    fn of(pattern: &str) -> Option<Self> {
        let config = Config::new().match_kind(MatchKind::All).start_kind(StartKind::Unanchored);
        let config = config.dfa_size_limit(Some(MAX_SIZE)).determinize_size_limit(Some(MAX_SIZE));
        Builder::new().configure(config).build(pattern).ok().map(Self)
    }

    fn begin(&self) -> Option<Place> {
        let state = self.0.start_state(&start::Config::new().anchored(Anchored::No)).ok()?;
        Some((state, self.0.is_match_state(state)))
    }

    fn next(&self, (state, matched): Place, byte: u8) -> Place {
        let next = self.0.next_state(state, byte);
        let matched = matched || self.0.is_match_state(next);
        // After a match, the state is irrelevant.
        if matched { (StateID::ZERO, true) } else { (next, false) }
    }

    /// Whether a text that ends here contains a match.
    fn matches(&self, (state, matched): Place) -> bool {
        matched || self.0.is_match_state(self.0.next_eoi_state(state))
    }

    /// Whether no continuation from here contains a match.
    fn is_over(&self, (state, matched): Place) -> bool {
        !matched && self.0.is_dead_state(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrower_pattern_is_within_wider_one() {
        for (narrow, wide) in [
            ("^[1-9][0-9]{0,14}$", "^[1-9][0-9]{0,15}$"),
            ("^(user:[1-9]{1,3}|operator)$", "^(operator|service|user:[0-9]{1,4})$"),
            ("^[A-F]{2,4}$", "^[A-Fa-f]+$"),
            ("^a$", r"^[\s\S]*$"),
            (r"\S", ""),
            ("^ab", "a"),
            ("é", r"\S"),
            ("^[^x]{1,128}$", "^[^xy]*y?[^x]*$"),
        ] {
            assert_eq!(is_within(narrow, wide), Some(true), "{narrow} {wide}");
            assert_eq!(is_within(wide, narrow), Some(false), "{wide} {narrow}");
        }
    }

    #[test]
    fn equivalent_patterns_include_each_other() {
        for (one, other) in [("^[0-9]+$", "^[0-9][0-9]*$"), ("^(a|b)$", "^[ab]$"), ("a", "^[^a]*a"), ("^$", r"\A\z")] {
            assert_eq!(is_within(one, other), Some(true), "{one} {other}");
            assert_eq!(is_within(other, one), Some(true), "{other} {one}");
        }
        assert_eq!(is_within("a", "b"), Some(false));
    }

    #[test]
    fn unsupported_pattern_is_undecided() {
        assert_eq!(is_within("^(?=a)", "a"), None);
        assert_eq!(is_within("a", "("), None);
    }
}
