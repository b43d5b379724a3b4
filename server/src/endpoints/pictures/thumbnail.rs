//! `GET /library/thumbnail/ID`: a photo, small, for pages that list some.

use std::sync::Arc;

use http::{StatusCode, header};
use warp::reply::Response;

use crate::{
    endpoints::{Outputs, reply},
    net::Refusal,
    photo::PhotoId,
};

pub(in crate::endpoints) async fn answer(
    outputs: &Arc<Outputs>,
    photo: &str,
) -> Result<Response, Refusal> {
    let none = || Refusal::new(StatusCode::NOT_FOUND, "there is no such photo to show");
    let id: PhotoId = photo.parse().map_err(|_| none())?;
    let thumbnails = outputs.house.thumbnails.as_ref().ok_or_else(none)?;
    let jpeg = thumbnails.of(id).await.ok_or_else(none)?;
    let builder = http::Response::builder()
        .header(header::CONTENT_TYPE, "image/jpeg")
        // It may be hidden, or become another one.
        .header(header::CACHE_CONTROL, "private, max-age=60");
    Ok(reply::built(builder, jpeg))
}
