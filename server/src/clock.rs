//! The wall clock, read by the shells alone: everything pure is told the time.

use std::time::{Duration, SystemTime};

use mantel_shared::UnixMillis;

/// Milliseconds since 1970.
pub fn now() -> UnixMillis {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    UnixMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// How long until `moment`; nothing when it has passed.
pub fn until(moment: UnixMillis) -> Duration {
    Duration::from_millis(moment.0.saturating_sub(now().0))
}

/// The time that it is here. A clock before 1970 is taken for one of that year, as [`now`] does: chrono's
/// own reading of it panics.
pub fn local() -> chrono::DateTime<chrono::Local> {
    let now = i64::try_from(now().0).ok();
    let now = now.and_then(chrono::DateTime::from_timestamp_millis);
    now.unwrap_or_default().with_timezone(&chrono::Local)
}

/// The day that it is here.
pub fn today() -> chrono::NaiveDate {
    local().date_naive()
}
