//! The viewer page, and a server or an engine that is not well: the last good picture stays, the
//! figures say why, and it heals by itself.

use std::io::Write as _;

use serde_json::Value;

use crate::{
    page::{await_look, look},
    support::{
        clients::Client,
        devtools::{Browser, Page},
        eventually,
        hostile::{Behaviour, Hostile, begin, begin_slides, hold, slide},
        photos::{Photos, flat, jpeg_bomb, sized},
        pixels::{BLUE, GREEN, RED, Rgb, YELLOW},
        server::{STANDING, Server},
    },
};

/// Sends one good picture, and stays.
fn good(number: u64, colour: Rgb) -> Behaviour {
    let body = flat(colour);
    Box::new(move |socket, _| {
        begin_slides(socket)?;
        slide(socket, number, "", &body)?;
        hold()
    })
}

fn trouble(page: &mut Page) -> Result<String, String> {
    let trouble = page.stats()["trouble"].clone();
    Ok(trouble.as_str().unwrap_or("").to_owned())
}

/// Feeds a page on which RED stands with something bad: RED stays, `words` are among what is told, and
/// once the server is well again BLUE comes.
fn survives(words: &str, bad: Behaviour) {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let photos = Photos::of(&[YELLOW]);
    let real = Server::start(photos.path(), &STANDING);
    if !real.has_viewer() {
        return;
    }
    let first = flat(RED);
    let hostile = Hostile::start(
        real.address,
        Box::new(move |socket, number| {
            begin_slides(socket)?;
            slide(socket, 7, "", &first)?;
            // Long enough to be looked at, then cut off.
            std::thread::sleep(std::time::Duration::from_secs(if number == 0 {
                3
            } else {
                60
            }));
            Ok(())
        }),
    );
    let mut page = browser.open(&format!("http://{}/", hostile.address));
    await_look(&mut page, "playing", RED);
    hostile.behave(bad);
    let told = eventually("a word about it", || {
        let seen = look(&mut page)?;
        assert!(
            seen.colour.is(RED),
            "{seen:?} in place of the last good picture"
        );
        let told = trouble(&mut page)?;
        if hostile.n_calls() > 0 && told.contains(words) {
            Ok(told)
        } else {
            Err(format!("{told:?} after {} calls", hostile.n_calls()))
        }
    });
    std::thread::sleep(std::time::Duration::from_millis(700));
    let seen = look(&mut page).expect("a picture");
    assert!(seen.colour.is(RED), "{seen:?} after {told}");
    hostile.behave(good(9, BLUE));
    await_look(&mut page, "playing", BLUE);
    assert_eq!(page.complaints(), Vec::<String>::new());
}

#[test]
fn a_picture_that_is_none() {
    survives(
        "could not be decoded",
        Box::new(|socket, _| {
            begin_slides(socket)?;
            slide(socket, 8, "", &[0x55; 9000])?;
            slide(socket, 8, "", b"GIF89a, or so it says")?;
            std::thread::sleep(std::time::Duration::from_secs(2));
            Ok(())
        }),
    );
}

#[test]
fn half_a_picture_in_a_whole_part() {
    let whole = flat(GREEN);
    survives(
        "without its end",
        Box::new(move |socket, _| {
            begin_slides(socket)?;
            slide(socket, 8, "", &whole[..whole.len() / 2])?;
            std::thread::sleep(std::time::Duration::from_secs(2));
            Ok(())
        }),
    );
}

#[test]
fn half_a_part() {
    let whole = flat(GREEN);
    survives(
        "ended",
        Box::new(move |socket, _| {
            begin_slides(socket)?;
            let length = whole.len();
            write!(
                socket,
                "Content-Type: image/jpeg\r\nContent-Length: {length}\r\n\r\n"
            )?;
            socket.write_all(&whole[..length / 2])
        }),
    );
}

#[test]
fn wrong_lengths() {
    let whole = flat(GREEN);
    survives(
        "framing",
        Box::new(move |socket, number| {
            begin_slides(socket)?;
            let length = if number % 2 == 0 {
                whole.len() / 2
            } else {
                whole.len() + 5
            };
            write!(
                socket,
                "Content-Type: image/jpeg\r\nContent-Length: {length}\r\n\r\n"
            )?;
            socket.write_all(&whole)?;
            socket.write_all(b"\r\n--frame\r\nContent-Type: image/jpeg\r\n\r\n")?;
            std::thread::sleep(std::time::Duration::from_secs(1));
            Ok(())
        }),
    );
}

#[test]
fn a_part_of_another_kind() {
    survives(
        "could not be decoded",
        Box::new(|socket, _| {
            begin_slides(socket)?;
            let page = b"<h1>It works!</h1>";
            write!(
                socket,
                "Content-Type: text/html\r\nContent-Length: {}\r\n\r\n",
                page.len()
            )?;
            socket.write_all(page)?;
            socket.write_all(b"\r\n--frame\r\n")?;
            std::thread::sleep(std::time::Duration::from_secs(2));
            Ok(())
        }),
    );
}

