//! The common part of WHEP and WHIP: offers as they are sent, answers as they are expected, and what belongs to the
//! session that begins by one (RFC 9725, draft-ietf-wish-whep), in whatever way clients of other servers ask.

use std::net::IpAddr;

use http::{Method, StatusCode, header, response::Builder};
use serde::Deserialize;
use warp::reply::Response;

use crate::{
    endpoints::{BodyLimits, Outputs, Request, reply, request::Body},
    net::{Refusal, Visitor},
    webrtc::{Answer, MAX_SDP, Offer, Peers, Reached, Refused, Talk, Untaken},
};

const SDP: &str = "application/sdp";
const JSON: &str = "application/json";
const FRAGMENT: &str = "application/trickle-ice-sdpfrag";

/// An offer, or an answer, as some clients have it.
#[derive(Deserialize, serde::Serialize)]
struct Described {
    #[serde(rename = "type")]
    kind: String,
    sdp: String,
}

/// The answer to who only looks at where offers are sent to.
pub(super) fn told(outputs: &Outputs, request: &Request) -> Response {
    // By its type players know the address for what it is.
    let status = match request.method {
        Method::HEAD => StatusCode::OK,
        _ => StatusCode::NO_CONTENT,
    };
    let builder = http::Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, SDP)
        .header("accept-post", SDP)
        .header(header::CACHE_CONTROL, "no-store");
    reply::built(with_links(builder, outputs), "")
}

/// Not in answers to `OPTIONS`: those are anybody's, and a TURN server's password is for viewers.
fn with_links(builder: Builder, outputs: &Outputs) -> Builder {
    let links = outputs.reach.ice_servers.iter();
    links.fold(builder, |builder, link| builder.header(header::LINK, link))
}

/// The text of an offer.
pub(super) async fn offer(
    outputs: &Outputs,
    request: &Request,
    body: Body,
) -> Result<String, Refusal> {
    let is_json = match request.media_type().as_str() {
        SDP => false,
        JSON => true,
        other => {
            let sentence = format!("an offer is sent as Content-Type: {SDP}, not {other:?}");
            return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, sentence));
        }
    };
    let text = text(outputs, body).await?;
    if !is_json {
        return Ok(text);
    }
    let described: Result<Described, _> = serde_json::from_str(&text);
    let described = described.ok().filter(|one| one.kind == "offer");
    let example = r#"an offer as JSON is {"type":"offer","sdp":"v=0…"}"#;
    Ok(described.ok_or_else(|| Refusal::bad_request(example))?.sdp)
}

/// Answers an offer by a session below `path` of the channel.
pub(super) fn answer(
    outputs: &Outputs,
    request: &Request,
    offer: Offer,
    path: &str,
    talk: impl Talk,
) -> Result<Response, Refusal> {
    let Visitor { local, asked, .. } = request.visitor;
    let from = request.visitor.peer.ip();
    let from = from.filter(|ip: &IpAddr| !ip.is_loopback());
    let answer = peers(outputs)?
        .answer(offer, from, &Reached { local, asked }, talk)
        .map_err(refused)?;
    let session = format!("/c/{}/{path}/{}", request.channel, answer.id);
    let is_json = request.media_type() == JSON;
    Ok(answered(outputs, answer, &session, is_json))
}

fn answered(outputs: &Outputs, answer: Answer, session: &str, is_json: bool) -> Response {
    let builder = |status, kind: &str| -> Builder {
        with_links(http::Response::builder(), outputs)
            .status(status)
            .header(header::CONTENT_TYPE, kind)
            .header(header::LOCATION, session)
            .header(header::ETAG, &answer.tag)
            .header("accept-patch", FRAGMENT)
            .header(header::CACHE_CONTROL, "no-store")
    };
    if is_json {
        // Who asks so looks for no more than the answer.
        let described = Described {
            kind: "answer".into(),
            sdp: answer.sdp.clone(),
        };
        let body = serde_json::to_vec(&described).unwrap_or_default();
        return reply::built(builder(StatusCode::OK, JSON), body);
    }
    reply::built(builder(StatusCode::CREATED, SDP), answer.sdp.clone())
}

/// The answer to what is sent to a session.
pub(in crate::endpoints) async fn session(
    outputs: &Outputs,
    request: &Request,
    id: &str,
    body: Body,
) -> Result<Response, Refusal> {
    let peers = peers(outputs)?;
    match request.method {
        Method::DELETE => {
            peers.end(id).map_err(untaken)?;
            Ok(reply::built(http::Response::builder(), ""))
        }
        Method::PATCH => {
            if request.media_type() != FRAGMENT {
                let sentence = format!("candidates are sent as Content-Type: {FRAGMENT}");
                return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, sentence));
            }
            let tag = request.header(&header::IF_MATCH);
            if tag.is_empty() {
                let sentence = "a session is changed with If-Match and its ETag";
                return Err(Refusal::new(StatusCode::PRECONDITION_REQUIRED, sentence));
            }
            let text = text(outputs, body).await?;
            peers.trickle(id, tag, &text).map_err(untaken)?;
            let builder = http::Response::builder().status(StatusCode::NO_CONTENT);
            Ok(reply::built(builder, ""))
        }
        _ if peers.has(id) => Ok(told(outputs, request)),
        _ => Err(untaken(Untaken::NoSession)),
    }
}

/// The peers, where WebRTC is spoken.
pub(super) fn peers(outputs: &Outputs) -> Result<&Peers, Refusal> {
    let why = "it was started with --webrtc off";
    let peers = outputs.reach.peers.as_deref();
    peers.ok_or_else(|| refused(Refused::Without(why)))
}

async fn text(outputs: &Outputs, body: Body) -> Result<String, Refusal> {
    let limits = BodyLimits {
        max_bytes: MAX_SDP as u64,
        ..outputs.body
    };
    let bytes = body.whole(limits, &outputs.watched.connections).await?;
    String::from_utf8(bytes).map_err(|_| Refusal::bad_request("this is no text in UTF-8"))
}

/// Why an offer is not answered.
pub(super) fn refused(why: Refused) -> Refusal {
    let sentence = why.to_string();
    let refusal = |status| Refusal::new(status, sentence.clone());
    let soon = std::time::Duration::from_secs;
    match why {
        Refused::Unreadable(_) | Refused::Unanswerable(_) | Refused::NoVideo(_) => {
            refusal(StatusCode::BAD_REQUEST)
        }
        Refused::NoH264 => refusal(StatusCode::NOT_ACCEPTABLE),
        Refused::Full => refusal(StatusCode::SERVICE_UNAVAILABLE).after(soon(10)),
        Refused::TooOften => refusal(StatusCode::TOO_MANY_REQUESTS).after(soon(60)),
        Refused::Without(_) => refusal(StatusCode::NOT_IMPLEMENTED),
    }
}

fn untaken(why: Untaken) -> Refusal {
    let status = match why {
        Untaken::NoSession => StatusCode::NOT_FOUND,
        Untaken::OtherTag => StatusCode::PRECONDITION_FAILED,
        Untaken::Restart => StatusCode::UNPROCESSABLE_ENTITY,
        Untaken::Unreadable => StatusCode::BAD_REQUEST,
    };
    Refusal::new(status, why.to_string())
}
