//! Living with it: photos that somebody hides, and what was on.

use serde_json::{Value, json};

use crate::{
    around::{await_pictures, await_true},
    img::site_with,
    page::look,
    players::{last_in, open_folder, vlc_with},
    support::{
        clients::{Client, require},
        devtools::{Browser, Page},
        eventually, http,
        parts::Parts,
        photos::Photos,
        pixels::{BLUE, GREEN, Picture, RED, Rgb},
        process::Process,
        server::{STANDING, Server, program},
    },
};

fn command(server: &Server, body: &Value) -> http::Reply {
    let lines = "Content-Type: application/json\r\n";
    http::request(server.address, "POST", "/control", lines, &body.to_string())
}

fn hidden(server: &Server) -> Vec<String> {
    let list = server.get("/library/hidden").json();
    let rows = list["hidden"].as_array().expect("a list").iter();
    rows.map(|row| row["photo"].as_str().expect("an id").to_owned())
        .collect()
}

#[test]
fn a_hidden_photo_leaves_the_screen_at_once_and_comes_back_when_asked_for() {
    let photos = Photos::of(&[RED, GREEN, BLUE]);
    let server = Server::start(photos.path(), &STANDING);
    eventually("all photos", || {
        let counts = server.get("/status").json()["library"].to_string();
        (counts.contains("\"photos\":3"))
            .then_some(())
            .ok_or(counts)
    });
    server.settle();
    let on = server.colour();
    let told = command(&server, &json!({"command": "hide"}));
    assert_eq!(told.status(), 200, "{}", told.text());
    assert_eq!(told.json()["photos"], 2);
    let [photo] = &hidden(&server)[..] else {
        panic!("one is hidden")
    };
    assert_ne!(told.json()["slide"]["photo"], json!(photo));
    eventually("another picture", || {
        let now = server.colour();
        (now != on).then_some(()).ok_or(format!("{now:?}"))
    });
    let status = server.get("/status").json();
    let library = &status["library"];
    assert_eq!(
        (&library["photos"], &library["hidden"]),
        (&json!(2), &json!(1))
    );
    let again = command(&server, &json!({"command": "show", "photo": photo}));
    assert_eq!(again.status(), 400, "{}", again.text());
    // What was on before is known, but not what is hidden.
    let history = server.get("/history").json();
    let slides = history["slides"].as_array().expect("slides");
    let thumbnail = |photo: &str| server.get(&format!("/library/thumbnail/{photo}"));
    let shown = slides[0]["photos"][0]["photo"].as_str().expect("an id");
    let small = Picture::from_jpeg(&thumbnail(shown).body).expect("a picture");
    assert_eq!(small.middle().named(), Some(server.colour()));
    for none in [&**photo, "7f", "x", ""] {
        assert_eq!(thumbnail(none).status(), 404, "{none}");
    }
    assert!(!slides.is_empty(), "{history}");
    assert!(!history.to_string().contains(&**photo), "{history}");

    let back = command(&server, &json!({"command": "unhide", "photo": photo}));
    assert_eq!(back.status(), 200, "{}", back.text());
    assert!(hidden(&server).is_empty());
    eventually("the photo is known again", || {
        let shown = command(&server, &json!({"command": "show", "photo": photo}));
        (shown.status() == 200).then_some(()).ok_or(shown.text())
    });
    eventually("the photo again", || {
        let now = server.colour();
        (now == on).then_some(()).ok_or(format!("{now:?}"))
    });
    let favoured = command(&server, &json!({"command": "favourite"})).json();
    assert_eq!(favoured["slide"]["favourite"], true);
    assert_eq!(favoured["slide"]["photo"], json!(photo));
    let history = server.get("/history").json();
    assert_eq!(history["slides"][0]["photos"][0]["favourite"], true);
}

#[test]
fn what_can_not_be_marked_is_refused_with_a_sentence() {
    let photos = Photos::of(&[RED]);
    let server = Server::start(photos.path(), &STANDING);
    server.snapshot();
    for (body, code, says) in [
        (json!({"command": "hide"}), 409, "last photo"),
        (
            json!({"command": "hide", "photo": "x"}),
            400,
            "no photo's id",
        ),
        (
            json!({"command": "favourite", "photo": "7f"}),
            400,
            "is known here",
        ),
        (json!({"command": "unhide"}), 400, "missing field"),
        (json!({"command": "hidden"}), 400, "no command"),
    ] {
        let told = command(&server, &body);
        assert_eq!(told.status(), code, "{body}: {}", told.text());
        assert!(told.text().contains(says), "{body}: {}", told.text());
    }
    let page = http::request(
        server.address,
        "GET",
        "/library/hidden",
        "Accept: text/html\r\n",
        "",
    );
    assert!(
        page.text().contains("No photo is hidden"),
        "{}",
        page.text()
    );
}

