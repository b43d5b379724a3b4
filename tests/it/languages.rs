//! The pages in the languages of those who look at them: by the browser's `Accept-Language` where the server answers, by the
//! device's language or `?lang=` on the screens, and from right to left.

use std::fmt::Write as _;

use crate::{
    around::{await_pictures, await_true},
    support::{
        clients::Client,
        devtools::{Browser, Page},
        eventually, http,
        photos::Photos,
        pixels::{BLUE, GREEN, RED},
        server::{STANDING, Server},
    },
};

const LANGUAGES: [&str; 10] = ["de", "en", "es", "fr", "it", "ja", "nl", "pl", "pt", "zh"];
const DOWN: u32 = 40;

fn in_language(server: &Server, path: &str, language: &str) -> http::Reply {
    let headers = format!("Accept: text/html\r\nAccept-Language: {language}\r\n");
    http::request(server.address, "GET", path, &headers, "")
}

#[test]
fn pages_are_answered_in_the_language_of_the_browser() {
    let photos = Photos::of(&[RED, GREEN]);
    let server = Server::start(photos.path(), &STANDING);
    server.settle();
    for (path, german) in [
        ("/settings", "<title>Einstellungen – Mantel</title>"),
        ("/remote", "<title>Fernbedienung – Mantel</title>"),
        ("/channels", "<h1>Kanäle</h1>"),
        ("/history", "<h1>Was lief</h1>"),
        ("/library/hidden", "<h1>Kein Foto ist ausgeblendet</h1>"),
    ] {
        let page = in_language(&server, path, "de-AT,de;q=0.9,en;q=0.8");
        let text = page.text();
        assert!(text.contains(german), "{path}: {text}");
        assert!(text.contains("<html lang=\"de\" dir=\"ltr\">"), "{path}");
        assert_eq!(page.head.get("vary"), Some("accept-language"), "{path}");
        assert!(text.contains("words-de.js\""), "{path}");
        let unknown = in_language(&server, path, "tlh").text();
        assert_eq!(unknown, in_language(&server, path, "en").text(), "{path}");
        for language in LANGUAGES {
            let text = in_language(&server, path, language).text();
            assert!(!text.contains("{{") && !text.contains("%MAIN%"), "{path}");
        }
    }
    for language in LANGUAGES {
        let path = format!("/words-{language}.js");
        let script = server.get(&path);
        assert!(
            script.body.len() < 16_000,
            "{language}: {}",
            script.body.len()
        );
        let tag = script.head.get("etag").expect("a tag").to_owned();
        let known = format!("If-None-Match: {tag}\r\n");
        let again = http::request(server.address, "GET", &path, &known, "");
        assert_eq!((again.status(), again.body.len()), (304, 0));
    }
}

/// Keeps what a person sees where somebody wants to look at it.
fn keep_shot(page: &mut Page, name: &str) {
    if let Some(folder) = std::env::var_os("MANTEL_SHOTS") {
        let png = page.screenshot_png().expect("a picture");
        let path = std::path::Path::new(&folder).join(format!("{name}.png"));
        std::fs::write(path, png).expect("to write");
    }
}

/// Where nothing is cut off: no row is wider than its box, and no element's text than itself.
const CUT_OFF: &str = "[].filter.call(document.querySelectorAll('button, label, h1, h2, legend, summary, p, td'), function (one) {
        return one.offsetWidth && one.scrollWidth > one.clientWidth + 1;
    }).map(function (one) { return one.textContent; })
    .concat(document.documentElement.scrollWidth > window.innerWidth ? ['wider than the window'] : []).join('; ')";

/// The rows of the open menu whose two halves don't fit into a line.
const BROKEN: &str = "[].filter.call(document.querySelectorAll('#menu .row'), function (row) {
        return row.offsetHeight > 1.5 * document.querySelector('#menu .row').offsetHeight;
    }).map(function (row) { return row.textContent; }).join('; ')";

fn the_menu_speaks(client: Client) {
    let Some(browser) = Browser::start(client) else {
        return;
    };
    let photos = Photos::of(&[RED, GREEN, BLUE]);
    let server = Server::start(photos.path(), &STANDING);
    if !server.has_viewer() {
        return;
    }
    let mut broken = String::new();
    for (language, words) in [
        ("de-DE", "Nächstes Bild"),
        ("ja", "次の写真"),
        ("fr", "Image suivante"),
        ("es", "Imagen siguiente"),
        ("it", "Immagine successiva"),
        ("nl", "Volgende foto"),
        ("pl", "Następne zdjęcie"),
        ("pt-BR", "Imagem seguinte"),
        ("zh-CN", "下一张"),
        ("sv", "Next picture"),
        ("fi", "Next picture"),
    ] {
        let mut page = browser.open(&server.url(&format!("/?lang={language}&clock=on&date=on")));
        await_pictures(&mut page);
        await_true(&mut page, "!!window.mantelWords && !!mantel.hold");
        page.press("", DOWN);
        await_true(&mut page, "!!document.getElementById('menu')");
        let menu = page
            .eval("document.getElementById('menu').textContent")
            .expect("a menu");
        assert!(
            menu.as_str().is_some_and(|menu| menu.contains(words)),
            "{language}: {menu}"
        );
        let rows = page.eval(BROKEN).expect("rows");
        if rows != "" {
            let _ = write!(broken, "{language}: {rows} ");
        }
        keep_shot(&mut page, &format!("menu-{language}"));
        assert_eq!(page.complaints(), Vec::<String>::new());
        page.press("", 461);
        await_true(&mut page, "!document.getElementById('menu')");
    }
    assert_eq!(broken, "");
    assert_eq!(server.get("/words-de.js").status(), 200);
}

