//! `GET /library/lists`: what the settings page offers to choose from, and what holds when nothing is chosen.

use std::{collections::BTreeMap, sync::Arc};

use warp::reply::Response;

use crate::{
    blocking::Blocking,
    endpoints::{Outputs, reply},
    net::Refusal,
    rendition::Pair,
    timeline::Transition,
};

/// More albums than anybody scrolls through; typed ones work all the same.
const MAX_ALBUMS: usize = 1000;
const MAX_KEYWORDS: u32 = 300;

#[derive(serde::Serialize)]
struct Lists {
    photos: u64,
    /// Path and how many photos, those below included.
    albums: Vec<(String, u64)>,
    /// The most frequent first.
    keywords: Vec<(String, u64)>,
    interval_millis: u64,
    transition_millis: u32,
    fit: String,
    pair: String,
    captions: String,
}

pub(in crate::endpoints) async fn answer(outputs: &Arc<Outputs>) -> Result<Response, Refusal> {
    let library = outputs.house.library.clone();
    // Every row of a large library is looked at: not on the threads that serve streams.
    let counted = Blocking::run(move |blocking| {
        let mut albums = with_those_below(&library.albums(blocking));
        albums.truncate(MAX_ALBUMS);
        (albums, library.keywords(blocking, MAX_KEYWORDS))
    });
    let (albums, keywords) = counted
        .await
        .map_err(|_| Refusal::unavailable("the lists could not be made"))?;
    let rendition = outputs.looks.rendition;
    Ok(reply::json(&Lists {
        photos: outputs.house.library.counts().photos,
        albums,
        keywords,
        interval_millis: outputs.settings().interval_millis,
        transition_millis: match outputs.settings().transition {
            Transition::Cut => 0,
            Transition::Crossfade { millis } => millis,
        },
        fit: rendition.fit.to_string(),
        pair: match rendition.pair {
            Pair::Off | Pair::Own => rendition.pair.to_string(),
            Pair::Wide | Pair::Upright => "on".to_owned(),
        },
        captions: rendition.captions.in_no_language().to_string(),
    }))
}

/// Each folder with all photos in it and below it, as a choice of it shows them.
fn with_those_below(albums: &[(String, u64)]) -> Vec<(String, u64)> {
    let mut all: BTreeMap<&str, u64> = BTreeMap::new();
    for (path, n) in albums {
        let ends = path.match_indices('/').map(|(at, _)| at);
        for end in ends.chain([path.len()]) {
            *all.entry(&path[..end]).or_default() += n;
        }
    }
    all.into_iter()
        .map(|(path, n)| (path.to_owned(), n))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_counts_what_is_below_it() {
        let own = [("a/b", 2), ("a/c/d", 3), ("e", 1)].map(|(path, n)| (path.to_owned(), n));
        let all = with_those_below(&own);
        let all: Vec<(&str, u64)> = all.iter().map(|(path, n)| (path.as_str(), *n)).collect();
        assert_eq!(
            all,
            [("a", 5), ("a/b", 2), ("a/c", 3), ("a/c/d", 3), ("e", 1)]
        );
    }
}