/// How bright the snapshot is.
fn luma(server: &Server) -> f64 {
    server.snapshot().middle().luma()
}

fn await_luma(server: &Server, what: &str, is: impl Fn(f64) -> bool) {
    eventually(what, || {
        let now = luma(server);
        is(now).then_some(()).ok_or(now.to_string())
    });
}

#[test]
fn night_darkens_what_is_on_and_a_touch_brings_it_back() {
    let photos = Photos::of(&[RED, GREEN]);
    let server = Server::start(photos.path(), &STANDING);
    server.settle();
    let day = luma(&server);
    let told = command(&server, &json!({"command": "night", "mode": "dim 10%"}));
    assert_eq!(told.status(), 200, "{}", told.text());
    let night = &told.json()["night"];
    assert_eq!(
        (&night["mode"], &night["light"]),
        (&json!("dim 10%"), &json!(10.0))
    );
    // A tenth of the light is a third of the signal.
    await_luma(&server, "dimmed", |now| {
        (day * 0.2..day * 0.5).contains(&now)
    });
    let photo = told.json()["slide"]["photo"].clone();
    command(&server, &json!({"command": "night", "mode": "black"}));
    await_luma(&server, "black", |now| now < 2.0);
    let status = server.get("/status").json();
    let channel = &status["channel"];
    assert_eq!(
        (&channel["slide"]["photo"], &channel["paused"]),
        (&photo, &json!(false))
    );
    // Whoever wants another photo wants to see it.
    command(&server, &json!({"command": "next"}));
    server.colour();
    let night = server.get("/status").json()["channel"]["night"].clone();
    assert_eq!(
        (&night["mode"], &night["by_hand"]),
        (&Value::Null, &json!(true))
    );
    let woken = command(&server, &json!({"command": "wake"}));
    assert_eq!(woken.json()["night"], Value::Null);
    for (body, says) in [
        (
            json!({"command": "night", "mode": "dark"}),
            "black or clock",
        ),
        (json!({"command": "night", "seconds": 0}), "1 to 86400"),
        (json!({"command": "wake", "seconds": 86_401}), "1 to 86400"),
    ] {
        let told = command(&server, &body);
        assert_eq!(told.status(), 400);
        assert!(told.text().contains(says), "{body}: {}", told.text());
    }
}

#[test]
fn a_server_that_starts_at_night_starts_dark_and_shows_a_clock() {
    let photos = Photos::of(&[RED, GREEN]);
    // Since yesterday, whatever the clocks here show.
    let plan = "00:00-23:59 clock, 23:00-01:00 clock";
    let server = Server::start(photos.path(), &[&STANDING[..], &["--night", plan]].concat());
    eventually("the clock", || {
        let night = server.get("/status").json()["channel"]["night"].clone();
        (night["mode"] == "clock")
            .then_some(())
            .ok_or(night.to_string())
    });
    eventually("a dark picture with something on it", || {
        let picture = server.snapshot();
        let (mut lit, mut brightest) = (0, 0.0_f64);
        for y in 0..360 {
            for x in 0..640 {
                let luma = picture.at(x, y).luma();
                lit += u32::from(luma > 20.0);
                brightest = brightest.max(luma);
            }
        }
        let is_clock = (200..20_000).contains(&lit) && brightest < 110.0;
        is_clock.then_some(()).ok_or(format!("{lit} {brightest}"))
    });
}

