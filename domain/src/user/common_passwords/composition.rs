//! Whether common pieces make up a whole text.

use super::known::{RUNS, WORDS};
use super::list;

/// What stands beside common pieces without making them a password: digits and signs, as in `password2026!!!`.
/// More of them may be a secret of their own.
const MAX_DECORATION: usize = 8;

/// Two entries of the list joined are guessed as easily as they are typed; three long words may be a good phrase.
const MAX_ENTRIES: usize = 2;

/// The shortest part of a run, or repetition of a character, that counts as a piece.
const MIN_RUN: usize = 3;

/// The least decoration for each number of entries with which pieces reach a place in the text; `None` where they
/// do not reach it.
type Reached = [Option<usize>; MAX_ENTRIES + 1];

/// Whether entries of the list (at most [`MAX_ENTRIES`]), known words and runs (any number) make up a folded text,
/// with at most [`MAX_DECORATION`] characters beside them that are no letters. These are no more than half of the text;
/// where it has no letters at all, no more than a fifth: among digits others are no decoration, but the secret.
pub(super) fn is_of_common_pieces(text: &[char]) -> bool {
    let mut reached: Vec<Reached> = vec![[None; MAX_ENTRIES + 1]; text.len() + 1];
    reached[0][0] = Some(0);
    for start in 0..text.len() {
        let from = reached[start];
        if from == [None; MAX_ENTRIES + 1] {
            continue;
        }
        let rest = &text[start..];
        if !rest[0].is_alphabetic() {
            reach(&mut reached[start + 1], from, 0, 1);
        }
        for length in known_words(rest).chain(runs(rest)) {
            reach(&mut reached[start + length], from, 0, 0);
        }
        for length in entries(rest) {
            reach(&mut reached[start + length], from, 1, 0);
        }
    }
    let least = reached[text.len()].iter().flatten().min();
    let share = if text.iter().any(|c| c.is_alphabetic()) { 2 } else { 5 };
    least.is_some_and(|&least| least <= MAX_DECORATION && least * share <= text.len() && !text.is_empty())
}

/// Notes that a place is reached from another by a piece that is so many entries, and so much decoration.
fn reach(place: &mut Reached, from: Reached, entries: usize, decoration: usize) {
    for (best, before) in place.iter_mut().skip(entries).zip(from) {
        let Some(now) = before.map(|before| before + decoration) else { continue };
        *best = Some(best.map_or(now, |best| best.min(now)));
    }
}

/// The lengths of the known words at the start of a text.
fn known_words(text: &[char]) -> impl Iterator<Item = usize> {
    let begins = move |word: &str| {
        let mut rest = text.iter();
        word.chars().all(|c| rest.next() == Some(&c))
    };
    WORDS.iter().filter(move |word| begins(word)).map(|word| word.chars().count())
}

/// The lengths of the list's entries at the start of a text.
fn entries(text: &[char]) -> impl Iterator<Item = usize> {
    let mut piece = String::new();
    text.iter().take(list::LONGEST).enumerate().filter_map(move |(i, &c)| {
        piece.push(c);
        list::contains(&piece).then_some(i + 1)
    })
}

/// The lengths of the runs at the start of a text: one character repeated, or part of a known run, either way.
fn runs(text: &[char]) -> impl Iterator<Item = usize> {
    let repeated = text.iter().take_while(|&c| c == &text[0]).count();
    let ahead = RUNS.iter().map(|run| common_with(text, run.chars()));
    let back = RUNS.iter().map(|run| common_with(text, run.chars().rev()));
    MIN_RUN..=ahead.chain(back).fold(repeated, usize::max)
}

/// The most characters from the start of a text that follow each other in a run too.
fn common_with(text: &[char], run: impl Iterator<Item = char> + Clone) -> usize {
    let mut longest = 0;
    let mut tail = run;
    loop {
        let common = tail.clone().zip(text).take_while(|(c, other)| c == *other).count();
        longest = longest.max(common);
        if tail.next().is_none() {
            return longest;
        }
    }
}
