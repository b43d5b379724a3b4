//! What happens to a page that is left alone for months, with clocks that the test sets: connections
//! grow old, devices sleep, clocks are set, the viewer gets stuck.

use serde_json::Value;

use crate::{
    around::await_true,
    page::await_screen,
    support::{
        clients::Client,
        devtools::{Browser, Page},
        eventually,
        photos::Photos,
        pixels::{BLUE, GREEN, RED, Rgb, YELLOW},
        server::{STANDING, Server},
    },
};

const FOUR: [Rgb; 4] = [RED, GREEN, BLUE, YELLOW];

/// `clocks.steady` and `clocks.wall` are added to the device's, what looks around every five seconds
/// does so four times a second, and the alarms for silence, which go by the device's own time, do not
/// go off. Whatever changes on screen or in the page's state is written into `seams`.
const CLOCKS: &str = "(function () {
    window.clocks = { steady: 0, wall: 0 };
    window.seams = [];
    var Real = Date, since = performance.now.bind(performance), later = window.setTimeout;
    performance.now = function () { return since() + clocks.steady; };
    window.Date = function (at) { return new Real(arguments.length ? at : Date.now()); };
    Date.prototype = Real.prototype; Date.parse = Real.parse;
    Date.now = function () { return Real.now() + clocks.wall; };
    window.setTimeout = function (act, millis) {
        return later.call(window, act, millis === 5000 ? 250 : millis < 10000 ? millis : 1e8);
    };
    window.watchForSeams = function () {
        var root = document.documentElement, state = root.getAttribute('data-state'), seen;
        var probe = document.createElement('canvas');
        probe.width = probe.height = 1;
        (function look() {
            var now = root.getAttribute('data-state');
            if (now !== state) { seams.push('the state was ' + now); }
            var all = document.querySelectorAll('#rung img, #rung canvas');
            var shown = all.length ? all[all.length - 1] : document.getElementById('screen');
            var context = probe.getContext('2d');
            context.clearRect(0, 0, 1, 1);
            context.drawImage(shown, (shown.naturalWidth || shown.width) / 2, (shown.naturalHeight || shown.height) / 2,
                1, 1, 0, 0, 1, 1);
            var colour = [].slice.call(context.getImageData(0, 0, 1, 1).data).map(function (part) {
                return Math.round(part / 16);
            }).join();
            if (seen && colour !== seen) { seams.push('the screen was ' + colour + ' after ' + seen); }
            seen = seen || colour;
            requestAnimationFrame(look);
        }());
    };
}());";

/// The server's own numbers of the connections that get pictures.
fn connections(server: &Server) -> Vec<u64> {
    let status = server.get("/status").json();
    let rows = status["watching"].as_array().cloned().unwrap_or_default();
    rows.iter()
        .filter_map(|row| row["number"].as_u64())
        .collect()
}

/// Waits until one connection is in place of another, and no two are.
fn await_other(server: &Server, before: u64) -> u64 {
    eventually("another connection", || match connections(server)[..] {
        [now] if now != before => Ok(now),
        ref other => Err(format!("{other:?} after {before}")),
    })
}

struct Screen {
    page: Page,
    server: Server,
    connection: u64,
    /// Both are there as long as the page is looked at.
    _rest: (Browser, Photos),
}

/// A page that shows a slide which stays, on clocks of the test's.
fn screen(client: Client, query: &str) -> Option<Screen> {
    let browser = Browser::start(client)?;
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    if !server.has_viewer() {
        return None;
    }
    let mut page = browser.open_after(&server.url(query), CLOCKS);
    await_screen(&mut page, server.colour());
    let connection = eventually("a connection", || match connections(&server)[..] {
        [one] => Ok(one),
        ref other => Err(format!("{other:?}")),
    });
    // On the page's clocks the next slide's hour comes within the test.
    server.command("pause");
    if !query.contains("viewer=img") {
        await_state(&mut page, "paused");
    }
    page.eval("watchForSeams()").expect("to watch");
    Some(Screen {
        page,
        server,
        connection,
        _rest: (browser, photos),
    })
}

impl Screen {
    /// Lets the page's clocks jump, and the page look at them.
    fn jump(&mut self, steady_seconds: u32, wall_seconds: i64) {
        let script = format!(
            "clocks.steady += {}; clocks.wall += {}; new Promise(function (done) {{
                setTimeout(done, 600);
            }})",
            u64::from(steady_seconds) * 1000,
            wall_seconds * 1000
        );
        self.page.eval(&script).expect("to jump");
    }

    fn assert_no_seam(&mut self) {
        assert_eq!(self.page.eval("seams.join('; ')"), Ok("".into()));
        assert_eq!(self.page.complaints(), Vec::<String>::new());
    }

    fn assert_goes_on(&mut self) {
        self.server.command("resume");
        for _ in 0..2 {
            let next = self.server.advance();
            await_screen(&mut self.page, next);
        }
    }
}