#[test]
fn a_message_stands_over_the_picture_and_goes() {
    let photos = Photos::of(&[BLUE, GREEN]);
    let server = Server::start(photos.path(), &STANDING);
    server.settle();
    let white = || {
        let picture = server.snapshot();
        let bright = |x: usize| {
            (0..360)
                .filter(|y| picture.at(x, *y).luma() > 230.0)
                .count()
        };
        (0..640).map(bright).sum::<usize>()
    };
    assert_eq!(white(), 0);
    let say = json!({"command": "say", "text": "Dinner is ready", "seconds": 3600});
    let told = command(&server, &say);
    assert_eq!(
        (told.status(), &told.json()["said"]),
        (200, &json!("Dinner is ready"))
    );
    let wait = |what: &str, is: fn(usize) -> bool| {
        eventually(what, || {
            let n = white();
            is(n).then_some(()).ok_or(n.to_string())
        });
    };
    wait("the message", |n| n > 100);
    command(&server, &json!({"command": "say", "text": ""}));
    wait("no message", |n| n == 0);
}

#[test]
fn favourites_can_be_asked_for_alone() {
    let photos = Photos::of(&[RED, GREEN, BLUE]);
    let server = Server::start(photos.path(), &STANDING);
    server.settle();
    let none = server.get("/status?favourites=on");
    assert_eq!(none.status(), 404, "{}", none.text());
    let told = command(&server, &json!({"command": "favourite"})).json();
    let favourite = told["slide"]["photo"].clone();
    eventually("a channel of one", || {
        let reply = server.get("/status?favourites=on");
        if reply.status() != 200 {
            return Err(reply.text());
        }
        let status = reply.json();
        let channel = &status["channel"];
        let is_it = channel["photos"] == 1 && channel["slide"]["photo"] == favourite;
        is_it.then_some(()).ok_or(status.to_string())
    });
    assert_eq!(server.get("/status?favourites=some").status(), 400);
}

/// Presses the first button with this label.
fn press(page: &mut Page, label: &str) {
    let script = format!(
        "Array.prototype.filter.call(document.querySelectorAll('button'), function (button) {{
             return button.textContent === '{label}';
         }})[0].click()"
    );
    page.eval(&script).expect("a button to press");
}

#[test]
fn a_phone_is_a_remote() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let photos = Photos::of(&[RED, GREEN, BLUE]);
    let server = Server::start(photos.path(), &STANDING);
    server.settle();
    let before = server.colour();
    let mut page = browser.open(&server.url("/remote"));
    page.resize(390, 844);
    await_true(
        &mut page,
        "document.getElementById('picture').naturalWidth === 640",
    );
    press(&mut page, "Next");
    eventually("another photo on the screens", || {
        let now = server.colour();
        (now != before).then_some(()).ok_or(format!("{now:?}"))
    });
    let number = server.get("/status").json()["channel"]["slide"]["number"].clone();
    let shows =
        format!("document.getElementById('picture').getAttribute('data-slide') === '{number}'");
    await_true(&mut page, &shows);
    press(&mut page, "Pause");
    await_true(
        &mut page,
        "/^Paused by /.test(document.getElementById('state').textContent)",
    );
    press(&mut page, "Go on");
    await_true(
        &mut page,
        "document.getElementById('state').textContent === ''",
    );
    press(&mut page, "Favourite");
    await_true(
        &mut page,
        "/No favourite/.test(document.getElementById('photos').textContent)",
    );
    press(&mut page, "Not that one");
    eventually("one photo less", || {
        let library = server.get("/status").json()["library"].clone();
        (library["hidden"] == 1)
            .then_some(())
            .ok_or(library.to_string())
    });
    press(&mut page, "Black");
    await_luma(&server, "black", |now| now < 2.0);
    await_true(
        &mut page,
        "/Night: Black/.test(document.getElementById('state').textContent)",
    );
    press(&mut page, "Wake");
    server.colour();
    // What can't be done is told in the server's words.
    press(&mut page, "Not that one");
    eventually("two photos less", || {
        let library = server.get("/status").json()["library"].clone();
        (library["hidden"] == 2)
            .then_some(())
            .ok_or(library.to_string())
    });
    // The page may still tell of the one that was hidden.
    eventually("the photo that is left, on the page", || {
        let slide = server.get("/status").json()["channel"]["slide"].clone();
        let on = page.eval("document.getElementById('picture').getAttribute('data-slide')")?;
        let is_left = !hidden(&server).contains(&slide["photo"].as_str().unwrap_or("").to_owned());
        let is_told = on == json!(slide["number"].to_string());
        (is_left && is_told)
            .then_some(())
            .ok_or(format!("{slide} {on}"))
    });
    press(&mut page, "Not that one");
    await_true(
        &mut page,
        "/last photo/.test(document.getElementById('problem').textContent)",
    );
    let width = page.eval("document.documentElement.scrollWidth <= 390");
    assert_eq!(width, Ok(json!(true)), "nothing sticks out of a phone");
    // The browser tells of the answer that was refused, and of nothing else.
    let complaints = page.complaints();
    assert!(
        complaints.iter().all(|line| line.contains("409")),
        "{complaints:?}"
    );
}

