//! What a person meets over the pictures: words under each photo, shades without an edge, a menu that fits, a
//! sentence where there is nothing to show, a bar that comes and goes, and tabs that nobody sees.

use serde_json::json;

use crate::{
    around::{await_pictures, await_true, go_to},
    captions::sidecar,
    page::{await_look, await_screen},
    support::{
        clients::Client,
        devtools::{Browser, Page},
        eventually,
        photos::{Photos, oriented, sized, upright},
        pixels::{BLUE, GREEN, Picture, RED, Rgb},
        server::{STANDING, Server},
    },
};

const WHITE: Rgb = Rgb([250, 250, 250]);
const OK: u32 = 13;
const BACK: u32 = 461;
const LEFT: u32 = 37;
const DOWN: u32 = 40;
const RIGHT: u32 = 39;

/// A browser and a server of these photos, where both are here.
fn start(client: Client, photos: &Photos, more: &[&str]) -> Option<(Browser, Server)> {
    let browser = Browser::start(client)?;
    let server = Server::start(photos.path(), &[&STANDING, more].concat());
    server.has_viewer().then_some((browser, server))
}

/// Left, top, right and bottom of an element, in CSS pixels.
fn place(page: &mut Page, of: &str) -> [f64; 4] {
    let value = page
        .eval(&format!(
            "(function (r) {{ return [r.left, r.top, r.right, r.bottom]; }})(document.querySelector('{of}').getBoundingClientRect())"
        ))
        .expect("a place");
    [0, 1, 2, 3].map(|i| value[i].as_f64().unwrap_or(-1.0))
}

#[test]
fn each_of_two_has_its_own_words_on_the_page() {
    let photos = Photos::none();
    let long =
        "Anna reads from grandfather's poems and nobody in the room dares to cough, ".repeat(4);
    photos.add("1.jpg.xmp", &sidecar(&long));
    photos.add("1.jpg", &upright(RED));
    photos.add("2.jpg.xmp", &sidecar("قصائد الجد"));
    photos.add("2.jpg", &upright(GREEN));
    let Some((browser, server)) = start(Client::Chromium, &photos, &[]) else {
        return;
    };
    let mut page = browser.open(&server.url("/?caption=text,date&lang=en"));
    await_pictures(&mut page);
    await_true(
        &mut page,
        "!!document.querySelector('#words.beside .first .text.on') && !!document.querySelector('#words.beside .second .text.on')",
    );
    let text = |of: &str| format!("document.querySelector('.{of} .text').textContent");
    let first = page.eval(&text("first")).expect("words");
    let (long_one, other) = if first == json!("قصائد الجد") {
        ("second", "first")
    } else {
        ("first", "second")
    };
    assert_eq!(page.eval(&text(other)), Ok("قصائد الجد".into()));
    let middle = 320.0;
    let [left, .., right, _] = place(&mut page, ".first .text");
    assert!(left > 0.0 && right < middle, "{left} to {right}");
    let [left, .., right, _] = place(&mut page, ".second .text");
    assert!(left > middle && right < 640.0, "{left} to {right}");
    // Two lines, and what is left out is told.
    let clamped = page.eval(&format!(
        "(function (p) {{ var s = getComputedStyle(p);
             return [s.webkitLineClamp, p.scrollHeight > p.clientHeight + 4, p.clientHeight <= 2.1 * 1.3 * parseFloat(s.fontSize)];
         }})(document.querySelector('.{long_one} .text'))"
    ));
    assert_eq!(clamped, Ok(json!(["2", true, true])));
    // Both lines of an Arabic caption stand on the right, those of the other on the left.
    let side =
        |of: &str| format!("getComputedStyle(document.querySelector('.{of} .details')).textAlign");
    assert_eq!(page.eval(&side(other)), Ok("right".into()));
    assert_eq!(page.eval(&side(long_one)), Ok("left".into()));
    assert_eq!(page.complaints(), Vec::<String>::new());
}

