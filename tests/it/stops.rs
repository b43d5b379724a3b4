//! Senders of live pictures that stop, start and change, and what their viewers notice of it: nothing but the pictures.

use std::{thread, time::Duration};

use crate::{
    img::site_with,
    live::{House, push},
    page::await_screen,
    players::{open_folder, vlc_with},
    support::{
        clients::{Client, require},
        devtools::Browser,
        eventually,
        parts::Parts,
        photos::{flat, sized},
        pixels::{BLUE, GREEN, Picture, RED, Rgb, YELLOW},
        sight::{Files, Witness},
    },
};

/// The numbers of those who watch: who comes again has another one.
fn watching(house: &House) -> Vec<u64> {
    let status = house.server.get("/status").json();
    let rows = status["watching"].as_array().expect("a list").clone();
    let numbers = rows.iter().map(|row| row["number"].as_u64());
    numbers.collect::<Option<_>>().expect("numbers")
}

#[test]
fn twenty_senders_each_of_another_size_throw_no_viewer_out() {
    let (Some(programs), Some((with_image, with_page))) =
        (require(Client::Vlc), Browser::start_two(Client::Chromium))
    else {
        return;
    };
    let house = House::plot();
    if !house.server.has_viewer() {
        return;
    }
    house.push_colour(GREEN);
    let url = house.server.url("/c/plot/stream");
    let mut image = with_image.open(&format!("http://{}/", site_with(&url)));
    let mut page = with_page.open(&house.server.url("/c/plot/"));
    let frames = open_folder();
    let small = ["--scene-width=64", "--scene-height=36"];
    let _vlc = vlc_with(&programs[0], frames.path(), &url, &small);
    let mut seen_by_vlc = Files::of(frames.path());
    let mut await_vlc = |colour: Rgb| {
        eventually("the colour in VLC", || {
            let last = seen_by_vlc.sightings().last().copied();
            let is_it = last.is_some_and(|last| last.colour.is(colour));
            is_it.then_some(()).ok_or_else(|| format!("{last:?}"))
        });
    };
    await_screen(&mut image, GREEN);
    await_screen(&mut page, GREEN);
    await_vlc(GREEN);
    let before = watching(&house);
    assert_eq!(before.len(), 3, "{before:?}");
    for n in 0..20_u16 {
        let colour = [RED, BLUE, YELLOW, GREEN][usize::from(n) % 4];
        let (width, height) = (160 + 40 * n, 700 - 30 * n);
        // A connection of its own, which ends with its picture.
        let reply = house.push("", &sized(width, height, colour));
        assert_eq!(reply.status(), 200, "{}", reply.text());
        await_screen(&mut image, colour);
        await_screen(&mut page, colour);
        if n % 5 == 4 {
            await_vlc(colour);
        }
    }
    assert_eq!(watching(&house), before);
}

#[test]
fn fifty_viewers_get_every_picture() {
    let house = House::plot();
    house.push_colour(GREEN);
    let viewers: Vec<Parts> = (0..50)
        .map(|_| Parts::open(house.address(), "/c/plot/stream?paint=plain"))
        .collect();
    let shown = |stream: &mut Parts| {
        let part = stream.part();
        let picture = Picture::from_jpeg(&part.body).expect("a picture");
        picture.middle()
    };
    const PUSHED: [Rgb; 4] = [RED, BLUE, YELLOW, GREEN];
    thread::scope(|scope| {
        let mut all = Vec::new();
        for mut viewer in viewers {
            all.push(scope.spawn(move || {
                let seen = (0..=4 * PUSHED.len()).map(|_| shown(&mut viewer));
                seen.collect::<Vec<Rgb>>()
            }));
        }
        // Who has the first one is there for the next.
        eventually("all of them to watch", || {
            let n = watching(&house).len();
            (n == 50).then_some(()).ok_or_else(|| n.to_string())
        });
        thread::sleep(Duration::from_millis(500));
        for colour in PUSHED.repeat(4) {
            let reply = push(house.address(), "/push/plot", "", &flat(colour));
            assert_eq!(reply.status(), 200, "{}", reply.text());
            thread::sleep(Duration::from_millis(150));
        }
        for viewer in all {
            let seen = viewer.join().expect("a viewer");
            let wanted = [&[GREEN][..], &PUSHED.repeat(4)].concat();
            for (colour, wanted) in seen.iter().zip(wanted) {
                assert!(colour.is(wanted), "{seen:?}");
            }
        }
    });
}
