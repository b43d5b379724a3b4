//! `GET /screens`: who watches, for people. The page is whole as it comes; where there is JavaScript it looks again by
//! itself.

use std::{fmt::Write, sync::Arc};

use mantel_shared::Rung;
use warp::reply::Response;

use crate::{
    channel::NightNow,
    clock,
    endpoints::{
        Outputs,
        policy::InlineStyle,
        reply::{self, escaped},
        state::{
            agents, profiles,
            reports::Reported,
            viewers::{Outlet, ViewerRow},
        },
    },
    timeline::{Pause, Programme, night::Mode},
};

/// The page up to its middle, which is written anew each time, and what follows.
const PAGE: &str = include_str!("../../../pages/screens.html");

pub(in crate::endpoints) async fn answer(outputs: &Arc<Outputs>) -> Response {
    let rows = outputs.watched.viewers.rows();
    let programme = outputs.gallery();
    let look = outputs.looks.rendition;
    let current = programme.as_ref().and_then(|programme| {
        let timeline = programme.timeline(look.size, look.pair);
        Some(timeline.at(clock::now())?.current)
    });
    let photos = current.map(|slide| slide.photo).into_iter();
    let photos = outputs.house.catalogue.photos(photos).await;
    let on = current.and_then(|slide| Some((slide.no.0, &photos.get(&slide.photo)?.name)));
    let (mut page, rest) = reply::halves(PAGE);
    // Writing to a String can't fail.
    let _ = main_part(
        &mut page,
        outputs,
        (programme.as_deref(), on),
        &rows,
        clock::now().0,
    );
    page.push_str(rest);
    let mut response = reply::page("text/html; charset=utf-8", page);
    response.extensions_mut().insert(InlineStyle);
    response
}

fn main_part(
    page: &mut String,
    outputs: &Outputs,
    (programme, on): (Option<&Programme>, Option<(u64, &Arc<str>)>),
    rows: &[ViewerRow],
    now_millis: u64,
) -> std::fmt::Result {
    match rows.len() {
        0 => page.push_str("<h1>Nobody is watching</h1>"),
        1 => page.push_str("<h1>1 screen is watching</h1>"),
        n => write!(page, "<h1>{n} screens are watching</h1>")?,
    }
    if let Some((no, name)) = on {
        write!(page, "<p data-slide=\"{no}\">On now: {}</p>", escaped(name))?;
    }
    if let Some(pause) = programme.and_then(Programme::pause) {
        paused(page, pause, now_millis)?;
    }
    if let Some(night) = outputs.house.channels.veils().night(clock::now()) {
        dark(page, night)?;
    }
    let reported = outputs.watched.reports.fresh(clock::now());
    screens(page, &reported, |name| profiles::night_of(outputs, name))?;
    if rows.is_empty() {
        return Ok(());
    }
    page.push_str("<h2>Connections</h2>");
    page.push_str("<table>");
    heads(page, &CONNECTION)?;
    for row in rows {
        let night = outputs
            .house
            .channels
            .own_night(row.key.channel, clock::now());
        viewer(page, row, night, now_millis)?;
    }
    page.push_str("</table>");
    Ok(())
}

/// The sentence on who has stopped all this, and for how long already.
fn paused(page: &mut String, pause: &Pause, now_millis: u64) -> std::fmt::Result {
    let by = pause.by.as_deref().unwrap_or("somebody");
    let for_so_long = span(now_millis.saturating_sub(pause.since) / 1000);
    write!(page, "<p>Paused by {}, for {for_so_long}</p>", escaped(by))
}

/// The sentence on how dark the pictures are, where they are or somebody has set it, and until when.
fn dark(page: &mut String, night: NightNow) -> std::fmt::Result {
    match (night.mode, night.by_hand) {
        (Some(mode), _) => write!(page, "<p>Night: {mode}")?,
        (None, true) => page.push_str("<p>Awake by hand"),
        (None, false) => return Ok(()),
    }
    match night.until {
        Some(until) => write!(page, ", until {}</p>", clock::time_of_day(until)),
        None => write!(page, "</p>"),
    }
}