#[test]
fn words_of_two_lie_at_their_photos_on_a_wide_screen() {
    let photos = Photos::none();
    for (name, colour) in [("1", RED), ("2", BLUE)] {
        photos.add(
            format!("{name}.jpg.xmp"),
            &sidecar(&"Anna reads ".repeat(30)),
        );
        photos.add(format!("{name}.jpg"), &upright(colour));
    }
    let Some((browser, server)) = start(Client::Chromium, &photos, &[]) else {
        return;
    };
    let mut page = browser.open(&server.url("/?caption=text"));
    page.resize(1720, 720);
    await_pictures(&mut page);
    await_true(
        &mut page,
        "!!document.querySelector('#words.beside .second .text.on') && mantel.facts.words_from > 20 &&
         parseFloat(document.querySelector('.first .told').style.left) > 40",
    );
    // 9:16 and a little more of it, in the middle of the screen: from 430 to 1290.
    let [left, .., right, _] = place(&mut page, ".first .text");
    assert!(left > 430.0 && right < 860.0, "{left} to {right}");
    let [left, .., right, _] = place(&mut page, ".second .text");
    assert!(left > 860.0 && right < 1290.0, "{left} to {right}");
    // So they do where the server draws them; beside the photos is their backdrop.
    let drawn = eventually("a snapshot", || {
        let reply = server.get("/snapshot?size=1720x720&caption=text");
        Picture::from_jpeg(&reply.body)
    });
    let lit: Vec<usize> = (0..drawn.width)
        .filter(|x| (drawn.height * 4 / 5..drawn.height).any(|y| drawn.at(*x, y).luma() > 200.0))
        .collect();
    let of = |share: f64| drawn.width as f64 * share / 1720.0;
    let (first, last) = (lit[0] as f64, lit[lit.len() - 1] as f64);
    assert!(first > of(430.0) && last < of(1290.0), "{first} to {last}");
    assert_eq!(page.complaints(), Vec::<String>::new());
}

#[test]
fn shades_have_no_edge() {
    let photos = Photos::none();
    photos.add("1.jpg.xmp", &sidecar("Snow"));
    photos.add("1.jpg", &sized(1280, 720, WHITE));
    let Some((browser, server)) = start(Client::Chromium, &photos, &[]) else {
        return;
    };
    let mut page = browser.open(&server.url("/?caption=text&clock=24&date=on&progress=off"));
    page.resize(1280, 720);
    await_pictures(&mut page);
    await_true(
        &mut page,
        "!!document.querySelector('.text.on') && !document.getElementById('hint')",
    );
    // Lines of the screen without words: a step of more than two levels is seen, so is none at all.
    eventually("smooth shades", || {
        let picture = page.screenshot()?;
        let (width, height) = (picture.width, picture.height);
        let down = |x: usize| {
            (0..height)
                .map(|y| picture.at(x, y).luma())
                .collect::<Vec<_>>()
        };
        let across = |y: usize| {
            (0..width)
                .map(|x| picture.at(x, y).luma())
                .collect::<Vec<_>>()
        };
        let lines = [
            down(width * 3 / 5),
            down(width - 3),
            across(3),
            across(height - 3),
        ];
        let steps = lines.each_ref().map(|line| {
            line.windows(2)
                .map(|pair| (pair[0] - pair[1]).abs())
                .fold(0.0, f64::max)
        });
        let darkest = lines
            .each_ref()
            .map(|line| line.iter().copied().fold(255.0, f64::min));
        let is_smooth = steps.iter().all(|step| *step < 2.1);
        if is_smooth && darkest.iter().all(|luma| *luma < 150.0) {
            Ok(())
        } else {
            Err(format!("{steps:?} {darkest:?}"))
        }
    });
}

