//! `/time`: what the server's clock says, for screens that want to change at the same moment.

use http::header;
use warp::reply::Response;

use super::reply::{self, Problem};
use crate::clock;

/// Unix milliseconds as text, read as late as can be.
pub(super) fn answer() -> Result<Response, Problem> {
    let builder = http::Response::builder()
        .header(header::CONTENT_TYPE, "text/plain; charset=utf-8")
        .header(header::CACHE_CONTROL, "no-store");
    reply::built(builder, clock::now().to_string())
}