/// Forty minutes in steps that are too short for a sleep.
fn connections_are_replaced(client: Client) {
    let Some(mut screen) = screen(client, "/") else {
        return;
    };
    let mut now = screen.connection;
    for _ in 0..2 {
        for _ in 0..8 {
            screen.jump(4 * 60, 4 * 60);
        }
        assert_eq!(
            connections(&screen.server),
            [now],
            "after half an hour or so"
        );
        for _ in 0..3 {
            screen.jump(4 * 60, 4 * 60);
        }
        now = await_other(&screen.server, now);
    }
    screen.assert_no_seam();
    assert_eq!(screen.page.stats()["nReconnects"], 0);
    screen.assert_goes_on();
}

#[test]
fn an_old_connection_is_replaced_without_a_seam() {
    connections_are_replaced(Client::Chromium);
}

#[test]
fn chromium_67_replaces_an_old_connection_without_a_seam() {
    connections_are_replaced(Client::Chromium67);
}

/// The server of an `<img>` is asked every five seconds, and the stream is new after ten minutes.
#[test]
fn an_old_stream_of_an_img_is_replaced_without_a_seam() {
    let Some(mut screen) = screen(Client::Chromium67, "/?viewer=img") else {
        return;
    };
    screen.jump(9 * 60, 9 * 60);
    assert_eq!(connections(&screen.server), [screen.connection]);
    screen.jump(2 * 60, 2 * 60);
    await_other(&screen.server, screen.connection);
    screen.assert_no_seam();
    screen.assert_goes_on();
}

/// After a night the connection may be dead without anybody having said so.
fn a_night(client: Client, steady_seconds: u32) {
    let Some(mut screen) = screen(client, "/") else {
        return;
    };
    screen.jump(steady_seconds, 8 * 3600);
    await_other(&screen.server, screen.connection);
    screen.assert_no_seam();
    screen.assert_goes_on();
}

#[test]
fn a_tv_that_slept_shows_what_is_on() {
    a_night(Client::Chromium67, 0);
}

#[test]
fn a_tablet_that_slept_shows_what_is_on() {
    a_night(Client::Chromium, 8 * 3600);
}

#[test]
fn a_clock_that_is_set_by_years_changes_nothing_on_screen() {
    let Some(mut screen) = screen(Client::Chromium, "/") else {
        return;
    };
    for seconds in [400 * 86_400, -800 * 86_400, 3600] {
        screen.jump(1, seconds);
        screen.connection = await_other(&screen.server, screen.connection);
    }
    screen.assert_no_seam();
    screen.assert_goes_on();
}

fn await_state(page: &mut Page, state: &str) {
    let is = format!("document.documentElement.getAttribute('data-state') === '{state}'");
    await_true(page, &is);
}

/// Waits for a page that does not bear the test's mark.
fn await_fresh(page: &mut Page) {
    await_true(page, "!window.__old");
    await_state(page, "playing");
}

/// Marks the page and takes its frames away: it says that it plays, and stands.
fn stop(page: &mut Page) {
    page.eval("window.__old = true; window.requestAnimationFrame = function () { return 1; }; 0")
        .expect("to stop it");
}

#[test]
fn a_viewer_that_stands_still_is_loaded_anew_once_an_hour() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let photos = Photos::of(&FOUR);
    let args = "--order name --size 640x360 --interval 4s --transition cut";
    let args: Vec<&str> = args.split(' ').collect();
    let server = Server::start(photos.path(), &args);
    if !server.has_viewer() {
        return;
    }
    // Its minutes are three seconds long.
    let mut page = browser.open_after(
        &server.url("/"),
        "(function (Real, every) {
             window.ahead = 0;
             window.Date = function (at) { return new Real(arguments.length ? at : Real.now() * 20 + ahead); };
             Date.prototype = Real.prototype; Date.now = Real.now; Date.parse = Real.parse;
             window.setInterval = function (act, millis) { return every(act, millis / 20); };
         })(Date, setInterval);",
    );
    await_fresh(&mut page);
    stop(&mut page);
    await_fresh(&mut page);

    // It took some seconds. Again, it takes an hour: the last picture stays.
    stop(&mut page);
    std::thread::sleep(std::time::Duration::from_secs(15));
    assert_eq!(page.eval("window.__old"), Ok(Value::Bool(true)));
    page.eval("window.ahead = 3600000").expect("an hour");
    await_fresh(&mut page);
}
