//! `GET /library/hidden`: the photos that somebody has hidden, as JSON, and as a page that brings them back.

use std::{fmt::Write, sync::Arc};

use serde::Serialize;
use warp::reply::Response;

use crate::{
    blocking::Blocking,
    endpoints::{
        Outputs, Request,
        pages::words::{self, Words},
        reply::{self, escaped},
    },
    library::HiddenPhoto,
    net::Refusal,
};

#[derive(Serialize)]
struct List {
    hidden: Vec<HiddenPhoto>,
}

pub(in crate::endpoints) async fn answer(
    outputs: &Arc<Outputs>,
    request: &Request,
) -> Result<Response, Refusal> {
    let library = outputs.house.library.clone();
    let hidden = Blocking::run(move |blocking| library.hidden(blocking)).await;
    let hidden = hidden.map_err(|_| Refusal::unavailable("the list could not be read"))?;
    if !request.wants_page() {
        return Ok(reply::json(&List { hidden }));
    }
    let words = words::of(request);
    Ok(words::page(html(&hidden, words)))
}

const PAGE: &str = include_str!("../../../pages/hidden.html");

fn html(hidden: &[HiddenPhoto], words: &Words) -> String {
    let template = words.fill(PAGE);
    let (mut page, rest) = reply::halves(&template);
    let title = match hidden.len() {
        0 => words.say("No photo is hidden").to_owned(),
        1 => words.say("1 photo is hidden").to_owned(),
        n => words.with("# photos are hidden", n),
    };
    // Writing to a String can't fail.
    let _ = write!(page, "<h1>{title}</h1>");
    if !hidden.is_empty() {
        page.push_str("<table>");
        for row in hidden {
            let name = escaped(&row.name);
            let _ = write!(page, "<tr><td>{name}");
            if !row.is_there {
                let away = words.say("not there now");
                let _ = write!(page, "<span class=small>{away}</span>");
            }
            let _ = write!(
                page,
                "<td class=n><button data-command=unhide data-photo={}>{}</button></tr>",
                row.photo.0,
                words.say("Show again")
            );
        }
        page.push_str("</table>");
    }
    page.push_str(rest);
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{library::PhotoIdText, photo::PhotoId};

    #[test]
    fn names_can_not_break_out_of_the_page() {
        let row = |name: &str, is_there| HiddenPhoto {
            photo: PhotoIdText(PhotoId(7)),
            name: name.into(),
            is_there,
        };
        let page = html(
            &[row("<b>&\u{202e}gpj.exe", true), row("gone.jpg", false)],
            words::english(),
        );
        assert!(page.contains("<td>&lt;b&gt;&amp;gpj.exe<td"), "{page}");
        assert!(page.contains("gone.jpg<span class=small>not there now</span>"));
        assert!(page.contains("2 photos are hidden"));
        assert!(page.contains("data-photo=0000000000000007>"));
    }
}