/// Two phones in a room: whatever they change is seen on the page, in an `<img>` and by VLC.
#[test]
fn what_a_phone_changes_is_seen_on_every_screen() {
    let Some((phones, screens)) = Browser::start_two(Client::Chromium) else {
        return;
    };
    let photos = Photos::of(&[RED, GREEN, BLUE]);
    let server = Server::start(photos.path(), &STANDING);
    if !server.has_viewer() {
        return;
    }
    server.settle();
    let mut remote = phones.open(&server.url("/remote"));
    remote.resize(390, 844);
    let mut page = screens.open(&server.url("/?size=640x360"));
    let stream = server.url("/stream?size=640x360");
    let mut image = screens.open_tab(&format!("http://{}/", site_with(&stream)));
    let vlc = require(Client::Vlc).map(|programs| {
        let frames = open_folder();
        let vlc = vlc_with(&programs[0], frames.path(), &stream, &[]);
        (vlc, frames)
    });
    let mut await_all = |what: &str, is: &dyn Fn(Rgb) -> bool| {
        let seen_by = |who: &str, seen: Result<Rgb, String>| {
            let seen = seen?;
            is(seen)
                .then_some(())
                .ok_or_else(|| format!("{who} shows {seen:?}"))
        };
        page.bring_to_front();
        eventually(&format!("{what} on the page"), || {
            seen_by("the page", look(&mut page).map(|seen| seen.colour))
        });
        image.bring_to_front();
        eventually(&format!("{what} in an <img>"), || {
            seen_by("an <img>", image.screenshot().map(|seen| seen.middle()))
        });
        if let Some((vlc, frames)) = &vlc {
            eventually(&format!("{what} in VLC"), || {
                let seen = seen_by("VLC", last_in(frames.path()));
                seen.map_err(|why| format!("{why}\n{}", vlc.output()))
            });
        }
    };
    let before = server.colour();
    await_all("the first photo", &|seen| seen.is(before));
    press(&mut remote, "Next");
    let next = eventually("another photo", || {
        let now = server.colour();
        (now != before).then_some(now).ok_or(format!("{now:?}"))
    });
    await_all("the next photo", &|seen| seen.is(next));
    press(&mut remote, "Black");
    await_all("the night", &|seen| seen.luma() < 3.0);
    press(&mut remote, "Wake");
    await_all("light", &|seen| seen.is(next));

    // Both are carried out, and both remotes show what came of it.
    let mut other = phones.open_tab(&server.url("/remote"));
    // Its buttons do something once its script has run.
    await_true(
        &mut other,
        "document.querySelectorAll('button').length > 5 && document.getElementById('picture').hasAttribute('data-slide')",
    );
    let number = || {
        let status = server.get("/status").json();
        status["channel"]["slide"]["number"]
            .as_u64()
            .expect("a slide")
    };
    let before = number();
    press(&mut remote, "Next");
    press(&mut other, "Next");
    eventually("two slides on", || {
        let now = number();
        (now >= before + 2).then_some(()).ok_or(now.to_string())
    });
    let (now, colour) = (number(), server.colour());
    for remote in [&mut remote, &mut other] {
        remote.bring_to_front();
        let shows =
            format!("document.getElementById('picture').getAttribute('data-slide') === '{now}'");
        await_true(remote, &shows);
    }
    await_all("the photo after both", &|seen| seen.is(colour));
}