#[test]
fn a_captive_portal() {
    survives(
        "boundary",
        Box::new(|socket, _| {
            begin(socket, "text/html")?;
            write!(
                socket,
                "<!doctype html><title>Welcome to our hotel</title>{:300}",
                ""
            )
        }),
    );
}

#[test]
fn a_head_that_never_ends() {
    survives(
        "framing",
        Box::new(|socket, _| {
            begin_slides(socket)?;
            for _ in 0..100_000 {
                socket
                    .write_all(b"X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n")?;
            }
            hold()
        }),
    );
}

#[test]
fn an_error_in_place_of_the_stream() {
    survives(
        "refused",
        Box::new(|socket, _| {
            socket.write_all(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        }),
    );
}

/// The first request for it fails, as when the server is started anew at that moment.
#[test]
fn a_script_that_does_not_come_is_sent_for_again() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let photos = Photos::of(&[RED]);
    let server = Server::start(photos.path(), &STANDING);
    if !server.has_viewer() {
        return;
    }
    let missing_once = "var make = document.createElement;
        document.createElement = function (tag) {
            var element = make.call(document, tag);
            if (tag === 'script') {
                Object.defineProperty(element, 'src', {set: function (name) {
                    var isFirst = name === 'report.js' && !window.__missed;
                    window.__missed = window.__missed || isFirst;
                    element.setAttribute('src', isFirst ? 'http://127.0.0.1:9/report.js' : name);
                }});
            }
            return element;
        };";
    let mut page = browser.open_after(&server.url("/?stats=1"), missing_once);
    eventually("figures all the same", || {
        let told = page.eval(
            "!!window.__missed && document.getElementById('stats').textContent.length > 40",
        )?;
        if told == true {
            Ok(())
        } else {
            Err(told.to_string())
        }
    });
    let complaints = page.complaints();
    let told = |complaint: &&String| complaint.contains("is not a function");
    assert_eq!(complaints.iter().find(told), None, "{complaints:?}");
}

#[test]
fn nothing_at_all() {
    survives("does not answer", Box::new(|_, _| hold()));
}

#[test]
fn a_picture_larger_than_any_screen() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let photos = Photos::of(&[YELLOW]);
    let real = Server::start(photos.path(), &STANDING);
    if !real.has_viewer() {
        return;
    }
    let (large, bomb) = (sized(6000, 3000, GREEN), jpeg_bomb());
    let hostile = Hostile::start(
        real.address,
        Box::new(move |socket, _| {
            begin_slides(socket)?;
            slide(socket, 1, "", &large)?;
            slide(socket, 2, "", &bomb)?;
            hold()
        }),
    );
    let mut page = browser.open(&format!("http://{}/", hostile.address));
    await_look(&mut page, "playing", GREEN);
    let width = eventually("a width", || page.eval("wasm_bindgen.stats().sourceWidth"));
    assert_eq!(width, 4096, "held to what a texture may have");
    eventually("a word about the bomb", || {
        let told = trouble(&mut page)?;
        if told.is_empty() {
            Err("none".into())
        } else {
            Ok(())
        }
    });
    let seen = look(&mut page).expect("a picture");
    assert!(seen.colour.is(GREEN), "{seen:?}");
}

/// The real server, in an engine that `script` has taken something from.
fn plays_in(script: &str) -> Option<(Browser, Page, Server, Photos)> {
    let browser = Browser::start(Client::Chromium)?;
    let photos = Photos::of(&[RED, GREEN, BLUE, YELLOW]);
    let server = Server::start(photos.path(), &STANDING);
    if !server.has_viewer() {
        return None;
    }
    let mut page = browser.open_after(&server.url("/"), script);
    await_look(&mut page, "playing", server.colour());
    let next = server.advance();
    await_look(&mut page, "playing", next);
    Some((browser, page, server, photos))
}

#[test]
fn storage_that_is_forbidden() {
    let Some((_browser, mut page, ..)) = plays_in(
        "['localStorage', 'sessionStorage', 'caches', 'indexedDB'].forEach(function (name) {
             Object.defineProperty(window, name, {get: function () { throw new Error('forbidden'); }});
         });",
    ) else {
        return;
    };
    assert_eq!(page.complaints(), Vec::<String>::new());
}

#[test]
fn a_clock_that_is_a_year_off() {
    let Some((_browser, mut page, ..)) = plays_in(
        "(function (Real) {
             var late = 365 * 86400e3;
             window.Date = function (at) { return arguments.length ? new Real(at) : new Real(Real.now() - late); };
             Date.prototype = Real.prototype;
             Date.now = function () { return Real.now() - late; };
             Date.parse = Real.parse; Date.UTC = Real.UTC;
         })(Date);",
    ) else {
        return;
    };
    let offset = eventually("an offset", || {
        page.eval("wasm_bindgen.stats().clockOffsetMillis")
    });
    let days = offset.as_f64().expect("a number") / 86_400e3;
    assert!((days - 365.0).abs() < 0.1, "{days} days");
}

