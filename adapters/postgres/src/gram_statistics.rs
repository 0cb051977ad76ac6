//! How frequent grams are, by which a search chooses how to read.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use domain::StoreError;
use sqlx::{AssertSqlSafe, Row as _};
use tokio::time::Instant;

use crate::connection::Connection;
use crate::failure::Failure;
use crate::table::Table;

/// After this time the statistics are read again.
const MAX_AGE: Duration = Duration::from_mins(1);
/// Numbers of rows of a window.
const WINDOWS: RangeInclusive<u32> = 1 << 10..=1 << 16;
/// Number of rows of the first window without statistics, and at most for a part of several grams, which is rarer than each of them.
const DEFAULT_WINDOW: u32 = 1 << 12;

/// The statistics of the index of one table, as ANALYZE left them. All searches share them.
#[derive(Default)]
pub(crate) struct GramStatistics(RwLock<Option<Arc<Known>>>);

struct Known {
    read_at: Instant,
    /// Approximate number of rows of the table; negative if unknown.
    rows: f32,
    /// The fraction of the rows that contains each gram.
    frequencies: HashMap<String, f32>,
    /// What is known of other grams: the lowest fraction. `None` without statistics.
    least: Option<f32>,
}

impl GramStatistics {
    /// What is known of the rows that contain these grams.
    pub async fn estimate<R: Table>(
        &self,
        grams: &[String],
        connection: &mut Connection<'_>,
    ) -> Result<Estimate, StoreError> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        let known = if let Some(known) = known.filter(|known| known.read_at.elapsed() < MAX_AGE) {
            known
        } else {
            let known = Arc::new(read::<R>(connection).await?);
            *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&known));
            known
        };
        let frequency = |gram| known.frequencies.get(gram).copied().or(known.least);
        let frequency = grams.iter().filter_map(frequency).min_by(f32::total_cmp).map(f64::from);
        Ok(Estimate { rows: known.rows.into(), frequency, is_of_a_gram: grams.len() == 1 })
    }
}

async fn read<R: Table>(connection: &mut Connection<'_>) -> Result<Known, StoreError> {
    let table = R::SQL.table;
    let sql = format!(
        "SELECT reltuples, most_common_elems::text::text[], most_common_elem_freqs FROM pg_class \
         JOIN pg_namespace ON pg_namespace.oid = relnamespace \
         LEFT JOIN pg_stats ON schemaname = nspname AND tablename = '{table}_name_grams' WHERE pg_class.oid = '{table}'::regclass"
    );
    let row = connection.fetch_one(sqlx::query(AssertSqlSafe(sql))).await?;
    let grams: Option<Vec<String>> = row.try_get(1).map_err(Failure::from)?;
    let frequencies: Option<Vec<f32>> = row.try_get(2).map_err(Failure::from)?;
    let (grams, frequencies) = (grams.unwrap_or_default(), frequencies.unwrap_or_default());
    Ok(Known {
        read_at: Instant::now(),
        rows: row.try_get(0).map_err(Failure::from)?,
        // After the frequencies of the grams: the lowest and the highest one.
        least: frequencies.get(grams.len()).copied(),
        frequencies: grams.into_iter().zip(frequencies).collect(),
    })
}

/// What decides between windows and the index.
pub(crate) struct Estimate {
    rows: f64,
    /// The fraction of the rows that match; `None` without statistics.
    frequency: Option<f64>,
    is_of_a_gram: bool,
}

impl Estimate {
    /// Number of rows of a window that contains `missing` matches. `None` if the index costs less: it reads as many rows as match in the
    /// whole table, each of which takes three times as long.
    pub fn window(&self, missing: usize) -> Option<u32> {
        let missing = f64::from(u32::try_from(missing).unwrap_or(u32::MAX));
        let Some(frequency) = self.frequency else { return Some(DEFAULT_WINDOW) };
        let window = missing / frequency;
        let is_less = window <= 3.0 * self.rows * frequency;
        let largest = if self.is_of_a_gram { *WINDOWS.end() } else { DEFAULT_WINDOW };
        // Larger than on average, because matches are not distributed evenly, and reading ends with the last one. Powers of two, because
        // each size is a statement.
        let sizes = (0..u32::BITS).map(|bit| 1 << bit).filter(|size| (*WINDOWS.start()..largest).contains(size));
        is_less.then(|| sizes.into_iter().find(|size| f64::from(*size) >= 1.5 * window).unwrap_or(largest))
    }

    /// Replaces the estimate by what a window contained.
    pub fn correct(&mut self, matches: usize, window: u32) {
        let matches = u32::try_from(matches).unwrap_or(u32::MAX);
        (self.frequency, self.is_of_a_gram) = (Some(f64::from(matches) / f64::from(window)), true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(rows: f64, frequency: f64, missing: usize) -> Option<u32> {
        Estimate { rows, frequency: Some(frequency), is_of_a_gram: true }.window(missing)
    }

    #[test]
    fn frequent_names_are_found_in_windows_and_rare_ones_by_the_index() {
        assert_eq!(
            [0.5, 0.05, 0.01, 0.001].map(|frequency| window(2e6, frequency, 51)),
            [Some(1 << 10), Some(1 << 11), Some(1 << 13), None]
        );
        assert_eq!([0.001, 0.0005].map(|frequency| window(2e8, frequency, 51)), [Some(1 << 16); 2]);
        assert_eq!((window(2e6, 0.001, 1), window(2e6, 0.0, 51)), (Some(1 << 11), None));
    }

    #[test]
    fn part_of_several_grams_is_first_searched_in_a_small_window() {
        let mut estimate = Estimate { rows: 2e6, frequency: Some(0.005), is_of_a_gram: false };
        assert_eq!(estimate.window(51), Some(DEFAULT_WINDOW));
        estimate.correct(20, DEFAULT_WINDOW);
        assert_eq!(estimate.window(51), Some(1 << 14));
        estimate.correct(2, DEFAULT_WINDOW);
        assert_eq!(estimate.window(51), None);
    }

    #[test]
    fn table_without_statistics_is_read_before_the_index() {
        let mut estimate = Estimate { rows: -1.0, frequency: None, is_of_a_gram: true };
        assert_eq!(estimate.window(51), Some(DEFAULT_WINDOW));
        estimate.correct(50, DEFAULT_WINDOW);
        assert_eq!(estimate.window(1), None);
    }
}