#[test]
fn a_key_hides_what_is_on_and_brings_it_back() {
    const H: u32 = 72;
    const V: u32 = 86;
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let photos = Photos::of(&[RED, GREEN, BLUE]);
    let server = Server::start(photos.path(), &STANDING);
    if !server.has_viewer() {
        return;
    }
    server.settle();
    let mut page = browser.open(&server.url("/"));
    await_pictures(&mut page);
    await_true(
        &mut page,
        "!!document.querySelector('script[src=\"report.js\"]')",
    );
    // A viewer that was built before this script does not send for it.
    page.eval(
        "if (!document.querySelector('script[src=\"wish.js\"]')) {
             mantel.make('script', document.body).src = 'wish.js';
         }",
    )
    .expect("the script");
    await_true(
        &mut page,
        "performance.getEntriesByType('resource').some(function (entry) {
             return /wish.js$/.test(entry.name) && entry.responseEnd > 0;
         })",
    );
    let on = server.get("/status").json()["channel"]["slide"]["photo"].clone();
    let await_hidden = |n: u64| {
        eventually("so many hidden", || {
            let library = server.get("/status").json()["library"].clone();
            (library["hidden"] == n)
                .then_some(())
                .ok_or(library.to_string())
        });
    };
    page.press("h", H);
    await_hidden(1);
    assert_eq!(hidden(&server), [on.as_str().expect("an id")]);
    await_true(
        &mut page,
        "/h brings it back/.test(document.getElementById('toast').textContent)",
    );
    page.press("h", H);
    await_hidden(0);
    eventually("the photo again", || {
        let slide = server.get("/status").json()["channel"]["slide"].clone();
        (slide["photo"] == on)
            .then_some(())
            .ok_or(slide.to_string())
    });
    page.press("v", V);
    eventually("a favourite", || {
        let slide = server.get("/status").json()["channel"]["slide"].clone();
        (slide["favourite"] == true)
            .then_some(())
            .ok_or(slide.to_string())
    });
    assert_eq!(page.complaints(), Vec::<String>::new());
}

#[test]
fn a_screen_that_sleeps_holds_nothing_and_a_touch_wakes_it() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let photos = Photos::of(&[RED]);
    let server = Server::start(photos.path(), &STANDING);
    if !server.has_viewer() {
        return;
    }
    for body in [
        json!({"command": "sleep"}),
        json!({"command": "sleep", "screen": "../x"}),
        json!({"command": "wake", "screen": ""}),
    ] {
        assert_eq!(command(&server, &body).status(), 400, "{body}");
    }
    let mut page = browser.open(&server.url("/?name=hall&clock=off"));
    await_pictures(&mut page);
    let sleep = || {
        let told = command(&server, &json!({"command": "sleep", "screen": "hall"}));
        assert_eq!(told.status(), 200, "{}", told.text());
    };
    sleep();
    await_true(
        &mut page,
        "document.documentElement.getAttribute('data-state') === 'asleep'",
    );
    let colour = "getComputedStyle(document.documentElement).backgroundColor === 'rgb(0, 0, 0)'";
    await_true(&mut page, colour);
    eventually("nothing to be made any more", || {
        let status = server.get("/status").json();
        let (renditions, screens) = (&status["renditions"], status["screens"].to_string());
        let is_quiet = renditions == &json!([]) && screens.contains("\"asleep\"");
        is_quiet.then_some(()).ok_or(status.to_string())
    });
    let told = command(&server, &json!({"command": "wake", "screen": "hall"}));
    assert_eq!(told.status(), 200, "{}", told.text());
    await_pictures(&mut page);
    assert_eq!(
        page.eval("location.search").expect("an address"),
        "?name=hall&clock=off"
    );
    sleep();
    await_true(
        &mut page,
        "document.documentElement.getAttribute('data-state') === 'asleep'",
    );
    page.press("Enter", 13);
    await_pictures(&mut page);
    assert_eq!(server.get("/profiles/hall").json()["asleep"], false);
}