/// Nothing of the menu is cut off, and nothing scrolls, with the QR code and without.
fn the_menu_fits(client: Client) {
    let photos = Photos::of(&[RED]);
    let Some((browser, server)) = start(client, &photos, &[]) else {
        return;
    };
    let mut page = browser.open(&server.url("/?name=living-room"));
    await_pictures(&mut page);
    for (width, height) in [(640, 360), (1280, 720), (1920, 1080), (390, 844)] {
        page.resize(width, height);
        page.press("", DOWN);
        let fits = "(function (menu) {
            var box = menu.getBoundingClientRect();
            return box.left >= 0 && box.top >= 0 && box.right <= innerWidth && box.bottom <= innerHeight &&
                menu.scrollHeight <= menu.clientHeight && menu.scrollWidth <= menu.clientWidth &&
                [].every.call(menu.querySelectorAll('.row, .qr'), function (one) {
                    var own = one.getBoundingClientRect();
                    return !own.width || own.left >= box.left && own.right <= box.right && own.bottom <= box.bottom;
                });
        })(document.getElementById('menu'))";
        await_true(
            &mut page,
            &format!("!!document.getElementById('menu') && {fits}"),
        );
        go_to(&mut page, "Remote on a phone");
        page.press("", OK);
        await_true(
            &mut page,
            &format!(
                "(document.querySelector('#menu .qr img') || {{}}).naturalWidth > 0 && {fits}"
            ),
        );
        // Back closes what was opened in place of the rows, then the menu.
        for _ in 0..2 {
            if page.eval("!!document.getElementById('menu')") == Ok(true.into()) {
                page.press("", BACK);
            }
        }
        await_true(&mut page, "!document.getElementById('menu')");
    }
    // Where a row has nothing to change, the arrows lead to the other column.
    page.resize(1280, 720);
    page.press("", DOWN);
    let at = "document.activeElement.firstChild.textContent";
    for (key, row) in [(RIGHT, "Clock"), (DOWN, "Date")] {
        page.press("", key);
        await_true(&mut page, &format!("{at} === '{row}'"));
    }
    page.press("", BACK);
    assert_eq!(page.complaints(), Vec::<String>::new());
}

#[test]
fn the_menu_fits_every_screen() {
    the_menu_fits(Client::Chromium);
}

#[test]
fn the_menu_fits_every_screen_of_chromium_64() {
    the_menu_fits(Client::Chromium64);
}

#[test]
fn a_choice_that_matches_nothing_is_told_until_there_are_photos() {
    let photos = Photos::of(&[RED]);
    let Some((browser, server)) = start(Client::Chromium, &photos, &[]) else {
        return;
    };
    let told = |words: &str| {
        format!("/{words}/.test((document.getElementById('problem') || {{}}).textContent)")
    };
    for (rung, album) in [("wasm", "Later"), ("snapshot", "Much later")] {
        let mut page = browser.open(&server.url(&format!("/?viewer={rung}&album={album}")));
        await_true(
            &mut page,
            &told(&format!("album {album}.*Show all photos.*Settings")),
        );
        await_true(
            &mut page,
            "getComputedStyle(document.getElementById('hello')).display === 'none'",
        );
        photos.add(format!("{album}/1.jpg"), &upright(BLUE));
        await_true(&mut page, "!document.getElementById('problem')");
        await_screen(&mut page, BLUE);
    }
    // A remote's keys lead out of it.
    for (query, words) in [
        ("fit=foo", "contain, cover or blur"),
        ("from=gestern&viewer=img", "a year, a month"),
    ] {
        let mut page = browser.open(&server.url(&format!("/?clock=on&{query}")));
        await_true(&mut page, &told(words));
        page.press("", RIGHT);
        await_true(
            &mut page,
            "document.activeElement.textContent === 'Settings'",
        );
        page.press("", LEFT);
        page.press("", OK);
        await_true(
            &mut page,
            "!/fit|from|viewer=wasm/.test(location.search) && /clock=on/.test(location.search)",
        );
        await_pictures(&mut page);
        await_true(&mut page, "!document.getElementById('problem')");
    }
}

