//! Requests about another machine's house: an edge has them answered there, and the house answers those of its edges. What is
//! about pictures, pages and viewers an edge answers itself.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use tower_service::Service as _;
use warp::{filters::BoxedFilter, reply::Response};

use super::{
    Outputs,
    address::{self, Address, Endpoint, Names},
    reply,
    request::{Body, Request},
};
use crate::{
    edge::{Answer, Answered, AskError, Asked, Edge, MAX_BODY},
    net::{Machine, Refusal},
    rights::Rights,
};

/// The largest answer that goes to an edge.
const MAX_ANSWER: usize = 4 << 20;

/// The machine that answers what is asked of an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answers {
    /// The edge.
    Here,
    /// The house: it is about its photos, its channels or what is on.
    There,
    /// Nobody: pictures are sent to the house itself.
    Nobody,
}

/// The machine that answers at this endpoint.
pub(super) fn answers(endpoint: Endpoint<'_>) -> Answers {
    match endpoint {
        Endpoint::Control
        | Endpoint::Channels
        | Endpoint::Profiles
        | Endpoint::Profile(_)
        | Endpoint::Screen(_)
        | Endpoint::Lists
        | Endpoint::Photos
        | Endpoint::Albums
        | Endpoint::Skipped
        | Endpoint::Hidden
        | Endpoint::Thumbnail(_)
        | Endpoint::History => Answers::There,
        Endpoint::Push | Endpoint::Whip => Answers::Nobody,
        Endpoint::Page
        | Endpoint::ToPage(_)
        | Endpoint::Stream
        | Endpoint::Video(_)
        | Endpoint::Hls(_)
        | Endpoint::Whep
        | Endpoint::RtcSession(_)
        | Endpoint::Bytes
        | Endpoint::Snapshot
        | Endpoint::Status
        | Endpoint::Metrics
        | Endpoint::Screens
        | Endpoint::Report
        | Endpoint::Qr
        | Endpoint::Time
        | Endpoint::Health
        | Endpoint::File(_) => Answers::Here,
    }
}

/// The answer of somebody else to a request, where it is not for this machine to give. `Err` hands it back.
pub(super) async fn answer(
    outputs: &Arc<Outputs>,
    (address, path): (&Address<'_>, &str),
    request: &Request,
    body: Body,
) -> Result<Result<Response, Refusal>, Body> {
    let Some(edge) = &outputs.house.afar else {
        return Err(body);
    };
    if request.method == Method::OPTIONS {
        return Err(body);
    }
    match answers(address.endpoint) {
        Answers::Here => Err(body),
        Answers::There => Ok(passed_on(outputs, edge, path, request, body).await),
        Answers::Nobody => {
            let sentence = "this machine shows the house of another one; send pictures to that one";
            Ok(Err(Refusal::new(StatusCode::CONFLICT, sentence)))
        }
    }
}

async fn passed_on(
    outputs: &Outputs,
    edge: &Edge,
    path: &str,
    request: &Request,
    body: Body,
) -> Result<Response, Refusal> {
    let limits = outputs.body.at_most(MAX_BODY as u64);
    let counts = &outputs.watched.connections;
    let is_look = matches!(request.method, Method::GET | Method::HEAD);
    let body = if is_look {
        Vec::new()
    } else {
        body.whole(limits, counts).await?
    };
    let asked = Asked {
        method: request.method.clone(),
        path: path.to_owned(),
        query: request.query.clone(),
        headers: request.headers.clone(),
        body: body.into(),
        by: request.visitor.name.as_deref().map(str::to_owned),
    };
    let answered = edge.ask(asked).await.map_err(refusal)?;
    let mut reply = http::Response::builder().status(answered.status);
    if let Some(headers) = reply.headers_mut() {
        headers.extend(answered.headers);
    }
    Ok(reply::built(reply, answered.body))
}

fn refusal(error: AskError) -> Refusal {
    match error {
        AskError::Silent | AskError::Late => Refusal::unavailable(error.to_string()),
        AskError::TooLarge => Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, error.to_string()),
    }
}

/// Something that the house says at `/status` of a channel; nothing while it is silent.
pub(super) async fn status(edge: &Edge, request: &Request) -> Option<serde_json::Value> {
    let asked = Asked {
        method: Method::GET,
        path: format!("/c/{}/status", request.channel),
        query: request.query.clone(),
        headers: HeaderMap::new(),
        body: Bytes::new(),
        by: None,
    };
    let answered = edge.ask(asked).await.ok()?;
    let is_well = answered.status == StatusCode::OK;
    is_well.then(|| serde_json::from_slice(&answered.body).ok())?
}

/// Has what edges ask answered by `routes`, as far as edges have these rights.
pub fn for_edges(
    outputs: &Arc<Outputs>,
    routes: BoxedFilter<(Response,)>,
    rights: Rights,
) -> Answer {
    let machine = Arc::new(Machine::new("edge", rights));
    let outputs = Arc::downgrade(outputs);
    Arc::new(move |asked| {
        let (routes, machine, outputs) = (routes.clone(), machine.clone(), outputs.clone());
        Box::pin(async move {
            let Some(outputs) = outputs.upgrade() else {
                return told(StatusCode::SERVICE_UNAVAILABLE, "the server is stopping");
            };
            let names = Names::of(outputs.house.channels.live());
            if let Some(refused) = refused(&asked, &machine, &names) {
                return refused;
            }
            let mut uri = asked.path;
            if !asked.query.is_empty() {
                uri.push('?');
                uri.push_str(&asked.query);
            }
            let request = http::Request::builder().method(asked.method).uri(uri);
            let Ok(mut request) = request.body(Full::new(asked.body)) else {
                return told(StatusCode::BAD_REQUEST, "this is no address");
            };
            *request.headers_mut() = asked.headers;
            request.extensions_mut().insert(machine.visitor(asked.by));
            let Ok(response) = warp::service(routes).call(request).await;
            let (head, body) = response.into_parts();
            match Limited::new(body, MAX_ANSWER).collect().await {
                Ok(body) => Answered {
                    status: head.status,
                    headers: head.headers,
                    body: body.to_bytes(),
                },
                Err(_) => told(
                    StatusCode::BAD_GATEWAY,
                    "the answer is too large for an edge",
                ),
            }
        })
    })
}

/// The refusal of what is not an edge's to ask, or takes a right that edges have not.
fn refused(asked: &Asked, machine: &Machine, names: &Names) -> Option<Answered> {
    let need = address::need_of(&asked.method, &asked.path, &asked.query, names);
    if !machine.may(&need) {
        let sentence =
            format!("this takes the right to {need}, which edges have not (--edge-rights)");
        return Some(told(StatusCode::FORBIDDEN, &sentence));
    }
    let found = address::find(&asked.method, &asked.path, &asked.query, names);
    let is_theirs = found.is_ok_and(|address| {
        address.endpoint == Endpoint::Status || answers(address.endpoint) == Answers::There
    });
    (!is_theirs).then(|| told(StatusCode::NOT_FOUND, "edges are not told this"))
}

fn told(status: StatusCode, sentence: &str) -> Answered {
    let text = header::HeaderValue::from_static("text/plain; charset=utf-8");
    Answered {
        status,
        headers: [(header::CONTENT_TYPE, text)].into_iter().collect(),
        body: format!("{sentence}\n").into(),
    }
}
