//! Query of an export.

use super::{Filters, ParameterDoc, Query, QueryParameters};
use crate::http::problem::Problem;
use crate::http::wire::WireValue;

const SPREADSHEET: &str = "spreadsheet";

/// The filters of an export, and the option of a text table.
pub struct ExportQuery<F, const IS_TABLE: bool> {
    pub filter: F,
    pub spreadsheet: bool,
}

impl<F: Filters, const IS_TABLE: bool> QueryParameters for ExportQuery<F, IS_TABLE> {
    fn documented() -> Vec<ParameterDoc> {
        let option = IS_TABLE.then(|| {
            ParameterDoc::with_default(
                SPREADSHEET,
                "Whether the file is opened in a spreadsheet program. Then it starts with a byte order mark, and cells that the \
                 program would run as formulas start with an apostrophe.",
                bool::schema(),
                false,
            )
        });
        F::parameters().into_iter().chain(option).collect()
    }

    fn parse(mut query: Query) -> Result<Self, Problem> {
        let option = IS_TABLE.then_some(SPREADSHEET);
        query.check_names(F::NAMES.iter().copied().chain(option));
        let spreadsheet = query.take(SPREADSHEET).unwrap_or_default();
        let filter = F::take(&mut query);
        query.finish()?;
        Ok(Self { filter, spreadsheet })
    }
}
