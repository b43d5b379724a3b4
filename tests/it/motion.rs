//! Pictures that move while they stand, walls of screens, and people who want nothing to move.

use std::{thread::sleep, time::Duration};

use crate::{
    around::await_true,
    page::{await_look, look},
    support::{
        clients::Client,
        devtools::{Browser, Page},
        eventually,
        photos::{Photos, oriented, striped},
        pixels::{BLUE, GREEN, Picture, RED, YELLOW},
        server::{STANDING, Server},
    },
};

/// The line of pixels across the middle of the canvas, so that an edge that moves can be seen.
const LINE: &str = "(function () {
    var canvas = document.querySelector('canvas'), probe = document.createElement('canvas');
    probe.width = canvas.width; probe.height = 1;
    var context = probe.getContext('2d');
    context.drawImage(canvas, 0, Math.round(canvas.height * .8), canvas.width, 1, 0, 0, canvas.width, 1);
    return Array.prototype.join.call(context.getImageData(0, 0, canvas.width, 1).data, ' ');
})()";

fn playing(page: &mut Page) {
    eventually("a picture", || {
        let seen = look(page)?;
        if seen.state == "playing" {
            Ok(())
        } else {
            Err(format!("{seen:?}"))
        }
    });
}

/// How many of some looks at a standing slide differ from the one before.
fn n_changes(client: Client, query: &str) -> Option<usize> {
    let browser = Browser::start(client)?;
    let photos = Photos::none();
    photos.add("a.jpg", &oriented(1));
    photos.add("b.jpg", &oriented(1));
    let args = "--order name --size 640x360 --interval 20s --transition cut --fit cover";
    let args: Vec<&str> = args.split(' ').collect();
    let server = Server::start(photos.path(), &args);
    if !server.has_viewer() {
        return None;
    }
    let mut page = browser.open(&server.url(query));
    playing(&mut page);
    let slide = look(&mut page).expect("a picture").slide;
    let mut lines = Vec::new();
    while lines.len() < 6 {
        sleep(Duration::from_millis(400));
        lines.push(page.eval(LINE).expect("a line"));
    }
    let seen = look(&mut page).expect("a picture");
    // A change of slide in between would be no move: there are twenty seconds for a few looks.
    assert!(seen.slide <= slide + 1, "{seen:?}");
    Some(lines.windows(2).filter(|pair| pair[0] != pair[1]).count())
}

/// An engine that was too slow for a moment, beside other tests, has its pictures stand from then on: a page that
/// is opened anew tries again.
fn pictures_move(client: Client) {
    let mut seen = Vec::new();
    while seen.len() < 4 {
        let Some(n) = n_changes(client, "/?motion=kenburns") else {
            return;
        };
        if n >= 3 {
            return;
        }
        seen.push(n);
    }
    panic!("{seen:?} changes in pages one after the other");
}

#[test]
fn pictures_move_where_that_is_wanted() {
    pictures_move(Client::Chromium);
}

#[test]
fn pictures_move_in_chromium_67_too() {
    pictures_move(Client::Chromium67);
}

/// Beside an upright photo is a backdrop: it stands still while the photo moves within its own edges.
#[test]
fn a_move_stays_inside_the_photo() {
    for client in [Client::Chromium, Client::Chromium67] {
        let Some(browser) = Browser::start(client) else {
            continue;
        };
        let photos = Photos::none();
        photos.add("a.jpg", &striped());
        photos.add("b.jpg", &striped());
        let args = "--order name --size 640x360 --interval 20s --transition cut --pair off";
        let args: Vec<&str> = args.split(' ').collect();
        let server = Server::start(photos.path(), &args);
        if !server.has_viewer() {
            return;
        }
        let mut page = browser.open(&server.url("/?motion=kenburns&offline=off&awake=off"));
        playing(&mut page);
        // The line of the first visit comes and goes.
        await_true(
            &mut page,
            "!!document.getElementById('bar') && !document.getElementById('hint')",
        );
        // The photo is 203 pixels wide, from 219 to 421.
        let row = |picture: &Picture, columns: std::ops::Range<usize>| -> Vec<_> {
            columns.map(|x| picture.at(x, 180)).collect()
        };
        // A slide or a rendition may change between two looks, and a starved browser may not draw.
        eventually("a photo that moves beside a backdrop that stands", || {
            let mut looks = Vec::new();
            while looks.len() < 5 {
                sleep(Duration::from_millis(300));
                looks.push(page.screenshot()?);
            }
            let n_changes = |columns: std::ops::Range<usize>| {
                let pairs = looks.windows(2);
                pairs
                    .filter(|pair| row(&pair[0], columns.clone()) != row(&pair[1], columns.clone()))
                    .count()
            };
            let (left, right) = (n_changes(0..218), n_changes(423..640));
            let inside = n_changes(224..416);
            if left == 0 && right == 0 && inside >= 2 {
                Ok(())
            } else {
                let seen = look(&mut page)?;
                let figures = page.eval("mantel.stats ? mantel.stats() : {}")?;
                Err(format!(
                    "{client:?}: {left} changes left of it, {inside} in it, {right} right of it, {seen:?}, {figures}"
                ))
            }
        });
    }
}