/// The pages that report.
fn screens(
    page: &mut String,
    screens: &[Reported],
    night_of: impl Fn(&str) -> Option<Mode>,
) -> std::fmt::Result {
    if screens.is_empty() {
        return Ok(());
    }
    page.push_str("<h2>Screens</h2><table>");
    heads(page, &SCREEN)?;
    for Reported {
        address, report, ..
    } in screens
    {
        let name = if report.name.is_empty() {
            address
        } else {
            &report.name
        };
        write!(
            page,
            "<tr><td class=who>{}<span class=small>{}</span>",
            escaped(name),
            escaped(&report.engine)
        )?;
        let rung = match report.rung {
            Rung::Wasm => "viewer",
            Rung::Img => "stream",
            Rung::Snapshot => "snapshots",
            Rung::Other => "kept pictures",
        };
        let class = if report.reason.is_empty() {
            "small"
        } else {
            "small bad"
        };
        write!(
            page,
            "<td data-is=\"{}\"><span>{}{}<span class=\"{class}\">{rung} {}</span></span>",
            SCREEN[1],
            escaped(&report.state),
            its_night(night_of(&report.name)),
            escaped(&report.reason),
        )?;
        cell(
            page,
            SCREEN[2],
            &format!("{}x{}", report.width, report.height),
        )?;
        let known = |figure: Option<f64>, unit: &str| {
            figure.map_or_else(|| "–".to_owned(), |figure| format!("{figure:.0}{unit}"))
        };
        let figures = [
            known(report.fps, ""),
            report.late_frames.to_string(),
            known(report.decode_millis, " ms"),
            known(report.memory_bytes.map(|bytes| bytes / 1e6), " MB"),
            report.reconnects.to_string(),
            span(report.uptime_seconds),
        ];
        for (what, figure) in SCREEN[3..].iter().zip(&figures) {
            cell(page, what, figure)?;
        }
        page.push_str("</tr>");
    }
    page.push_str("</table>");
    Ok(())
}

/// The words on a screen's own night, where it is one.
fn its_night(mode: Option<Mode>) -> String {
    mode.map(|mode| format!(", night: {mode}"))
        .unwrap_or_default()
}

fn viewer(
    page: &mut String,
    row: &ViewerRow,
    night: Option<NightNow>,
    now_millis: u64,
) -> std::fmt::Result {
    let rendition = &row.key.rendition;
    let name = row.who.name.as_deref().unwrap_or(&row.who.address);
    write!(
        page,
        "<tr><td class=who>{}<span class=small title=\"{}\">{}</span>",
        escaped(name),
        escaped(&row.who.agent),
        escaped(&agents::plain(&row.who.agent))
    )?;
    let watches = match row.endpoint {
        Outlet::Stream => "stream",
        Outlet::Bytes => "viewer",
        Outlet::Snapshot => "snapshots",
        Outlet::H264 => "video, H.264",
        Outlet::Ts => "video, MPEG-TS",
        Outlet::Mp4 => "video, MP4",
        Outlet::Hls => "video, HLS",
        Outlet::Whep => "video, WebRTC",
    };
    write!(
        page,
        "<td data-is=\"{}\"><span>{watches}<span class=small>{}, {}, quality {}{}{}</span></span>",
        CONNECTION[1],
        rendition.size,
        rendition.fit,
        rendition.quality.value(),
        its_night(night.and_then(|night| night.mode)),
        if row.stepped_down {
            ", <span class=bad>made smaller for a slow network</span>"
        } else {
            ""
        },
    )?;
    let sent = row.sent;
    cell(
        page,
        CONNECTION[2],
        &span(now_millis.saturating_sub(row.since.0) / 1000),
    )?;
    cell(page, CONNECTION[3], &amount(sent.n_bytes))?;
    cell(page, CONNECTION[4], &format!("{:.1}", row.fps))?;
    let class = if sent.n_skipped * 10 > sent.n_frames {
        "\"n bad\""
    } else {
        "n"
    };
    write!(
        page,
        "<td class={class} data-is=\"{}\">{}",
        CONNECTION[5], sent.n_skipped
    )?;
    cell(page, CONNECTION[6], &format!("{} ms", row.age.as_millis()))?;
    page.push_str("</tr>");
    Ok(())
}