#[test]
fn a_phone_finds_photos_and_albums_for_all_screens_or_for_one() {
    let Some((browser, wall)) = Browser::start_two(Client::Chromium) else {
        return;
    };
    let photos = Photos::of(&[RED]);
    for (album, colour) in [("Rome", GREEN), ("Oslo", BLUE)] {
        let folder = photos.path().join(album);
        std::fs::create_dir(&folder).expect("a folder");
        let made = Photos::of(&[colour]);
        for file in std::fs::read_dir(made.path()).expect("a folder").flatten() {
            let name = format!("{album} {}", file.file_name().to_string_lossy());
            std::fs::copy(file.path(), folder.join(name)).expect("a copy");
        }
    }
    let server = Server::start(photos.path(), &STANDING);
    if !server.has_viewer() {
        return;
    }
    eventually("all photos", || {
        let counts = server.get("/status").json()["library"].to_string();
        counts.contains("\"photos\":3").then_some(()).ok_or(counts)
    });
    let found = server.get("/library/photos?q=ROME").json();
    assert_eq!(found["photos"].as_array().map(Vec::len), Some(1), "{found}");
    assert_eq!(found["next"], Value::Null);
    let first = server.get("/library/photos?n=2").json();
    assert_eq!(
        (&first["next"], first["photos"].as_array().map(Vec::len)),
        (&json!(2), Some(2))
    );
    assert_eq!(server.get("/library/photos?n=100000").status(), 400);
    let albums = server.get("/library/albums").json();
    assert_eq!(albums["albums"][1]["album"], "Rome");

    let mut page = browser.open(&server.url("/remote"));
    page.resize(390, 844);
    let mut screen = wall.open(&server.url("/?name=hall"));
    await_pictures(&mut screen);
    // One photo from the grid, on all screens.
    page.eval("document.getElementById('query').value = 'rome'")
        .expect("a text");
    press(&mut page, "Search");
    await_true(
        &mut page,
        "(document.querySelector('#found img') || {}).naturalWidth > 0",
    );
    page.eval("document.querySelector('#found button').click()")
        .expect("a press");
    eventually("the photo that was found", || {
        let now = server.colour();
        (now == GREEN).then_some(()).ok_or(format!("{now:?}"))
    });
    // An album for all.
    page.eval("document.querySelector('#albums-of summary').click()")
        .expect("a press");
    let oslo = "document.querySelector('[aria-label=\"Choose Oslo\"]')";
    await_true(&mut page, &format!("!!{oslo}"));
    page.eval(&format!("{oslo}.click()")).expect("a press");
    eventually("the album that was chosen", || {
        let status = server.get("/status").json();
        let is_on = server.colour() == BLUE && status["channel"]["shows"] == "album Oslo";
        is_on.then_some(()).ok_or(status.to_string())
    });
    press(&mut page, "All photos");
    eventually("all photos again", || {
        let shows = server.get("/status").json()["channel"]["shows"].clone();
        (shows == "all photos")
            .then_some(())
            .ok_or(shows.to_string())
    });
    // The screen in the hall alone: the album becomes its own.
    await_true(
        &mut page,
        "[].some.call(document.getElementById('target').options, function (o) { return o.value === 'hall'; })",
    );
    page.eval(
        "(function (t) { t.value = 'hall'; t.onchange(); })(document.getElementById('target'))",
    )
    .expect("a choice");
    let rome = "document.querySelector('[aria-label=\"Choose Rome\"]')";
    page.eval(&format!("{rome}.click()")).expect("a press");
    await_true(&mut screen, "/album=Rome/.test(location.search)");
    await_pictures(&mut screen);
    assert_eq!(
        server.get("/status").json()["channel"]["shows"],
        "all photos"
    );
    page.eval("document.getElementById('rest').click()")
        .expect("a press");
    await_true(
        &mut screen,
        "document.documentElement.getAttribute('data-state') === 'asleep'",
    );
    await_true(
        &mut page,
        "document.getElementById('rest').textContent === 'Wake it'",
    );
    page.eval("document.getElementById('rest').click()")
        .expect("a press");
    await_pictures(&mut screen);
    let width = page.eval("document.documentElement.scrollWidth <= 390");
    assert_eq!(width, Ok(json!(true)), "nothing sticks out of a phone");
    assert_eq!(page.complaints(), Vec::<String>::new());
}

#[test]
fn a_screen_has_nights_of_its_own_and_a_touch_gives_it_light() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let photos = Photos::of(&[RED]);
    let server = Server::start(photos.path(), &STANDING);
    if !server.has_viewer() {
        return;
    }
    let keep = |mode: &str| {
        let night = format!("00:00-12:00%20{mode},12:00-00:00%20{mode}");
        let body = json!({"name": "hall", "query": format!("night={night}")});
        let lines = "Content-Type: application/json\r\n";
        http::request(
            server.address,
            "POST",
            "/profiles",
            lines,
            &body.to_string(),
        )
    };
    let refused = keep("bright");
    assert_eq!(refused.status(), 400);
    assert!(
        refused.text().contains("the mode has to be"),
        "{}",
        refused.text()
    );
    assert_eq!(keep("warm%2010%25").status(), 200);
    let mut page = browser.open(&server.url("/tv/hall"));
    await_pictures(&mut page);
    let veil = "Number((document.querySelector('.veil') || {style: {}}).style.opacity || 0)";
    await_true(&mut page, &format!("{veil} > 0.6 && {veil} < 0.7"));
    page.press("Enter", 13);
    await_true(&mut page, &format!("{veil} === 0"));
    // Others have their light: it is this screen's night alone.
    assert_eq!(server.colour(), RED);
    page.eval("sessionStorage.clear()").expect("to forget");
    assert_eq!(keep("clock").status(), 200);
    await_true(
        &mut page,
        "document.documentElement.getAttribute('data-state') === 'asleep'",
    );
    await_true(
        &mut page,
        "/^[0-9]+:[0-9]{2}$/.test(document.getElementById('clock').textContent)",
    );
    page.press("Enter", 13);
    await_pictures(&mut page);
    assert_eq!(server.get("/profiles/hall").json()["by_night"], true);
}

