//! `POST /report`: what screens say of themselves, once a minute. Kept while it is news.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use http::StatusCode;
use mantel_shared::{MAX_REPORT_BYTES, Report, UnixMillis};
use warp::reply::Response;

use crate::{
    clock,
    endpoints::{Outputs, Request, reply, request::Body},
    locked::locked,
    net::Refusal,
};

/// A screen that has said nothing for so long is off.
const FRESH_MILLIS: u64 = 3 * 60 * 1000;

/// Screens that are remembered at a time: anybody on the network can report.
const MAX_SCREENS: usize = 256;

/// The last report of each screen.
#[derive(Debug, Default)]
pub struct Reports {
    screens: Mutex<HashMap<Key, Reported>>,
}

/// The address that it came from, without its port, and the page's own mark.
type Key = (String, String);

/// One screen's last word.
#[derive(Clone, Debug)]
pub struct Reported {
    /// From where.
    pub address: String,
    /// When.
    pub at: UnixMillis,
    /// What.
    pub report: Report,
}

impl Reports {
    /// Takes note; what is no news any more is forgotten. False when there are too many screens.
    pub fn take(&self, address: String, report: Report, now: UnixMillis) -> bool {
        let mut screens = locked(&self.screens);
        screens.retain(|_, reported| is_fresh(reported, now));
        let key = (address.clone(), report.id.clone());
        if screens.len() >= MAX_SCREENS && !screens.contains_key(&key) {
            let Some(given_up) = least_missed(&screens, &address) else {
                return false;
            };
            screens.remove(&given_up);
        }
        let reported = Reported {
            address,
            at: now,
            report,
        };
        screens.insert(key, reported);
        true
    }

    /// The screens that are on, by name, then by address.
    pub fn fresh(&self, now: UnixMillis) -> Vec<Reported> {
        let screens = locked(&self.screens);
        let fresh = screens.values().filter(|reported| is_fresh(reported, now));
        let mut fresh: Vec<Reported> = fresh.cloned().collect();
        fresh.sort_by(|a, b| {
            let key = |row: &Reported| {
                let Report { name, id, .. } = &row.report;
                (
                    name.is_empty(),
                    name.clone(),
                    row.address.clone(),
                    id.clone(),
                )
            };
            key(a).cmp(&key(b))
        });
        fresh
    }
}

/// The row that makes room for a screen at `address`: the oldest of the address that has most, since a house
/// has a few screens behind each, and whoever invents some has hundreds. `None` when that is the one
/// that asks.
fn least_missed(screens: &HashMap<Key, Reported>, address: &str) -> Option<Key> {
    let mut n_of: HashMap<&str, usize> = HashMap::new();
    for (from, _) in screens.keys() {
        *n_of.entry(from).or_default() += 1;
    }
    let (most, n) = n_of.iter().max_by_key(|(from, n)| (**n, **from))?;
    let own = n_of.get(address).copied().unwrap_or(0);
    if own + 1 >= *n {
        return None;
    }
    let rows = screens.iter().filter(|((from, _), _)| from == most);
    rows.min_by_key(|(key, row)| (row.at, *key))
        .map(|(key, _)| key.clone())
}

fn is_fresh(reported: &Reported, now: UnixMillis) -> bool {
    // A clock that was set back makes nothing older.
    now.0.saturating_sub(reported.at.0) < FRESH_MILLIS
}

pub(in crate::endpoints) async fn answer(
    outputs: &Arc<Outputs>,
    request: &Request,
    body: Body,
) -> Result<Response, Refusal> {
    let limits = outputs.body.at_most(MAX_REPORT_BYTES as u64);
    let counts = &outputs.watched.connections;
    let body = body
        .json(&request.headers, limits, counts, r#"{"id":"…"}"#)
        .await?;
    let report: Report = serde_json::from_slice(&body).map_err(|error| {
        Refusal::bad_request(format!("the body is no screen's report: {error}"))
    })?;
    let peer = request.visitor.peer;
    let address = peer
        .ip()
        .map_or_else(|| peer.to_string(), |ip| ip.to_string());
    if !outputs.watched.reports.take(address, report, clock::now()) {
        return Err(Refusal::unavailable(
            "as many screens report as are remembered",
        ));
    }
    let taken = http::Response::builder().status(StatusCode::NO_CONTENT);
    Ok(reply::built(taken, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(id: &str, name: &str) -> Report {
        Report {
            id: id.into(),
            name: name.into(),
            ..Report::default()
        }
    }

    #[test]
    fn a_screen_has_one_row_and_goes_when_it_falls_silent() {
        let reports = Reports::default();
        for at in [0, 60_000] {
            assert!(reports.take("::1".into(), report("a", ""), UnixMillis(at)));
        }
        assert!(reports.take("::1".into(), report("b", "kitchen"), UnixMillis(60_000)));
        let ids = |now| -> Vec<String> {
            let rows = reports.fresh(UnixMillis(now));
            rows.into_iter().map(|row| row.report.id).collect()
        };
        assert_eq!(ids(60_000), ["b", "a"], "named ones first");
        assert_eq!(ids(60_000 + FRESH_MILLIS), [] as [&str; 0]);
        assert_eq!(ids(5).len(), 2, "a clock set back forgets nobody");
    }

    #[test]
    fn invented_screens_shut_no_real_one_out() {
        let reports = Reports::default();
        assert!(reports.take("10.0.0.2".into(), report("hall", "hall"), UnixMillis(0)));
        for id in 0..3 * MAX_SCREENS {
            reports.take(
                "10.0.0.66".into(),
                report(&id.to_string(), ""),
                UnixMillis(1),
            );
        }
        for address in ["10.0.0.3", "10.0.0.4"] {
            for id in ["a", "b"] {
                assert!(
                    reports.take(address.into(), report(id, ""), UnixMillis(2)),
                    "{address}"
                );
            }
        }
        let rows = reports.fresh(UnixMillis(3));
        assert_eq!(rows.len(), MAX_SCREENS);
        let n_from = |address: &str| rows.iter().filter(|row| row.address == address).count();
        assert_eq!(
            (n_from("10.0.0.2"), n_from("10.0.0.3"), n_from("10.0.0.4")),
            (1, 2, 2)
        );
    }

    #[test]
    fn a_flood_of_screens_is_bounded_and_the_known_ones_stay() {
        let reports = Reports::default();
        for id in 0..MAX_SCREENS {
            assert!(reports.take("::1".into(), report(&id.to_string(), ""), UnixMillis(0)));
        }
        assert!(!reports.take("::1".into(), report("one more", ""), UnixMillis(1)));
        assert!(reports.take("::1".into(), report("7", ""), UnixMillis(1)));
        assert!(reports.take(
            "::1".into(),
            report("later", ""),
            UnixMillis(FRESH_MILLIS + 1)
        ));
    }
}
