//! `GET /snapshot`: the slide that is on, as one JPEG, at once.

use std::{sync::Arc, time::Duration};

use http::{StatusCode, header};
use warp::reply::Response;

use crate::{
    endpoints::{Outputs, Request, open, reply, state::viewers::Outlet},
    hub::{Frame, Kind},
    net::Refusal,
    rendition::Rendition,
};

/// How long a first picture may take before the client is told to come back.
const PATIENCE: Duration = Duration::from_secs(10);

pub(in crate::endpoints) async fn answer(
    outputs: &Arc<Outputs>,
    request: &Request,
) -> Result<Response, Refusal> {
    let wishes = open::wishes(outputs, request, outputs.looks.rendition)?;
    let (show, lease) = open::feed(outputs, request, &wishes).await?;
    let mut subscription = lease.subscribe(Kind::Stills);
    let now = match tokio::time::timeout(PATIENCE, subscription.changed()).await {
        Ok(Some(now)) => now,
        Ok(None) => return Err(Refusal::unavailable("the server is stopping")),
        Err(_) => {
            return Err(Refusal::unavailable(
                "no picture is ready yet; try again in a few seconds",
            ));
        }
    };
    let frame = now.current;
    let tag = etag(&frame, &show.rendition);
    let fresh = reply::is_known(&request.headers, &tag);
    let slide = frame.meta.slide.map_or(0, |slide| slide.0);
    let reply = http::Response::builder()
        .header(header::ETAG, tag)
        // For whoever wants to know whether a command has reached the screen.
        .header("X-Slide", slide)
        .header(header::CACHE_CONTROL, "private, no-cache");
    if fresh {
        return Ok(reply::built(reply.status(StatusCode::NOT_MODIFIED), ""));
    }
    outputs
        .watched
        .viewers
        .answered(Outlet::Snapshot, frame.jpeg().len());
    Ok(reply::built(
        reply.header(header::CONTENT_TYPE, "image/jpeg"),
        frame.jpeg(),
    ))
}

/// A tag that is the same for the same picture in the same shape, after a restart too.
fn etag(frame: &Frame, rendition: &Rendition) -> String {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    rendition.hash(&mut hasher);
    frame.jpeg().hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}
