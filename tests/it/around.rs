//! What lies around the pictures, on every rung of the ladder: words, keys, fingers, the menu, what keeps
//! the screen on, and what the screen tells of itself.

use serde_json::Value;

use crate::{
    live::House,
    page::await_screen,
    support::{
        clients::Client,
        devtools::{Browser, Page},
        eventually,
        photos::{Photos, flat},
        pixels::{BLUE, GREEN, RED, Rgb, YELLOW},
        server::{STANDING, Server},
    },
};

const FOUR: [Rgb; 4] = [RED, GREEN, BLUE, YELLOW];
const WHITE: Rgb = Rgb([250, 250, 250]);

/// Codes of keys, as remotes send them.
const OK: u32 = 13;
const LEFT: u32 = 37;
const UP: u32 = 38;
const DOWN: u32 = 40;
const RIGHT: u32 = 39;

/// Waits until an expression is true.
pub(crate) fn await_true(page: &mut Page, expression: &str) {
    eventually(expression, || {
        let value = page.eval(expression)?;
        if value == true {
            Ok(())
        } else {
            let state = page.eval(
                "document.documentElement.cloneNode(false).outerHTML + ' ' + location.search",
            )?;
            Err(format!("{value}, {state}, {:?}", page.complaints()))
        }
    });
}

/// Waits until the page shows pictures on some rung, and knows what the server says.
pub(crate) fn await_pictures(page: &mut Page) {
    await_true(
        page,
        "!!window.mantel && !!mantel.status && (document.documentElement.hasAttribute('data-slide') ||
         document.documentElement.hasAttribute('data-shown'))",
    );
}

fn channel(server: &Server) -> Value {
    server.get("/status").json()["channel"].take()
}

fn await_channel(server: &Server, what: &str, is: impl Fn(&Value) -> bool) -> Value {
    eventually(what, || {
        let channel = channel(server);
        if is(&channel) {
            Ok(channel)
        } else {
            Err(channel.to_string())
        }
    })
}

/// A photo with everything that can be written about it, taken on this day three years ago.
fn told_photo(page_today: &str) -> Photos {
    let photos = Photos::none();
    let xmp = format!(
        r#"<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
 photoshop:DateCreated="{page_today}T12:30:00">
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">Oma springt</rdf:li></rdf:Alt></dc:description>
</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"#
    );
    photos.add("Summer/1.jpg.xmp", xmp.as_bytes());
    photos.add("Summer/1.jpg", &flat(WHITE));
    photos
}

/// Keys of a remote become commands, whatever shows the pictures.
fn keys_become_commands(client: Client, query: &str) {
    let Some(browser) = Browser::start(client) else {
        return;
    };
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    if !server.has_viewer() {
        return;
    }
    let mut page = browser.open(&server.url(query));
    await_pictures(&mut page);
    let number = |channel: &Value| channel["slide"]["number"].as_u64().unwrap_or(0);
    let first = number(&channel(&server));
    page.press("", RIGHT);
    let second = number(&await_channel(&server, "the next slide", |now| {
        number(now) > first
    }));
    // Fast forward, as Tizen and webOS send it.
    page.press("Unidentified", 417);
    await_channel(&server, "the one after it", |now| number(now) > second);
    page.press("", 19);
    await_channel(&server, "a pause", |now| now["paused"] == true);
    await_true(&mut page, "mantel.paused()");
    page.press("Enter", OK);
    await_channel(&server, "its end", |now| now["paused"] == false);
    await_true(&mut page, "!mantel.paused()");
    await_screen(&mut page, server.colour());

    // A tap on the left edge, as a finger that hardly moves.
    let before = number(&channel(&server));
    page.eval(
        "['mousedown', 'mouseup'].forEach(function (name, i) {
             var event = document.createEvent('MouseEvents');
             event.initMouseEvent(name, true, true, window, 1, 0, 0, 30 + i, 180, false, false, false, false, 0, null);
             document.body.dispatchEvent(event);
         })",
    )
    .expect("a tap");
    await_channel(&server, "the slide before", |now| number(now) != before);
    page.press("s", 83);
    await_true(
        &mut page,
        "!document.getElementById('stats').hidden && /kept on by/.test(document.getElementById('stats').textContent)",
    );
    page.press("", 10_009);
    await_true(
        &mut page,
        "document.getElementById('stats').hidden && !/stats/.test(location.search)",
    );
    assert_eq!(page.complaints(), Vec::<String>::new());
}