#[test]
fn pictures_stand_otherwise() {
    if let Some(n) = n_changes(Client::Chromium, "/") {
        assert!(n <= 1, "{n} changes");
    }
}

#[test]
fn whoever_wants_less_motion_gets_cuts() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let photos = Photos::of(&[RED, GREEN, BLUE, YELLOW]);
    let args = "--order name --size 640x360 --interval 2h --transition 2s";
    let args: Vec<&str> = args.split(' ').collect();
    let server = Server::start(photos.path(), &args);
    if !server.has_viewer() {
        return;
    }
    let mut page = browser.open_reduced(&server.url("/?motion=kenburns&clock=on&caption=all"));
    await_look(&mut page, "playing", server.colour());
    // No word fades or slides in either.
    let moving = page.eval(
        "[].slice.call(document.querySelectorAll('body, body *')).filter(function (element) {
             return [null, ':before', ':after'].some(function (part) {
                 var style = getComputedStyle(element, part);
                 return parseFloat(style.transitionDuration) > 0 ||
                     style.animationName !== 'none' && parseFloat(style.animationDuration) > 0;
             });
         }).map(function (element) { return element.outerHTML.slice(0, 80); })",
    );
    assert_eq!(moving, Ok(serde_json::json!([])));
    page.eval(
        "window.__between = 0; (function again() {
             var slide = document.documentElement.getAttribute('data-slide');
             if (window.__slide !== slide) { __slide = slide; __colours = {}; }
             var canvas = document.querySelector('canvas'), probe = document.createElement('canvas');
             probe.width = probe.height = 1;
             probe.getContext('2d').drawImage(canvas, 9, 9, 1, 1, 0, 0, 1, 1);
             var colour = Array.prototype.slice.call(probe.getContext('2d').getImageData(0, 0, 1, 1).data).join();
             __colours[colour] = 1; __between = Math.max(__between, Object.keys(__colours).length);
             requestAnimationFrame(again); })(); 0",
    )
    .expect("to record");
    for _ in 0..2 {
        let wanted = server.advance();
        await_look(&mut page, "playing", wanted);
    }
    let n = page.eval("__between").expect("a count");
    assert!(n.as_u64() <= Some(2), "{n} colours in one slide");
}

#[test]
fn two_screens_are_one_wall() {
    let Some((one, other)) = Browser::start_two(Client::Chromium) else {
        return;
    };
    let photos = Photos::none();
    photos.add("a.jpg", &oriented(1));
    let server = Server::start(photos.path(), &STANDING);
    if !server.has_viewer() {
        return;
    }
    for (browser, number, wanted) in [(one, 0, [RED, BLUE]), (other, 1, [GREEN, YELLOW])] {
        let mut page = browser.open(&server.url(&format!("/?wall=2x1:{number}&fit=cover")));
        eventually("this screen's part of the picture", || {
            let seen = page.screenshot()?;
            let colours = [seen.around(0.5, 0.2), seen.around(0.5, 0.8)];
            let is_right = colours[0].is(wanted[0]) && colours[1].is(wanted[1]);
            if is_right {
                Ok(())
            } else {
                Err(format!("{colours:?}"))
            }
        });
    }
}