/// Hidden as an engine has it, or as a TV does that calls a shown page hidden; five seconds take less.
const HIDING: &str = "var hides = false, paints = false, looks = 0, waiting = [];
    Object.defineProperty(Document.prototype, 'hidden', { get: function () { return hides; } });
    var frame = window.requestAnimationFrame, later = window.setTimeout;
    window.requestAnimationFrame = function (act) {
        return hides && !paints ? waiting.push(act) : frame.call(window, act);
    };
    window.setTimeout = function (act, millis) {
        if (millis === 5000 && /judge/.test(act.name)) { looks++; millis = 500; }
        return later.call(window, act, millis);
    };
    function hide(now) {
        hides = now;
        if (!now) { waiting.splice(0).forEach(function (act) { frame.call(window, act); }); }
        document.dispatchEvent(new Event('visibilitychange'));
    }";

#[test]
fn a_page_that_nobody_sees_lets_go_and_comes_back() {
    let photos = Photos::of(&[RED, GREEN, BLUE]);
    for rung in ["wasm", "img"] {
        let Some((browser, server)) = start(Client::Chromium, &photos, &[]) else {
            return;
        };
        let n_watching = || {
            server.get("/status").json()["watching"]
                .as_array()
                .map_or(0, Vec::len)
        };
        let watching = |n: usize| {
            eventually(&format!("{n} to watch"), || {
                let now = n_watching();
                if now == n {
                    Ok(())
                } else {
                    Err(now.to_string())
                }
            });
        };
        let mut page = browser.open_after(&server.url(&format!("/?viewer={rung}")), HIDING);
        await_pictures(&mut page);
        watching(1);
        page.eval("hide(true)").expect("to hide");
        watching(0);
        let wanted = server.advance();
        page.eval("hide(false)").expect("to show");
        await_screen(&mut page, wanted);
        watching(1);
        // One that is painted is seen, whatever it is called: looked at again and again.
        page.eval("looks = 0; paints = true; hide(true)")
            .expect("to hide");
        await_true(&mut page, "looks > 2 && !mantel.resting");
        assert_eq!(n_watching(), 1, "{rung}");
        page.eval("hide(false)").expect("to show");
        assert_eq!(page.complaints(), Vec::<String>::new());
    }
}

/// A browser has six connections for all of its tabs.
#[test]
fn eight_tabs_show_a_picture_when_looked_at() {
    let photos = Photos::of(&[RED]);
    let Some((browser, server)) = start(Client::Chromium, &photos, &[]) else {
        return;
    };
    let mut tabs: Vec<Page> = (0..8).map(|_| browser.open_tab(&server.url("/"))).collect();
    for page in &mut tabs {
        page.bring_to_front();
        await_look(page, "playing", RED);
    }
}

#[test]
fn a_bar_comes_with_the_mouse_and_a_line_once() {
    let photos = Photos::of(&[RED, GREEN]);
    let Some((browser, server)) = start(Client::Chromium, &photos, &[]) else {
        return;
    };
    let mut page = browser.open(&server.url("/"));
    await_true(
        &mut page,
        "/menu/.test((document.querySelector('#hint.on') || {}).textContent)",
    );
    await_true(
        &mut page,
        "!document.getElementById('hint') && document.getElementById('bar').className === ''",
    );
    await_look(&mut page, "playing", server.colour());
    let wanted = if server.colour().is(RED) { GREEN } else { RED };
    page.pointer("mouseMoved", 300.0, 100.0);
    page.pointer("mouseMoved", 310.0, 100.0);
    await_true(
        &mut page,
        "document.querySelectorAll('#bar.on button').length === 5",
    );
    let [left, top, right, bottom] = place(&mut page, "#bar button:nth-child(3)");
    let (x, y) = ((left + right) / 2.0, (top + bottom) / 2.0);
    page.pointer("mousePressed", x, y);
    page.pointer("mouseReleased", x, y);
    await_look(&mut page, "playing", wanted);
    await_true(&mut page, "document.getElementById('bar').className === ''");
    // Not the first visit any more.
    page.eval("setTimeout(function () { location.reload(); }, 0)")
        .expect("to reload");
    await_true(
        &mut page,
        "!!document.getElementById('bar') && document.documentElement.hasAttribute('data-slide')",
    );
    assert_eq!(
        page.eval("document.getElementById('hint') === null"),
        Ok(true.into())
    );
    assert_eq!(page.complaints(), Vec::<String>::new());
}