#[test]
fn keys_become_commands_in_the_viewer() {
    keys_become_commands(Client::Chromium, "/");
}

#[test]
fn keys_become_commands_beside_a_stream() {
    keys_become_commands(Client::Chromium67, "/?viewer=img");
}

#[test]
fn keys_become_commands_beside_a_snapshot() {
    keys_become_commands(Client::Chromium64, "/?viewer=snapshot");
}

/// Keys that go to other photos, or stop at one, do nothing on the page of a live channel, and nothing there tells of them.
fn live_pages_have_no_keys_of_photos(client: Client, query: &str) {
    let Some(browser) = Browser::start(client) else {
        return;
    };
    let house = House::plot();
    if !house.server.has_viewer() {
        return;
    }
    house.push_colour(GREEN);
    let mut page = browser.open(&house.server.url(&format!("/c/plot/{query}")));
    await_pictures(&mut page);
    page.eval(
        "(function () {
             var open = XMLHttpRequest.prototype.open;
             window.asked = [];
             XMLHttpRequest.prototype.open = function (method, path) {
                 if (method === 'POST' && /control/.test(path)) { window.asked.push(path); }
                 return open.apply(this, arguments);
             };
         }())",
    )
    .expect("an ear for commands");
    for code in [RIGHT, LEFT, 33, 417, 412, OK, 32, 19, 415] {
        page.press("", code);
    }
    let seen = page
        .eval("[asked.length, document.getElementById('toast').className, mantel.paused()].join()");
    assert_eq!(seen, Ok("0,,false".into()));
    // The others are what they are.
    page.press("m", 77);
    await_true(&mut page, "!!document.getElementById('menu')");
    let rows = "[].map.call(document.querySelectorAll('#menu .label'), function (row) { return row.textContent; })";
    let rows = page.eval(&format!("{rows}.join()")).expect("rows");
    let rows = rows.as_str().expect("text");
    assert!(
        rows.contains("Fit") && rows.contains("Full screen"),
        "{rows}"
    );
    for gone in ["Play,", "Next picture", "Previous picture"] {
        assert!(!rows.contains(gone), "{rows}");
    }
    page.press("m", 77);
    await_true(&mut page, "!document.getElementById('menu')");
    await_true(&mut page, "!!document.getElementById('bar')");
    page.eval("[9, 99].forEach(function (x) {
             var event = document.createEvent('MouseEvents');
             event.initMouseEvent('mousemove', true, true, window, 1, 0, 0, x, 180, false, false, false, false, 0, null);
             document.body.dispatchEvent(event);
         })")
        .expect("a mouse that moves");
    let buttons = "[].filter.call(document.querySelectorAll('#bar button'), function (button) { return button.offsetWidth; })";
    await_true(&mut page, &format!("{buttons}.length === 2"));
    house.push_colour(RED);
    await_screen(&mut page, RED);
    assert_eq!(page.complaints(), Vec::<String>::new());
}

#[test]
fn live_pages_have_no_keys_of_photos_in_the_viewer() {
    live_pages_have_no_keys_of_photos(Client::Chromium, "");
}

#[test]
fn live_pages_have_no_keys_of_photos_beside_a_stream() {
    live_pages_have_no_keys_of_photos(Client::Chromium67, "?viewer=img");
}

/// Goes to a row of the menu with the arrow down.
pub(crate) fn go_to(page: &mut Page, label: &str) {
    for _ in 0..30 {
        let at = page
            .eval("document.activeElement.firstChild ? document.activeElement.firstChild.textContent : ''")
            .expect("a row");
        if at == label {
            return;
        }
        page.press("", DOWN);
    }
    panic!("the menu has no row {label}");
}

