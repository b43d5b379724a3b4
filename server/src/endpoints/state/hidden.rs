//! `GET /library/hidden`: the photos that somebody has hidden, as JSON, and as a page that brings them back.

use std::{fmt::Write, sync::Arc};

use serde::Serialize;
use warp::reply::Response;

use crate::{
    blocking::Blocking,
    endpoints::{
        Outputs, Request,
        policy::InlineStyle,
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
    let mut page = reply::page("text/html; charset=utf-8", html(&hidden));
    page.extensions_mut().insert(InlineStyle);
    Ok(page)
}

const PAGE: &str = include_str!("../../../pages/hidden.html");

fn html(hidden: &[HiddenPhoto]) -> String {
    let (mut page, rest) = reply::halves(PAGE);
    page.push_str(&match hidden.len() {
        0 => "<h1>No photo is hidden</h1>".to_owned(),
        1 => "<h1>1 photo is hidden</h1>".to_owned(),
        n => format!("<h1>{n} photos are hidden</h1>"),
    });
    if !hidden.is_empty() {
        page.push_str("<table>");
        for row in hidden {
            let name = escaped(&row.name);
            let away = if row.is_there {
                ""
            } else {
                "<span class=small>not there now</span>"
            };
            // Writing to a String can't fail.
            let _ = write!(
                page,
                "<tr><td>{name}{away}<td class=n><button data-command=unhide data-photo={}>Show again</button></tr>",
                row.photo.0
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
        let page = html(&[row("<b>&\u{202e}gpj.exe", true), row("gone.jpg", false)]);
        assert!(page.contains("<td>&lt;b&gt;&amp;gpj.exe<td"), "{page}");
        assert!(page.contains("gone.jpg<span class=small>not there now</span>"));
        assert!(page.contains("2 photos are hidden"));
        assert!(page.contains("data-photo=0000000000000007>"));
    }
}
