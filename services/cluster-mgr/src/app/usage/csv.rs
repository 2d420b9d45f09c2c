//! Usage as a file for a spreadsheet.

use api_types::usage::{UsageFilter, UsageItem};
use auth::Caller;
use chrono::SecondsFormat;
use futures::{Stream, StreamExt as _, stream};
use http::StatusCode;
use platform::{ApiError, ApiResult};

use super::{Place, Selection};
use crate::app::prices::Periods;
use crate::db::{prices, usage_hours};
use crate::state::AppState;

/// Longer ones are refused rather than cut: half a bill looks like a whole one.
const ROWS_AT_MOST: u64 = 100_000;
const READ_AT_ONCE: usize = 500;
const COLUMNS: &str = "from,to,project,environment,service,cluster,pod_hours,cpu_core_hours,memory_gib_hours,gpu_hours,storage_gib_hours,\
                       cpu_used_core_hours,memory_used_gib_hours,measured,counted_hours,gap_hours,counted_until,\
                       cost,currency\r\n";

/// The file in parts, each read when the one before has left.
///
/// # Errors
/// 400 as of the list; 422 `export_too_large`.
pub async fn export(
    state: &AppState,
    caller: &Caller,
    asked: &UsageFilter,
) -> ApiResult<impl Stream<Item = ApiResult<String>> + Send + use<>> {
    let database = state.foundation.database.clone();
    let prices = Periods::of(prices::all(&database).await?);
    let selection = Selection::of(caller, asked, &prices, state.now())?;
    if usage_hours::count(&database, &selection.filter).await? > ROWS_AT_MOST {
        return Err(ApiError::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "export_too_large",
            format!(
                "the file would have more than {ROWS_AT_MOST} rows; narrow the range, or ask for longer parts"
            ),
        ));
    }
    let currency = prices.currency().to_owned();
    let rows = stream::try_unfold(Some(None), move |next: Option<Option<Place>>| {
        let (database, selection, currency) = (database.clone(), selection.clone(), currency.clone());
        async move {
            let Some(after) = next else { return Ok(None) };
            let sums = selection.read(&database, after.as_ref(), READ_AT_ONCE).await?;
            let last = sums.last().filter(|_| sums.len() == READ_AT_ONCE);
            let next = last.map(|last| Some(selection.place(last)));
            let lines: String = sums
                .iter()
                .map(|sum| line(&selection.item(sum), &currency))
                .collect();
            Ok(Some((lines, next)))
        }
    });
    Ok(stream::iter([Ok(COLUMNS.to_owned())]).chain(rows))
}

/// Names are DNS labels and a currency is three letters: nothing has to be quoted.
fn line(item: &UsageItem, currency: &str) -> String {
    let time = |at: chrono::DateTime<chrono::Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let name = |name: &Option<String>| name.clone().unwrap_or_default();
    let number = |value: f64| format!("{value:.4}");
    let known = |value: Option<f64>| value.map(number).unwrap_or_default();
    let fields = [
        time(item.from),
        time(item.to),
        name(&item.project),
        name(&item.environment),
        name(&item.service),
        name(&item.cluster),
        number(item.pod_hours),
        number(item.cpu_core_hours),
        number(item.memory_gib_hours),
        number(item.gpu_hours),
        number(item.storage_gib_hours),
        known(item.cpu_used_core_hours),
        known(item.memory_used_gib_hours),
        number(item.measured),
        number(item.counted_hours),
        number(item.gap_hours),
        time(item.counted_until),
        known(item.cost),
        if item.cost.is_some() { currency } else { "" }.to_owned(),
    ];
    fields.join(",") + "\r\n"
}
