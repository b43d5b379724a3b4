//! Screens' short names: `/tv/NAME` leads to the page with the settings kept under that name;
//! `/profiles` lists, keeps and forgets them.

#![expect(clippy::disallowed_methods, reason = "a long poll ends by the clock")]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use http::{StatusCode, header};
use serde::{Deserialize, Serialize};
use warp::reply::Response;

use crate::{
    blocking::Blocking,
    clock,
    endpoints::{Outputs, Request, pages::qr, query, reply, request::Body},
    net::Refusal,
    profiles::{ProfileError, ScreenName, Settings},
    timeline::{
        hash_of,
        night::{Mode, Position},
    },
};

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
    /// The screens that are to sleep, whether settings are kept for them or not.
    asleep: Vec<ScreenName>,
    /// Where other devices of the house reach this server, as far as is known.
    address: Option<String>,
}

/// `GET /profiles`.
pub(in crate::endpoints) fn list(outputs: &Arc<Outputs>, request: &Request) -> Response {
    let rows = outputs.house.profiles.all().into_iter();
    reply::json(&List {
        profiles: rows.map(|(name, query)| Row { name, query }).collect(),
        asleep: outputs.house.sleepers.all(),
        // On this machine alone nobody listens at the house's address.
        address: qr::house_address(&request.headers, request.visitor.is_secure)
            .filter(|_| outputs.reach.is_in_house),
    })
}

/// How long a question for news of a name waits, and how often it is looked at meanwhile.
const WAIT: Duration = Duration::from_secs(50);
const LOOK: Duration = Duration::from_secs(1);

/// `GET /profiles/NAME`: its settings, and a mark of them. With `not=MARK&wait=1` the answer waits until the settings
/// are others than those of the mark, or a minute is nearly over. A name without settings is none yet, which is no
/// mistake: screens may be called anything.
pub(in crate::endpoints) async fn one(
    outputs: &Arc<Outputs>,
    name: &str,
    query: &str,
) -> Result<Response, Refusal> {
    let name: ScreenName = name.parse().map_err(refusal)?;
    let known = query::value(query, "not");
    let waits = query::value(query, "wait").is_some();
    let started = Instant::now();
    let mut sleepers = outputs.house.sleepers.changes();
    loop {
        sleepers.mark_unchanged();
        let wanted = outputs.house.sleepers.has(&name);
        let settings = outputs
            .house
            .profiles
            .find(&name)
            .map(|kept| kept.to_string());
        let night = settings
            .as_deref()
            .and_then(|settings| night(settings, outputs.looks.position));
        let asleep = wanted || matches!(night, Some(Mode::Black | Mode::Clock));
        let version = mark(settings.as_deref(), wanted, night);
        let is_news = known.as_ref() != Some(&version);
        if is_news || !waits || started.elapsed() >= WAIT || outputs.house.feeds.is_closed() {
            let (light, warm) = match night {
                Some(Mode::Dim(percent)) => (percent, false),
                Some(Mode::Warm(percent)) => (percent, true),
                Some(Mode::Black | Mode::Clock) => (0, false),
                None => (100, false),
            };
            return Ok(reply::json(&serde_json::json!({
                "query": settings,
                "version": version,
                "asleep": asleep,
                // Whether only its own night darkens it, so that a touch gives it light.
                "by_night": asleep && !wanted,
                "clock": night == Some(Mode::Clock),
                "light": light,
                "warm": warm,
            })));
        }
        // Settings are looked at; a screen is to wake at once.
        let _ = tokio::time::timeout(LOOK, sleepers.changed()).await;
    }
}

/// How dark the screen of this name is by its own nights, now.
pub(super) fn night_of(outputs: &Outputs, name: &str) -> Option<Mode> {
    let name: ScreenName = name.parse().ok()?;
    let settings = outputs.house.profiles.find(&name)?;
    night(&settings.to_string(), outputs.looks.position)
}