/// A pad that the test presses: engines without a person have none.
#[test]
fn a_gamepad_is_a_remote() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    if !server.has_viewer() {
        return;
    }
    let script = "window.down = -1;
        navigator.getGamepads = function () {
            var buttons = [];
            for (var i = 0; i < 16; i++) { buttons.push({ pressed: i === down }); }
            return down === -2 ? [null] : [null, { connected: true, axes: [0, 0], buttons: buttons }];
        };";
    let mut page = browser.open_after(&server.url("/"), script);
    await_pictures(&mut page);
    let before = channel(&server)["slide"]["number"].clone();
    page.eval("window.dispatchEvent(new Event('gamepadconnected')); down = 15")
        .expect("a pad");
    await_channel(&server, "the next slide", |now| {
        now["slide"]["number"] != before
    });
    // Held, it is one press; start opens the menu, and B closes it.
    page.eval("down = 9").expect("start");
    await_true(&mut page, "!!document.getElementById('menu')");
    page.eval("down = 1").expect("B");
    await_true(&mut page, "!document.getElementById('menu')");
    assert_eq!(page.complaints(), Vec::<String>::new());
}

/// The whole menu with four arrows, OK and back.
fn menu_with_arrows(client: Client, query: &str, script: &str) {
    let Some(browser) = Browser::start(client) else {
        return;
    };
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    if !server.has_viewer() {
        return;
    }
    let mut page = browser.open_after(&server.url(query), script);
    await_pictures(&mut page);
    await_true(&mut page, "!document.getElementById('menu')");
    page.press("", DOWN);
    await_true(
        &mut page,
        "document.activeElement.getAttribute('role') === 'menuitem'",
    );

    go_to(&mut page, "Clock");
    page.press("", RIGHT);
    await_true(&mut page, "/[?&]clock=on/.test(location.search)");
    await_true(
        &mut page,
        r"/\d:\d\d/.test(document.querySelector('.time.on').textContent)",
    );
    // What the server makes changes too, without a new page.
    page.eval("window.same = true").expect("a mark");
    go_to(&mut page, "Fit");
    page.press("", RIGHT);
    await_true(&mut page, "/[?&]fit=contain/.test(location.search) && same");
    eventually("a rendition that contains", || {
        let status = server.get("/status").json();
        let rows = status["renditions"].as_array().cloned().unwrap_or_default();
        if rows.iter().any(|row| row["fit"] == "contain") {
            Ok(())
        } else {
            Err(status.to_string())
        }
    });
    let before = channel(&server)["slide"]["number"].clone();
    page.press("", DOWN);
    page.press("", UP);
    go_to(&mut page, "Next picture");
    page.press("", OK);
    await_channel(&server, "the next slide", |now| {
        now["slide"]["number"] != before
    });
    go_to(&mut page, "Remote on a phone");
    page.press("", OK);
    await_true(
        &mut page,
        "(document.querySelector('#menu .qr img') || {}).naturalWidth > 0",
    );
    page.press("", 461);
    await_true(&mut page, "!document.getElementById('menu')");
    assert_eq!(page.complaints(), Vec::<String>::new());
}

#[test]
fn the_menu_takes_arrows_in_todays_chromium() {
    menu_with_arrows(Client::Chromium, "/", "");
}

#[test]
fn the_menu_takes_arrows_in_chromium_67() {
    menu_with_arrows(Client::Chromium67, "/", "");
}

#[test]
fn the_menu_takes_arrows_beside_a_stream() {
    menu_with_arrows(Client::Chromium64, "/?viewer=img", "");
}

/// Chromium 64 has moods in which no second picture loads while a stream runs. Here it always has.
#[test]
fn the_menu_takes_arrows_where_one_picture_loads_at_a_time() {
    menu_with_arrows(Client::Chromium64, "/?viewer=img", ONE_AT_A_TIME);
}

const ONE_AT_A_TIME: &str = "(function () {
    var src = Object.getOwnPropertyDescriptor(HTMLImageElement.prototype, 'src');
    Object.defineProperty(HTMLImageElement.prototype, 'src', {
        get: src.get,
        set: function (url) {
            var runs = document.querySelector('#rung img[src^=stream]');
            if (/^data:/.test(url) || !runs) { src.set.call(this, url); }
        }
    });
    (function look() {
        var shown = document.documentElement && document.documentElement.hasAttribute('data-shown');
        if (shown && !document.getElementById('rung').firstChild) { console.error('nothing is shown'); }
        requestAnimationFrame(look);
    }());
}())";

