//! The pages beside the viewer and what installs it: settings, service worker, manifest, icons. Small
//! files of `server/pages/`, loaded apart from the viewer so that a TV never waits for them.

use http::header;
use warp::reply::Response;

use crate::endpoints::{
    Request, address,
    pages::{assets, words},
    reply,
};

/// The file of this name, if it is one of these.
pub(in crate::endpoints) fn answer(name: &str, request: &Request) -> Option<Response> {
    let text = |content_type: &str, body: &'static str| Some(reply::page(content_type, body));
    let page = |template: &str| Some(words::page(words::of(request).fill(template)));
    if let Some(language) = words::named(name) {
        return Some(words::script(language, request));
    }
    match name {
        "settings" => page(include_str!("../../../pages/settings.html")),
        "settings.js" => text(JS, include_str!("../../../pages/settings.js")),
        "settings.css" => text(
            "text/css; charset=utf-8",
            include_str!("../../../pages/settings.css"),
        ),
        "remote" => page(include_str!("../../../pages/remote.html")),
        "remote.js" => text(JS, include_str!("../../../pages/remote.js")),
        "choose.js" => text(JS, include_str!("../../../pages/choose.js")),
        "remote.css" => text(
            "text/css; charset=utf-8",
            include_str!("../../../pages/remote.css"),
        ),
        "asleep" => text(HTML, include_str!("../../../pages/asleep.html")),
        "asleep.js" => text(JS, include_str!("../../../pages/asleep.js")),
        "awake.js" => text(JS, include_str!("../../../pages/awake.js")),
        "report.js" => text(JS, include_str!("../../../pages/report.js")),
        "problem.js" => text(JS, include_str!("../../../pages/problem.js")),
        "bar.js" => text(JS, include_str!("../../../pages/bar.js")),
        "hold.js" => text(JS, include_str!("../../../pages/hold.js")),
        "wish.js" => text(JS, include_str!("../../../pages/wish.js")),
        "kept.js" => text(JS, include_str!("../../../pages/kept.js")),
        "channels.js" => text(JS, include_str!("../../../pages/channels.js")),
        "screens.js" => text(JS, include_str!("../../../pages/screens.js")),
        "marks.css" => text(
            "text/css; charset=utf-8",
            include_str!("../../../pages/marks.css"),
        ),
        "marks.js" => text(JS, include_str!("../../../pages/marks.js")),
        "named.js" => text(JS, include_str!("../../../pages/named.js")),
        "via.js" => text(JS, include_str!("../../../pages/via.js")),
        "push.py" => text(
            "text/x-python; charset=utf-8",
            include_str!("../../../pages/mantel_push.py"),
        ),
        "sw.js" => Some(worker()),
        "manifest.webmanifest" => text(
            "application/manifest+json",
            include_str!("../../../pages/manifest.webmanifest"),
        ),
        "icon-192.png" => picture(include_bytes!("../../../pages/icon-192.png")),
        "icon-512.png" => picture(include_bytes!("../../../pages/icon-512.png")),
        _ => None,
    }
}

const HTML: &str = "text/html; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";

/// The service worker, with the version of the viewer that it belongs to: another viewer is another
/// worker, whose caches are its own. What it lets past is what the table of addresses has.
fn worker() -> Response {
    let past: Vec<&str> = address::past_workers().collect();
    let past = past.join(" ");
    let worker = include_str!("../../../pages/sw.js")
        .replace("%VERSION%", &assets::version())
        .replace("%PAST%", &past);
    reply::page(JS, worker)
}

fn picture(bytes: &'static [u8]) -> Option<Response> {
    let builder = http::Response::builder()
        .header(header::CONTENT_TYPE, "image/png")
        .header(header::CACHE_CONTROL, "public, max-age=86400");
    Some(reply::built(builder, bytes))
}

#[cfg(test)]
mod tests {
    use std::{
        collections::{BTreeMap, BTreeSet},
        path::Path,
    };

    /// Names of `mantel` with what follows them, as in `mantel.name(`, where that begins so.
    fn names<'a>(script: &'a str, follows: &'a str) -> impl Iterator<Item = &'a str> {
        script.split("mantel.").skip(1).filter_map(move |rest| {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric())?;
            rest[end..].starts_with(follows).then_some(&rest[..end])
        })
    }

    /// Scripts loaded apart run as they come, and one may come late.
    #[test]
    fn no_script_that_is_loaded_apart_calls_what_another_one_defines() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let apart = std::fs::read_to_string(root.join("../viewer/around/apart.js")).unwrap();
        let scripts: BTreeMap<&str, String> = apart
            .split('\'')
            .filter_map(|name| {
                let text = std::fs::read_to_string(root.join(format!("pages/{name}.js")));
                Some((name, text.ok()?))
            })
            .collect();
        assert!(scripts.len() > 5, "{:?}", scripts.keys());
        let page: String = std::fs::read_dir(root.join("../viewer/around"))
            .unwrap()
            .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
            .collect();
        let always: BTreeSet<&str> = names(&page, " = ").collect();
        for (name, script) in &scripts {
            let called: BTreeSet<&str> = names(script, "(").collect();
            assert!(!called.is_empty(), "{name} calls nothing");
            for (other, defined) in scripts.iter().filter(|(other, _)| *other != name) {
                let own = names(defined, " = ").filter(|name| !always.contains(name));
                for function in own {
                    assert!(
                        !called.contains(function),
                        "{name}.js calls mantel.{function} of {other}.js"
                    );
                }
            }
        }
    }
}