/// How dark a screen is by its own `night=`, now.
fn night(settings: &str, position: Option<Position>) -> Option<Mode> {
    let plan = query::night(settings, position).ok()???;
    plan.at(&chrono::Local, clock::now()).mode
}

/// Another one for other settings, in this run of the server and the next, and for another night.
fn mark(settings: Option<&str>, asleep: bool, night: Option<Mode>) -> String {
    let mark = settings.map_or_else(
        || "none".into(),
        |settings| format!("{:016x}", hash_of(settings)),
    );
    let night = night.map(|mode| mode.to_string()).unwrap_or_default();
    let night: String = night.chars().filter(char::is_ascii_alphanumeric).collect();
    match (asleep, night.is_empty()) {
        (true, _) => format!("{mark}-asleep"),
        (false, false) => format!("{mark}-{night}"),
        (false, true) => mark,
    }
}

/// `POST /profiles`: keeps a name.
pub(in crate::endpoints) async fn keep(
    outputs: &Arc<Outputs>,
    request: &Request,
    body: Body,
) -> Result<Response, Refusal> {
    let example = r#"{"name":"living-room","query":"fit=cover"}"#;
    let counts = &outputs.watched.connections;
    let body = body
        .json(&request.headers, outputs.body, counts, example)
        .await?;
    let row: Row = serde_json::from_slice(&body).map_err(|error| {
        let error = error.to_string();
        // Where in the JSON is nothing for whoever filled in a form.
        let reason = error.split(" at line ").next().unwrap_or_default();
        Refusal::bad_request(format!("that can't be kept: {reason}"))
    })?;
    query::night(&row.query.to_string(), outputs.looks.position)?;
    let profiles = outputs.house.profiles.clone();
    let is_new = profiles.find(&row.name).is_none();
    let kept = Blocking::run(move |blocking| profiles.set(blocking, row.name, row.query)).await;
    kept.map_err(|_| broken())?.map_err(refusal)?;
    Ok(reply::json(
        &serde_json::json!({"kept": true, "new": is_new}),
    ))
}

/// `DELETE /profiles/NAME`.
pub(in crate::endpoints) async fn forget(
    outputs: &Arc<Outputs>,
    name: &str,
) -> Result<Response, Refusal> {
    let name: ScreenName = name.parse().map_err(refusal)?;
    let (profiles, gone) = (outputs.house.profiles.clone(), name.clone());
    let removed = Blocking::run(move |blocking| profiles.remove(blocking, &gone)).await;
    if removed.map_err(|_| broken())?.map_err(refusal)? {
        Ok(reply::json(&serde_json::json!({"forgotten": true})))
    } else {
        Err(reply::not_found(&format!("profiles/{name}")))
    }
}

/// The answer after a panic, which is told in the log.
fn broken() -> Refusal {
    Refusal::unavailable("the names could not be saved")
}

fn refusal(error: ProfileError) -> Refusal {
    match error {
        ProfileError::Save(_) => Refusal::unavailable(error.to_string()),
        _ => Refusal::bad_request(error.to_string()),
    }
}

/// `GET /tv/NAME`: to the page with that screen's settings; the address is relative, for proxies that
/// serve below a path.
pub(in crate::endpoints) fn screen(outputs: &Arc<Outputs>, name: &str) -> Response {
    let found = name
        .parse::<ScreenName>()
        .ok()
        .and_then(|name| Some((outputs.house.profiles.find(&name)?, name)));
    let Some((settings, name)) = found else {
        return unknown();
    };
    let settings = settings.to_string();
    let and = if settings.is_empty() { "" } else { "&" };
    reply::found("../", &format!("{settings}{and}name={name}"))
}

fn unknown() -> Response {
    const PAGE: &str = include_str!("../../../pages/unknown.html");
    let builder = http::Response::builder()
        .status(StatusCode::NOT_FOUND)
        .header(header::CONTENT_TYPE, "text/html; charset=utf-8")
        .header(header::CACHE_CONTROL, "no-store");
    reply::built(builder, PAGE)
}
