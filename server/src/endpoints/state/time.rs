//! `/time`: what the server's clock says, for screens that want to change at the same moment.

use http::header;
use warp::reply::Response;

use crate::{clock, endpoints::reply};

/// Unix milliseconds as text, read as late as can be.
pub(in crate::endpoints) fn answer() -> Response {
    let builder = http::Response::builder()
        .header(header::CONTENT_TYPE, "text/plain; charset=utf-8")
        .header(header::CACHE_CONTROL, "no-store");
    reply::built(builder, clock::now().to_string())
}
