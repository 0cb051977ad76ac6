//! Grams of text: short substrings, from which stores build indexes for substring search.

use std::collections::BTreeSet;

/// Maximum number of characters of a gram.
const MAX_CHARS: usize = 3;
/// Maximum number of grams of a search. A store checks each row that it finds, so that the first ones suffice.
const MAX_SEARCHED: usize = 32;

/// The grams of a text: its substrings of 1 to 3 characters.
#[must_use]
pub fn grams(text: &str) -> BTreeSet<&str> {
    (1..=MAX_CHARS).flat_map(|size| substrings(text, size)).collect()
}

/// Grams of every text that contains this part: the part itself if it is a gram, otherwise every second of the longest grams, because
/// each takes time to look up. Empty for an empty part, which every text contains.
#[must_use]
pub fn search_grams(part: &str) -> BTreeSet<&str> {
    let size = part.chars().count().min(MAX_CHARS);
    if size == 0 {
        return BTreeSet::new();
    }
    let last = substrings(part, size).last();
    substrings(part, size).step_by(2).take(MAX_SEARCHED - 1).chain(last).collect()
}

/// The substrings of `size` characters.
fn substrings(text: &str, size: usize) -> impl Iterator<Item = &str> {
    let starts = text.char_indices().map(|(start, _)| start);
    let ends = text.char_indices().map(|(start, c)| start + c.len_utf8()).skip(size - 1);
    starts.zip(ends).map(|(start, end)| &text[start..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grams_are_all_substrings_of_one_to_three_characters() {
        assert_eq!(grams("éab").into_iter().collect::<Vec<_>>(), ["a", "ab", "b", "é", "éa", "éab"]);
        assert_eq!(grams("aaaa").into_iter().collect::<Vec<_>>(), ["a", "aa", "aaa"]);
        assert!(grams("").is_empty());
    }

    #[test]
    fn short_part_is_its_own_gram() {
        for part in ["a", "éa", "李小龍"] {
            assert_eq!(search_grams(part), [part].into());
        }
        assert!(search_grams("").is_empty());
    }

    #[test]
    fn long_part_has_every_second_gram() {
        assert_eq!(search_grams("abcd"), ["abc", "bcd"].into());
        assert_eq!(search_grams("abcde"), ["abc", "cde"].into());
        assert_eq!(search_grams("abcdef"), ["abc", "cde", "def"].into());
    }

    #[test]
    fn grams_of_a_part_are_grams_of_every_text_that_contains_it() {
        let text: String = ('a'..='z').chain('α'..='ω').chain('अ'..='ह').collect();
        let (all, starts) = (grams(&text), text.char_indices().map(|(start, _)| start).collect::<Vec<_>>());
        for (index, start) in starts.iter().enumerate() {
            for end in &starts[index..] {
                let searched = search_grams(&text[*start..*end]);
                assert!(
                    searched.len() <= MAX_SEARCHED && searched.iter().all(|gram| all.contains(gram)),
                    "{start} {end}"
                );
            }
        }
    }
}
