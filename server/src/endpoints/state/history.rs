//! `GET /history`: what was on in the last hour, as JSON, and as a page from which a photo is shown again, hidden or made a
//! favourite.

use std::{fmt::Write, sync::Arc};

use http::StatusCode;
use serde::Serialize;
use warp::reply::Response;

use crate::{
    clock,
    endpoints::{
        Outputs, Request, open,
        pages::words::{self, Words},
        query,
        reply::{self, escaped},
    },
    library::{PhotoIdText, iso},
    net::Refusal,
    timeline::Slide,
};

#[derive(Serialize)]
struct History {
    now_millis: u64,
    /// The latest first; a photo that has gone or was hidden since is not among them.
    slides: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    started_millis: u64,
    photos: Vec<PhotoRow>,
}

#[derive(Serialize)]
struct PhotoRow {
    photo: PhotoIdText,
    name: String,
    album: Option<String>,
    /// Local time in ISO 8601; never the time of a file.
    taken_at: Option<String>,
    favourite: bool,
}

pub(in crate::endpoints) async fn answer(
    outputs: &Arc<Outputs>,
    request: &Request,
) -> Result<Response, Refusal> {
    let wish = query::choice(&request.query)?;
    let (_, channel) = open::choose(outputs, request, &wish).await?;
    if channel.programme().is_none() {
        let sentence = "this channel is live: what was on is not kept";
        return Err(Refusal::new(StatusCode::CONFLICT, sentence));
    }
    let history = told(outputs, channel.history()).await;
    if !request.wants_page() {
        return Ok(reply::json(&history));
    }
    let words = words::of(request);
    Ok(words::page(html(&history, words)))
}

async fn told(outputs: &Outputs, slides: Vec<Slide>) -> History {
    let ids = slides.iter().flat_map(|slide| slide.turn().photos());
    let ids: std::collections::BTreeSet<_> = ids.collect();
    let known = outputs.house.catalogue.photos(ids.into_iter()).await;
    let library = &outputs.house.library;
    let rows = slides.iter().map(|slide| Row {
        started_millis: slide.starts_at.0,
        photos: slide
            .turn()
            .photos()
            .filter_map(|id| {
                let photo = known.get(&id)?;
                let taken = photo.facts.taken.and_then(|taken| taken.of_photo());
                Some(PhotoRow {
                    photo: PhotoIdText(id),
                    name: photo.name.to_string(),
                    album: photo.facts.album.clone(),
                    taken_at: taken.map(iso),
                    favourite: library.is_favourite(id),
                })
            })
            .collect(),
    });
    History {
        now_millis: clock::now().0,
        slides: rows.filter(|row| !row.photos.is_empty()).collect(),
    }
}

const PAGE: &str = include_str!("../../../pages/history.html");

fn html(history: &History, words: &Words) -> String {
    let template = words.fill(PAGE);
    let (mut page, rest) = reply::halves(&template);
    if history.slides.is_empty() {
        let _ = write!(page, "<p>{}", words.say("Nothing yet"));
    }
    page.push_str("<table>");
    for row in &history.slides {
        let minutes = history.now_millis.saturating_sub(row.started_millis) / 60_000;
        let ago = match minutes {
            0 => words.say("just now").to_owned(),
            n => words.with("# min ago", n),
        };
        for photo in &row.photos {
            // Writing to a String can't fail.
            let _ = photo_row(&mut page, &ago, photo, words);
        }
    }
    page.push_str("</table>");
    page.push_str(rest);
    page
}

fn photo_row(page: &mut String, ago: &str, row: &PhotoRow, words: &Words) -> std::fmt::Result {
    let (id, name) = (row.photo.0, escaped(&row.name));
    let day = row.taken_at.as_deref().and_then(|taken| taken.get(..10));
    let told: Vec<String> = [row.album.as_deref(), day]
        .into_iter()
        .flatten()
        .map(escaped)
        .collect();
    let (favour, star) = if row.favourite {
        ("unfavourite", words.say("No favourite"))
    } else {
        ("favourite", words.say("Favourite"))
    };
    write!(
        page,
        "<tr><td class=n><img src=\"library/thumbnail/{id}\" alt=\"\" width=160 height=90 loading=lazy><td>{name}\
         <span class=small>{}</span><span class=small>{ago}</span><td class=n>",
        told.join(" · ")
    )?;
    for (command, label) in [
        ("show", words.say("Show")),
        (favour, star),
        ("hide", words.say("Hide")),
    ] {
        write!(
            page,
            "<button data-command={command} data-photo={id}>{label}</button> "
        )?;
    }
    page.push_str("</tr>");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::photo::PhotoId;

    #[test]
    fn names_can_not_break_out_of_the_page() {
        let photo = PhotoRow {
            photo: PhotoIdText(PhotoId(7)),
            name: "<i>\u{202e}gpj.exe".into(),
            album: Some("A & B".into()),
            taken_at: Some("2021-07-04T12:30:00".into()),
            favourite: true,
        };
        let history = History {
            now_millis: 1_000_000,
            slides: vec![Row {
                started_millis: 1_000_000 - 200_000,
                photos: vec![photo],
            }],
        };
        let page = html(&history, words::english());
        assert!(
            page.contains("<td>&lt;i&gt;gpj.exe<span class=small>A &amp; B · 2021-07-04</span>")
        );
        assert!(page.contains("<button data-command=unfavourite data-photo=0000000000000007>"));
    }
}