/// What the address does not say is the server's to say, and the menu tells it.
#[test]
fn the_menu_tells_what_holds() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let photos = Photos::of(&FOUR);
    let mut args = STANDING.to_vec();
    args.extend(["--fit", "cover", "--pair", "off", "--caption", "album,text"]);
    let server = Server::start(photos.path(), &args);
    if !server.has_viewer() {
        return;
    }
    let mut page = browser.open(&server.url("/?clock=24&transition=2s"));
    await_pictures(&mut page);
    page.press("", DOWN);
    for (label, value) in [
        ("Clock", "On"),
        ("Fit", "Fill"),
        ("Two at once", "Off"),
        ("Caption", "album, text"),
        ("Transition", "2s"),
        ("Slow move", "Off"),
    ] {
        let row = format!(
            "[].slice.call(document.querySelectorAll('#menu .row')).filter(function (row) {{
                return row.firstChild.textContent === '{label}';
            }})[0].lastChild.textContent"
        );
        assert_eq!(page.eval(&row), Ok(value.into()), "{label}");
    }
    // And back from one that the menu has not offered by itself.
    go_to(&mut page, "Caption");
    page.press("", RIGHT);
    await_true(&mut page, "/[?&]caption=off/.test(location.search)");
    page.press("", LEFT);
    await_true(&mut page, "!/[?&]caption=/.test(location.search)");
    assert_eq!(page.complaints(), Vec::<String>::new());
}

/// White words on a white photo: they lie on a shade, and nothing else does.
fn words_are_read(client: Client, script: &str) {
    let Some(browser) = Browser::start(client) else {
        return;
    };
    let years_ago = |years: i32| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let seconds = now.expect("a clock after 1970").as_secs();
        civil(i64::try_from(seconds / 86_400).expect("a day"), years)
    };
    let photos = told_photo(&years_ago(3));
    let server = Server::start(photos.path(), &STANDING);
    if !server.has_viewer() {
        return;
    }
    let query = "/?clock=24&date=on&caption=all&ago=on&lang=de&progress=off";
    let mut page = browser.open_after(&server.url(query), script);
    await_pictures(&mut page);
    let text = |of: &str| format!("(document.querySelector('{of}.on') || {{}}).textContent");
    await_true(&mut page, &format!("{} === 'Oma springt'", text(".text")));
    await_true(&mut page, &format!("/Summer/.test({})", text(".details")));
    await_true(
        &mut page,
        &format!("{} === 'heute vor 3 Jahren'", text(".ago")),
    );
    await_true(
        &mut page,
        &format!(r"/^\d?\d:\d\d$/.test({})", text(".time")),
    );
    await_true(&mut page, &format!(r"/\d/.test({})", text(".day")));
    await_true(
        &mut page,
        "/^Oma springt, .*Summer$/.test(document.getElementById('screen').getAttribute('aria-label'))",
    );
    eventually("a shade under the words alone", || {
        let picture = page.screenshot()?;
        let (middle, told) = (picture.middle(), picture.around(0.08, 0.9));
        let face = picture.around(0.9, 0.1);
        if middle.is(WHITE) && told.luma() < 190.0 && face.luma() < 190.0 {
            Ok(())
        } else {
            Err(format!("{middle:?} {told:?} {face:?}"))
        }
    });

    // Within eight minutes they have gone a way, and are still on the safe part of the screen.
    let place = "(function () {
        var box = document.querySelector('.told .lines').getBoundingClientRect();
        return [box.left, box.top, box.right, box.bottom];
    })()";
    let before = page.eval(place).expect("a place");
    page.eval(
        "(function () {
            var time = Date.prototype.getTime;
            Date.prototype.getTime = function () { return time.call(this) + 8 * 60000; };
            mantel.drift();
        })()",
    )
    .expect("to drift");
    let after = page.eval(place).expect("a place");
    assert_ne!(before, after);
    let at = |i: usize| after[i].as_f64().unwrap_or(-1.0);
    assert!(at(0) >= 640.0 * 0.029 && at(3) <= 360.0 * 0.971, "{after}");
    assert_eq!(page.complaints(), Vec::<String>::new());
}

