//! `GET /library/photos` and `GET /library/albums`: what a remote chooses from. As JSON, because pages of it are for scripts.

use std::{collections::BTreeMap, sync::Arc};

use serde::Serialize;
use warp::reply::Response;

use crate::{
    blocking::Blocking,
    caption,
    endpoints::{
        Outputs, Request,
        pages::{files, words},
        query,
        reply::{self, bad_value},
    },
    library::{AlbumRow, PhotoIdText, Words, iso},
    net::Refusal,
};

/// Photos of one answer where nobody says, and at most.
const USUAL: u32 = 60;
const MOST: u32 = 200;
/// Albums of one answer: typed ones work all the same.
const MAX_ALBUMS: usize = 2000;

#[derive(Serialize)]
struct Found {
    photos: Vec<PhotoRow>,
    /// Where the next ones begin, if there are more.
    next: Option<u32>,
}

#[derive(Serialize)]
struct PhotoRow {
    photo: PhotoIdText,
    name: String,
    album: Option<String>,
    place: Option<String>,
    /// Local time in ISO 8601; never the time of a file.
    taken_at: Option<String>,
    favourite: bool,
}

/// The remote's page. Whoever opens it may type soon, and then waits for nothing that can be read by now.
pub(in crate::endpoints) fn remote(outputs: &Outputs, request: &Request) -> Option<Response> {
    let library = outputs.house.library.clone();
    Blocking::begin(move |blocking| library.prepare_search(blocking));
    files::answer("remote", request)
}

/// `GET /library/photos`: by the words of `q` and by all keys that choose photos, the latest first.
pub(in crate::endpoints) async fn found(
    outputs: &Arc<Outputs>,
    request: &Request,
) -> Result<Response, Refusal> {
    let words = Words::of(&query::value(&request.query, "q").unwrap_or_default());
    let number = |key: &str, usual: u32, most: u32| {
        let Some(text) = query::value(&request.query, key) else {
            return Ok(usual);
        };
        let number = text.parse().ok().filter(|n| *n <= most);
        number.ok_or_else(|| bad_value(key, &text, format_args!("it has to be from 0 to {most}")))
    };
    let (n, offset) = (
        number("n", USUAL, MOST)?,
        number("offset", 0, u32::MAX - MOST)?,
    );
    let filter = query::choice(&request.query)?;
    let filter = outputs.house.channels.allowed(&filter);
    let library = outputs.house.library.clone();
    let found = Blocking::run(move |blocking| {
        let ids = library.find(blocking, &filter, (&words, offset, n + 1));
        let photo = |id| Some((id, library.photo(blocking, id)?));
        let more = ids.len() > n as usize;
        let photos: Vec<_> = ids.into_iter().take(n as usize).filter_map(photo).collect();
        (photos, more)
    });
    let (photos, more) = found.await.map_err(|_| broken())?;
    let language = words::language(request, outputs.looks.rendition.captions.language);
    let rows = photos.into_iter().map(|(id, photo)| {
        let facts = &photo.facts;
        PhotoRow {
            photo: PhotoIdText(id),
            name: photo.name.to_string(),
            album: facts.album.clone(),
            place: caption::place(facts, language),
            taken_at: facts.taken.and_then(|taken| taken.of_photo()).map(iso),
            favourite: outputs.house.library.is_favourite(id),
        }
    });
    Ok(reply::json(&Found {
        photos: rows.collect(),
        next: more.then_some(offset + n),
    }))
}

#[derive(Serialize)]
struct Albums {
    albums: Vec<Album>,
}

#[derive(Serialize)]
struct Album {
    album: String,
    /// Those in folders below included, as a choice of it shows them.
    photos: u64,
    cover: PhotoIdText,
    /// The days of its first and its last photo.
    from: Option<String>,
    to: Option<String>,
}

/// `GET /library/albums`.
pub(in crate::endpoints) async fn albums(outputs: &Arc<Outputs>) -> Result<Response, Refusal> {
    let library = outputs.house.library.clone();
    let rows = Blocking::run(move |blocking| library.covers(blocking)).await;
    let rows = rows.map_err(|_| broken())?;
    let mut all = with_those_below(&rows);
    all.truncate(MAX_ALBUMS);
    let day = |seconds: i64| {
        let moment = chrono::DateTime::from_timestamp(seconds, 0)?;
        Some(moment.format("%Y-%m-%d").to_string())
    };
    let albums = all.into_iter().map(|row| Album {
        album: row.path,
        photos: row.n,
        cover: PhotoIdText(row.cover),
        from: row.taken.and_then(|(from, _)| day(from)),
        to: row.taken.and_then(|(_, to)| day(to)),
    });
    Ok(reply::json(&Albums {
        albums: albums.collect(),
    }))
}

/// Each folder with all that is in it and below it.
fn with_those_below(rows: &[AlbumRow]) -> Vec<AlbumRow> {
    let mut all: BTreeMap<&str, AlbumRow> = BTreeMap::new();
    for row in rows {
        let ends = row.path.match_indices('/').map(|(at, _)| at);
        for end in ends.chain([row.path.len()]) {
            let path = &row.path[..end];
            let known = all.entry(path).or_insert_with(|| AlbumRow {
                path: path.to_owned(),
                n: 0,
                ..row.clone()
            });
            known.n += row.n;
            known.taken = match (known.taken, row.taken) {
                (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
                (one, other) => one.or(other),
            };
        }
    }
    all.into_values().collect()
}

fn broken() -> Refusal {
    Refusal::unavailable("the photos could not be looked for")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::photo::PhotoId;

    #[test]
    fn an_album_has_what_is_below_it_and_all_its_days() {
        let row = |path: &str, n, taken| AlbumRow {
            path: path.into(),
            n,
            cover: PhotoId(n),
            taken,
        };
        let rows = [
            row("Oslo", 1, None),
            row("Rome/Day 1", 2, Some((10, 20))),
            row("Rome/Day 2", 3, Some((5, 7))),
        ];
        let told: Vec<_> = with_those_below(&rows)
            .into_iter()
            .map(|row| (row.path, row.n, row.taken))
            .collect();
        assert_eq!(
            told,
            [
                ("Oslo".to_owned(), 1, None),
                ("Rome".to_owned(), 5, Some((5, 20))),
                ("Rome/Day 1".to_owned(), 2, Some((10, 20))),
                ("Rome/Day 2".to_owned(), 3, Some((5, 7))),
            ]
        );
    }
}
