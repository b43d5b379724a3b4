//! Screens' short names: `/tv/NAME` leads to the page with the settings kept under that name;
//! `/profiles` lists, keeps and forgets them.

use std::sync::Arc;

use futures_util::Stream;
use http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, Serialize};
use warp::{Buf, reply::Response};

use super::{
    Outputs, Request, control, links,
    reply::{self, Problem},
};
use crate::profiles::{ProfileError, ScreenName, Settings};

/// One name, as it comes and goes.
#[derive(Serialize, Deserialize)]
struct Row {
    name: ScreenName,
    #[serde(default)]
    query: Settings,
}

#[derive(Serialize)]
struct List {
    profiles: Vec<Row>,
    /// Where other devices of the house reach this server, as far as is known.
    address: Option<String>,
}

/// `GET /profiles`.
pub(super) fn list(outputs: &Arc<Outputs>, request: &Request) -> Response {
    let rows = outputs.profiles.all().into_iter();
    reply::json(&List {
        profiles: rows.map(|(name, query)| Row { name, query }).collect(),
        address: links::house_address(&request.headers, request.visitor.is_secure),
    })
}

/// `POST /profiles`: keeps a name.
pub(super) async fn keep<S, B>(
    outputs: &Arc<Outputs>,
    headers: &HeaderMap,
    body: S,
) -> Result<Response, Problem>
where
    S: Stream<Item = Result<B, warp::Error>> + Send,
    B: Buf,
{
    let example = r#"{"name":"living-room","query":"fit=cover"}"#;
    let body = control::read(outputs, headers, body, outputs.max_body, example).await?;
    let row: Row = serde_json::from_slice(&body).map_err(|error| {
        Problem::bad_request(format!("the body is no screen's profile: {error}"))
    })?;
    outputs.profiles.set(row.name, row.query).map_err(problem)?;
    Ok(reply::json(&serde_json::json!({"kept": true})))
}

/// `DELETE /profiles/NAME`.
pub(super) fn forget(outputs: &Arc<Outputs>, name: &str) -> Result<Response, Problem> {
    let name: ScreenName = name.parse().map_err(problem)?;
    if outputs.profiles.remove(&name).map_err(problem)? {
        Ok(reply::json(&serde_json::json!({"forgotten": true})))
    } else {
        Err(Problem::not_found(&format!("/profiles/{name}")))
    }
}

fn problem(error: ProfileError) -> Problem {
    match error {
        ProfileError::Save(_) => Problem::unavailable(&error.to_string()),
        _ => Problem::bad_request(error.to_string()),
    }
}

/// `GET /tv/NAME`: to the page with that screen's settings; the address is relative, for proxies that
/// serve below a path.
pub(super) fn screen(outputs: &Arc<Outputs>, name: &str) -> Response {
    let found = name
        .parse::<ScreenName>()
        .ok()
        .and_then(|name| Some((outputs.profiles.find(&name)?, name)));
    let Some((settings, name)) = found else {
        return unknown();
    };
    let settings = settings.to_string();
    let and = if settings.is_empty() { "" } else { "&" };
    let builder = http::Response::builder()
        .status(StatusCode::FOUND)
        .header(header::LOCATION, format!("../?{settings}{and}name={name}"))
        .header(header::CACHE_CONTROL, "no-store");
    reply::built(builder, "").unwrap_or_else(Problem::into_response)
}

fn unknown() -> Response {
    const PAGE: &str = include_str!("../../pages/unknown.html");
    let builder = http::Response::builder()
        .status(StatusCode::NOT_FOUND)
        .header(header::CONTENT_TYPE, "text/html; charset=utf-8")
        .header(header::CACHE_CONTROL, "no-store");
    reply::built(builder, PAGE).unwrap_or_else(Problem::into_response)
}