#[test]
fn bar_and_line_lie_above_the_longest_words() {
    let photos = Photos::none();
    for name in ["1.jpg", "2.jpg"] {
        photos.add(format!("{name}.xmp"), &sidecar("Snow"));
        photos.add(name, &sized(720, 1280, WHITE));
    }
    let Some((browser, server)) = start(Client::Chromium, &photos, &[]) else {
        return;
    };
    let mut page = browser.open(&server.url("/?caption=all"));
    await_true(
        &mut page,
        "!!document.querySelector('#hint.on') && !!document.querySelector('#words .text.on')",
    );
    for (width, height) in [
        (1920, 1080),
        (3440, 1440),
        (1280, 720),
        (701, 641),
        (390, 844),
        (844, 390),
    ] {
        page.resize(width, height);
        await_pictures(&mut page);
        // Two lines of each are shown at most, whatever they say, and they have drifted as far as they do.
        let crossed = page
            .eval(
                "(function () {
                    function place(e) {
                        var r = e.getBoundingClientRect();
                        return { of: e.id || e.className, left: r.left, top: r.top, right: r.right, bottom: r.bottom };
                    }
                    function all(of) { return [].slice.call(document.querySelectorAll(of)); }
                    var words = all('#words .told p.on').filter(function (p) { return p.offsetHeight; });
                    all('#words .told .lines').forEach(function (lines) {
                        lines.style.transform = 'translate(0, -' + Math.round(Math.min(innerWidth, innerHeight) * 0.05) + 'px)';
                    });
                    words.forEach(function (p) { p.textContent = new Array(200).join('snow '); });
                    return [words.length, all('#bar, #hint').map(place).map(function (over) {
                        return [over, words.map(place).filter(function (p) {
                            return over.left < p.right && p.left < over.right && over.top < p.bottom && p.top < over.bottom;
                        })];
                    }).filter(function (both) { return both[1].length; })];
                }())",
            )
            .expect("places");
        assert!(
            crossed[0].as_u64() > Some(0),
            "no words on {width}x{height}"
        );
        assert_eq!(crossed[1], json!([]), "on {width}x{height}");
    }
}

#[test]
fn a_pause_shows_as_long_as_it_lasts_and_what_is_shown_instead_of_photos() {
    let photos = Photos::none();
    let Some((browser, server)) = start(Client::Chromium, &photos, &[]) else {
        return;
    };
    let mut page = browser.open(&server.url("/?clock=12&lang=en&stats=1"));
    await_pictures(&mut page);
    let folder = photos
        .path()
        .file_name()
        .expect("a name")
        .to_string_lossy()
        .into_owned();
    await_true(
        &mut page,
        &format!(
            "/No photos in .*{folder} yet/.test(document.querySelector('.empty.on a[href=\"library/skipped\"]').textContent)"
        ),
    );
    // Small, whatever is before or behind the figures.
    await_true(
        &mut page,
        "/^ ?.?[AP]M$/.test(document.querySelector('.time.on small').textContent) &&
         parseFloat(getComputedStyle(document.querySelector('.time small')).fontSize) <
             .6 * parseFloat(getComputedStyle(document.querySelector('.time')).fontSize)",
    );
    // No statistics under the clock of a phone.
    await_true(
        &mut page,
        "!document.getElementById('stats').hidden && getComputedStyle(document.querySelector('.face')).visibility === 'hidden'",
    );
    page.eval("mantel.set('stats', '')").expect("to close them");
    server.command("pause");
    await_true(
        &mut page,
        "document.querySelector('.pause.on').textContent === 'Paused'",
    );
    server.command("resume");
    await_true(&mut page, "!document.querySelector('.pause.on')");
    photos.add("1.jpg", &oriented(1));
    await_true(
        &mut page,
        "mantel.ask() || !document.querySelector('.empty.on')",
    );
    assert_eq!(page.complaints(), Vec::<String>::new());
}