/// The date `years` before the day with this number since 1970, by the civil calendar.
fn civil(day: i64, years: i32) -> String {
    let day = day + 719_468;
    let era = day.div_euclid(146_097);
    let of_era = day.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year + era * 400 + i64::from(month <= 2) - i64::from(years);
    format!(
        "{year:04}-{month:02}-{:02}",
        of_year - (153 * shifted + 2) / 5 + 1
    )
}

#[test]
fn words_are_read_on_white_in_todays_chromium() {
    words_are_read(Client::Chromium, "");
}

#[test]
fn words_are_read_on_white_in_chromium_67() {
    words_are_read(Client::Chromium67, "");
}

#[test]
fn words_are_read_without_intl() {
    words_are_read(Client::Chromium, "delete window.Intl;");
}

#[test]
fn nobody_touches_it_and_nothing_is_there() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    if !server.has_viewer() {
        return;
    }
    let mut page = browser.open(&server.url("/"));
    await_pictures(&mut page);
    await_true(
        &mut page,
        "document.documentElement.classList.contains('still')",
    );
    eventually("nothing over the picture", || {
        let over = page.eval(
            "[].filter.call(document.querySelectorAll('body *'), function (element) {
                 var style = getComputedStyle(element);
                 return element.textContent && style.opacity !== '0' && style.display !== 'none' &&
                     element.getClientRects().length && !/SCRIPT|NOSCRIPT/.test(element.tagName) &&
                     [].some.call(element.childNodes, function (node) {
                         return node.nodeType === 3 && node.textContent.trim();
                     });
             }).map(function (element) { return element.outerHTML; })",
        )?;
        if over == serde_json::json!([]) {
            Ok(())
        } else {
            Err(over.to_string())
        }
    });
    assert_eq!(page.complaints(), Vec::<String>::new());
}

/// What keeps the screen on, where nothing but a video can.
#[test]
fn a_video_keeps_the_screen_on() {
    for (client, script) in [
        (Client::Chromium67, ""),
        (
            Client::Chromium,
            "Object.defineProperty(Navigator.prototype, 'wakeLock', { get: function () { return undefined; } });",
        ),
    ] {
        let Some(browser) = Browser::start(client) else {
            continue;
        };
        let photos = Photos::of(&FOUR);
        let server = Server::start(photos.path(), &STANDING);
        if !server.has_viewer() {
            return;
        }
        let mut page = browser.open_after(&server.url("/"), script);
        await_pictures(&mut page);
        await_true(
            &mut page,
            "mantel.awake === 'video' && document.getElementById('awake').muted",
        );
        page.eval("mantel.set('awake', 'off')")
            .expect("to switch it off");
        await_true(
            &mut page,
            "mantel.awake === 'off' && !document.getElementById('awake')",
        );
        await_screen(&mut page, server.colour());
        assert_eq!(page.complaints(), Vec::<String>::new());
    }
}

/// What a screen says of itself comes to the server, on each rung.
#[test]
fn screens_report() {
    let Some(browser) = Browser::start(Client::Chromium67) else {
        return;
    };
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    if !server.has_viewer() {
        return;
    }
    for (rung, name) in [("wasm", "living-room"), ("img", "hall")] {
        let mut page = browser.open(&server.url(&format!("/?viewer={rung}&name={name}")));
        await_pictures(&mut page);
        await_true(&mut page, "!!mantel.reportNow");
        page.eval("mantel.reportNow()").expect("to report");
        eventually("the report", || {
            let screens = server.get("/screens").text();
            let is_there = screens.contains(name) && screens.contains("Chromium 67");
            if is_there { Ok(()) } else { Err(screens) }
        });
        assert_eq!(page.complaints(), Vec::<String>::new());
        drop(page);
    }
}
