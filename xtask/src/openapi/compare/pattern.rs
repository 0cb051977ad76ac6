//! Whether a pattern takes whatever another one takes: by walking through the automata of both at once.

use std::collections::HashSet;

use regex_automata::dfa::Automaton;
use regex_automata::dfa::StartKind;
use regex_automata::dfa::dense::{Builder, Config, DFA};
use regex_automata::util::primitives::StateID;
use regex_automata::util::start;
use regex_automata::{Anchored, MatchKind};

/// Bytes that an automaton, and the making of it, may take.
const LARGEST: usize = 64 << 20;
/// Pairs of states that are looked at.
const FARTHEST: usize = 1 << 20;

/// Whether every text that `narrow` matches somewhere is one that `wide` matches somewhere. `None` if that is undecided:
/// for a pattern that is no regular expression here, or too large a one.
pub fn is_within(narrow: &str, wide: &str) -> Option<bool> {
    // Only valid UTF-8 counts.
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
        if seen.len() > FARTHEST {
            return None;
        }
    }
    Some(true)
}

/// The automaton of one pattern.
struct Walk(DFA<Vec<u32>>);

/// A state, and whether a match was seen on the way to it.
type Place = (StateID, bool);

impl Walk {
    fn of(pattern: &str) -> Option<Self> {
        let config = Config::new().match_kind(MatchKind::All).start_kind(StartKind::Unanchored);
        let config = config.dfa_size_limit(Some(LARGEST)).determinize_size_limit(Some(LARGEST));
        Builder::new().configure(config).build(pattern).ok().map(Self)
    }

    fn begin(&self) -> Option<Place> {
        let state = self.0.start_state(&start::Config::new().anchored(Anchored::No)).ok()?;
        Some((state, self.0.is_match_state(state)))
    }

    fn next(&self, (state, matched): Place, byte: u8) -> Place {
        let next = self.0.next_state(state, byte);
        let matched = matched || self.0.is_match_state(next);
        // After a match, where one is does not matter any more.
        if matched { (StateID::ZERO, true) } else { (next, false) }
    }

    /// Whether a text that ends here has a match.
    fn matches(&self, (state, matched): Place) -> bool {
        matched || self.0.is_match_state(self.0.next_eoi_state(state))
    }

    /// Whether no text that goes on from here has one.
    fn is_over(&self, (state, matched): Place) -> bool {
        !matched && self.0.is_dead_state(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wider_pattern_takes_what_a_narrower_one_takes() {
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
    fn a_pattern_takes_what_it_takes_in_other_words() {
        for (one, other) in [("^[0-9]+$", "^[0-9][0-9]*$"), ("^(a|b)$", "^[ab]$"), ("a", "^[^a]*a"), ("^$", r"\A\z")] {
            assert_eq!(is_within(one, other), Some(true), "{one} {other}");
            assert_eq!(is_within(other, one), Some(true), "{other} {one}");
        }
        assert_eq!(is_within("a", "b"), Some(false));
    }

    #[test]
    fn what_is_no_regular_expression_cannot_be_told() {
        assert_eq!(is_within("^(?=a)", "a"), None);
        assert_eq!(is_within("a", "("), None);
    }
}