#[test]
fn the_menu_speaks_ten_languages_in_todays_chromium() {
    the_menu_speaks(Client::Chromium);
}

#[test]
fn the_menu_speaks_ten_languages_in_chromium_64() {
    the_menu_speaks(Client::Chromium64);
}

/// English is in the page: no screen that speaks it asks for more.
#[test]
fn who_speaks_english_loads_no_words() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let photos = Photos::of(&[RED, GREEN]);
    let server = Server::start(photos.path(), &STANDING);
    if !server.has_viewer() {
        return;
    }
    let mut page = browser.open(&server.url("/?lang=en-GB"));
    await_pictures(&mut page);
    await_true(&mut page, "!!mantel.hold");
    let asked = "performance.getEntriesByType('resource').filter(function (one) { return /words-/.test(one.name); }).length";
    assert_eq!(page.eval(asked).expect("a number"), 0);
}

/// A made-up language that is read from right to left.
#[test]
fn a_language_from_right_to_left_is_laid_out_so() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let photos = Photos::of(&[RED, GREEN, BLUE]);
    let server = Server::start(photos.path(), &STANDING);
    if !server.has_viewer() {
        return;
    }
    let mut page = browser.open(&server.url("/?clock=on"));
    await_pictures(&mut page);
    // As words-he.js would.
    let learn = include_str!("../../server/pages/learn.js");
    page.eval(&format!(
        "window.mantelWords = {{ lang: 'he', dir: 'rtl', Fit: 'התאמה', Off: 'כבוי' }}; {learn}"
    ))
    .expect("words");
    assert_eq!(
        page.eval("document.documentElement.dir + document.documentElement.lang"),
        Ok("rtlhe".into())
    );
    page.press("", DOWN);
    await_true(&mut page, "!!document.getElementById('menu')");
    // The first column and each label stand at the right, each value at the left, and nothing outside.
    let is_mirrored = "(function () {
        function box(one) { return one.getBoundingClientRect(); }
        var menu = document.getElementById('menu'), all = box(menu), columns = menu.querySelectorAll('.column');
        var row = [].filter.call(menu.querySelectorAll('.row'), function (row) { return /התאמה/.test(row.textContent); })[0];
        var label = box(row.querySelector('.label')), value = box(row.querySelector('.value'));
        return all.left < innerWidth - all.right && all.left >= 0 && box(columns[0]).left > box(columns[1]).right &&
            label.left > value.right && box(row).right - label.right < 30 && value.left - box(row).left < 30;
    }())";
    assert_eq!(page.eval(is_mirrored), Ok(true.into()));
    keep_shot(&mut page, "menu-rtl");
    assert_eq!(page.complaints(), Vec::<String>::new());

    // The pages of the server, turned round.
    for (path, width) in [("/remote", 390), ("/settings", 390), ("/settings", 1100)] {
        let mut page = browser.open(&server.url(path));
        page.resize(width, 844);
        await_true(&mut page, "document.readyState === 'complete'");
        page.eval("document.documentElement.dir = 'rtl'")
            .expect("a direction");
        let first = "getComputedStyle(document.querySelector('h2')).textAlign + document.documentElement.scrollWidth";
        assert_eq!(
            page.eval(first),
            Ok(format!("start{width}").into()),
            "{path}"
        );
        keep_shot(&mut page, &format!("rtl{}-{width}", path.replace('/', "-")));
    }
}

/// Long words break no page, however narrow.
#[test]
fn long_words_fit_into_the_pages() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let photos = Photos::of(&[RED, GREEN, BLUE]);
    let server = Server::start(photos.path(), &STANDING);
    server.settle();
    let mut broken = String::new();
    for language in LANGUAGES {
        for (path, width) in [
            ("/remote", 390),
            ("/settings", 390),
            ("/settings", 1100),
            ("/history", 390),
        ] {
            let mut page = browser.open_in(&server.url(path), language);
            page.resize(width, 844);
            await_true(
                &mut page,
                &format!(
                    "document.readyState === 'complete' && document.documentElement.lang === '{language}'"
                ),
            );
            if path == "/remote" {
                await_true(&mut page, "!!document.querySelector('#photos button')");
            }
            let cut = eventually("a layout", || page.eval(CUT_OFF));
            if cut != "" {
                let _ = writeln!(broken, "{language} {path} {width}: {cut}");
            }
            keep_shot(
                &mut page,
                &format!("{language}{}-{width}", path.replace('/', "-")),
            );
            assert_eq!(page.complaints(), Vec::<String>::new(), "{language} {path}");
        }
    }
    assert_eq!(broken, "");
}