#[test]
fn a_viewer_that_fails_keeps_its_picture_and_is_loaded_anew() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let photos = Photos::of(&[RED, GREEN]);
    let server = Server::start(photos.path(), &STANDING);
    if !server.has_viewer() {
        return;
    }
    let mut page = browser.open(&server.url("/"));
    await_look(&mut page, "playing", server.colour());
    // What throws in the middle leaves the module in an unknown state; the next step finds out.
    page.eval(
        "window.__old = true; var real = performance.now.bind(performance);
         performance.now = function () { throw new Error('on purpose'); };
         window.dispatchEvent(new Event('visibilitychange'));
         setTimeout(function () { performance.now = real; window.dispatchEvent(new Event('resize')); }, 100); 0",
    )
    .expect("to break it");
    let next = server.advance();
    eventually("the page to be loaded anew", || {
        let is_old =
            page.eval("!!window.__old && document.documentElement.getAttribute('data-state')")?;
        if is_old == Value::Bool(false) {
            Ok(())
        } else {
            Err(is_old.to_string())
        }
    });
    await_look(&mut page, "playing", next);
}

#[test]
fn a_context_that_is_lost() {
    let Some(browser) = Browser::start_with_gl(Client::Chromium) else {
        return;
    };
    let photos = Photos::of(&[RED, GREEN, BLUE]);
    let args = "--order name --size 640x360 --interval 2h --transition 1s";
    let args: Vec<&str> = args.split(' ').collect();
    let server = Server::start(photos.path(), &args);
    if !server.has_viewer() {
        return;
    }
    let mut page = browser.open(&server.url("/?renderer=webgl"));
    await_look(&mut page, "playing", server.colour());
    let renderer = eventually("a renderer", || page.eval("wasm_bindgen.stats().renderer"));
    assert_eq!(renderer, "webgl");
    let next = server.advance();
    await_look(&mut page, "playing", next);
    page.eval(
        "document.getElementById('screen').getContext('webgl').getExtension('WEBGL_lose_context').loseContext(); 0",
    )
    .expect("to lose it");
    eventually("the plain canvas", || {
        let renderer = page.eval("wasm_bindgen.stats().renderer")?;
        if renderer == "2d" {
            Ok(())
        } else {
            Err(renderer.to_string())
        }
    });
    let seen = look(&mut page).expect("a picture");
    assert!(seen.colour.is(next), "{seen:?} where the context was");
    let next = server.advance();
    await_look(&mut page, "playing", next);
}

#[test]
fn a_server_that_is_newer_gets_its_own_page_once() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let photos = Photos::of(&[YELLOW]);
    let real = Server::start(photos.path(), &STANDING);
    if !real.has_viewer() {
        return;
    }
    let first = flat(RED);
    let hostile = Hostile::start(
        real.address,
        Box::new(move |socket, _| {
            begin_slides(socket)?;
            slide(socket, 7, "", &first)?;
            std::thread::sleep(std::time::Duration::from_secs(2));
            Ok(())
        }),
    );
    let mut page = browser.open(&format!("http://{}/", hostile.address));
    await_look(&mut page, "playing", RED);
    page.eval("window.__old = true").expect("to mark it");
    hostile.become_newer();
    let fresh = |page: &mut Page| {
        let is_old = page.eval("!!window.__old")?;
        if is_old == Value::Bool(false) {
            Ok(())
        } else {
            Err(is_old.to_string())
        }
    };
    eventually("the newer page", || fresh(&mut page));
    await_look(&mut page, "playing", RED);
    let name = page
        .eval("document.querySelector('script[src]').getAttribute('src')")
        .expect("a name");
    assert!(name.to_string().contains("page-newer-"), "{name}");
    // The stream breaks every two seconds: each time it looks, and finds nothing newer.
    page.eval("window.__old = true").expect("to mark it");
    std::thread::sleep(std::time::Duration::from_secs(7));
    assert!(fresh(&mut page).is_err(), "loaded again and again");
}

#[test]
fn a_decoder_that_never_answers() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let photos = Photos::of(&[RED, GREEN]);
    let server = Server::start(photos.path(), &STANDING);
    if !server.has_viewer() {
        return;
    }
    let mut page = browser.open(&server.url("/"));
    await_look(&mut page, "playing", server.colour());
    page.eval("window.createImageBitmap = function () { return new Promise(function () {}); }; 0")
        .expect("to break it");
    // The next one may be here already; the one after it is not.
    server.advance();
    let next = server.advance();
    await_look(&mut page, "playing", next);
    let next = server.advance();
    await_look(&mut page, "playing", next);
    let decoder = eventually("a decoder", || page.eval("wasm_bindgen.stats().decoder"));
    assert_eq!(decoder, "img element");
}