/// The words over the columns, and on a narrow page before each value.
const SCREEN: [&str; 9] = [
    "Screen",
    "State",
    "Picture",
    "Frames/s",
    "Late",
    "Decoding",
    "Memory",
    "Reconnects",
    "On for",
];
const CONNECTION: [&str; 7] = [
    "Screen", "Watches", "Since", "Sent", "Frames/s", "Skipped", "Age",
];

fn heads(page: &mut String, names: &[&str]) -> std::fmt::Result {
    page.push_str("<tr class=head>");
    for name in names {
        write!(page, "<th>{name}")?;
    }
    page.push_str("</tr>");
    Ok(())
}

/// A short value; `what` is one of our own words.
fn cell(page: &mut String, what: &str, value: &str) -> std::fmt::Result {
    write!(page, "<td class=n data-is=\"{what}\">{value}")
}

fn span(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3600 % 24),
    }
}

fn amount(n_bytes: u64) -> String {
    let mb = n_bytes as f64 / 1e6;
    if mb < 1000.0 {
        format!("{mb:.1} MB")
    } else {
        format!("{:.2} GB", mb / 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        channel::choices::{FeedKey, MAIN},
        endpoints::state::viewers::{Totals, Who},
        timeline::night::Mode,
    };
    use mantel_shared::UnixMillis;

    #[test]
    fn a_row_says_who_and_how_it_goes_and_trusts_no_name() {
        let config = crate::Config::from_args([] as [&str; 0]).unwrap();
        let row = ViewerRow {
            no: 1,
            endpoint: Outlet::Stream,
            who: Who::new("192.168.1.7".into(), "<script>alert(1)</script>", None),
            since: UnixMillis(1000),
            key: FeedKey {
                channel: MAIN,
                rendition: config.rendition,
            },
            stepped_down: true,
            sent: Totals {
                n_frames: 100,
                n_bytes: 34_500_000,
                n_skipped: 50,
            },
            age: Duration::from_millis(12),
            fps: 19.97,
        };
        let mut page = String::new();
        let night = NightNow {
            mode: Some(Mode::Black),
            light: 0,
            until: None,
            by_hand: false,
        };
        viewer(&mut page, &row, Some(night), 1000 + 7_380_000).unwrap();
        assert!(page.contains(", night: black"), "{page}");
        for part in [
            "192.168.1.7",
            "1920x1080",
            "2 h 3 min",
            "34.5 MB",
            "20.0",
            "\"n bad\" data-is=\"Skipped\">50",
            "12 ms",
            "slow network",
        ] {
            assert!(page.contains(part), "{part} in {page}");
        }
        assert!(!page.contains("<script>"));
    }

    #[test]
    fn a_pause_says_who_and_how_long() {
        let mut page = String::new();
        let pause = Pause {
            by: Some("<hall>".into()),
            since: 60_000,
        };
        paused(&mut page, &pause, 11 * 60_000).unwrap();
        assert_eq!(page, "<p>Paused by &lt;hall&gt;, for 10 min</p>");
    }

    #[test]
    fn night_is_told_where_there_is_one() {
        let told = |mode, until, by_hand| {
            let mut page = String::new();
            let night = NightNow {
                mode,
                light: 150,
                until,
                by_hand,
            };
            dark(&mut page, night).unwrap();
            page
        };
        let until = UnixMillis(1_800_000_000_000);
        let clock = clock::time_of_day(until);
        let dim = told(Some(Mode::Dim(15)), Some(until), false);
        assert_eq!(dim, format!("<p>Night: dim 15%, until {clock}</p>"));
        let black = told(Some(Mode::Black), None, true);
        assert_eq!(black, "<p>Night: black</p>");
        let awake = told(None, Some(until), true);
        assert_eq!(awake, format!("<p>Awake by hand, until {clock}</p>"));
        assert_eq!(told(None, Some(until), false), "");
    }

    #[test]
    fn spans_and_amounts() {
        assert_eq!(
            [0, 59, 60, 90_061].map(span),
            ["0 s", "59 s", "1 min", "1 d 1 h"]
        );
        assert_eq!([999, 1_500_000_000].map(amount), ["0.0 MB", "1.50 GB"]);
    }
}