/// What has no page, a player or an `<img>`, has nights of its own by its address.
#[test]
fn a_stream_has_nights_of_its_own() {
    let photos = Photos::of(&[RED]);
    let dim = "00:00-12:00 dim 10%, 12:00-00:00 dim 10%";
    let server = Server::start(photos.path(), &[&STANDING[..], &["--night", dim]].concat());
    let luma_of = |target: &str| {
        eventually(target, || {
            let reply = server.get(target);
            if reply.status() != 200 {
                return Err(reply.text());
            }
            Picture::from_jpeg(&reply.body).map(|picture| picture.middle().luma())
        })
    };
    await_luma(&server, "the house's night", |now| now > 4.0 && now < 40.0);
    assert!(luma_of("/snapshot?night=off") > 50.0);
    let black = "night=00:00-12:00%20black,12:00-00:00%20black";
    assert!(luma_of(&format!("/snapshot?{black}")) < 2.0);
    let mut stream = Parts::open(server.address, &format!("/stream?paint=repeat&{black}"));
    let frame = Picture::from_jpeg(&stream.part().body).expect("a frame");
    assert!(frame.middle().luma() < 2.0);
    let screens = server.get("/screens").text();
    assert!(screens.contains("night: black"), "{screens}");
    // Whoever does something has light, here as on the screens that go by the house's nights.
    command(&server, &json!({"command": "next"}));
    eventually("light in the stream", || {
        let frame = Picture::from_jpeg(&stream.part().body)?;
        let now = frame.middle().luma();
        (now > 50.0).then_some(()).ok_or(now.to_string())
    });
    for (plan, says) in [
        ("22:00-06:00%20bright", "the mode has to be"),
        ("sunset-06:00", "--position"),
        ("", "a slot is missing"),
    ] {
        let refused = server.get(&format!("/stream?night={plan}"));
        assert_eq!(refused.status(), 400);
        assert!(refused.text().contains(says), "{}", refused.text());
    }
}

#[test]
fn a_night_by_hand_outlives_a_restart() {
    let Some(program) = program() else { return };
    let photos = Photos::of(&[RED]);
    let data = tempfile::TempDir::with_prefix("mantel-data-").expect("a data directory");
    let start = || {
        let mut line = std::process::Command::new(&program);
        line.args(["--listen", "127.0.0.1:0", "--data-dir"])
            .arg(data.path());
        line.arg(photos.path());
        let mut process = Process::start(line);
        let address: std::net::SocketAddr = process.await_line("an address", |line| {
            let rest = line.split("http://").nth(1)?;
            rest.split('/').next()?.parse().ok()
        });
        (process, address)
    };
    let night = |address| {
        let status = http::get(address, "/status").json();
        status["channel"]["night"]["mode"].clone()
    };
    let (process, address) = start();
    let told = http::control(address, r#"{"command":"night","mode":"warm 20%"}"#);
    assert_eq!(told.status(), 200, "{}", told.text());
    eventually("the file", || {
        let kept = std::fs::read_to_string(data.path().join("night.json"));
        kept.map(|_| ()).map_err(|error| error.to_string())
    });
    process.signal("KILL");
    drop(process);
    let (process, address) = start();
    assert_eq!(night(address), "warm 20%");
    let picture = eventually("a warm picture", || {
        let reply = http::get(address, "/snapshot");
        Picture::from_jpeg(&reply.body).map_err(|_| reply.text())
    });
    let Rgb([red, ..]) = picture.middle();
    assert!(red < 160, "{red}");
    drop(process);
}
