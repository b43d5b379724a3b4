//! Folders as people have them, seen through the server: turned photos, names that trip programs
//! up, loops, several folders, photos that come and go, and none at all.

use std::{fs, os::unix::fs::symlink, time::Duration};

use crate::support::{
    eventually,
    parts::Parts,
    photos::{Photos, QUADRANTS, awkward_names, flat, oriented},
    pixels::{BLUE, GREEN, Picture, RED, YELLOW},
    server::{STANDING, Server},
};

/// How many photos the server says that it has.
fn n_photos(server: &Server) -> Result<u64, String> {
    let status = server.get("/status").json();
    status["library"]["photos"]
        .as_u64()
        .ok_or_else(|| status.to_string())
}

fn await_n_photos(server: &Server, wanted: u64) {
    eventually(&format!("{wanted} photos in the library"), || {
        let found = n_photos(server)?;
        if found == wanted {
            Ok(())
        } else {
            Err(format!("{found}"))
        }
    });
}

#[test]
fn every_orientation_is_shown_upright() {
    let photos = Photos::none();
    for orientation in 1..=8 {
        photos.add(format!("{orientation}.jpg"), &oriented(orientation));
    }
    let server = Server::start(photos.path(), &STANDING);
    let mut parts = Parts::open(server.address, "/bytes");
    let mut shown = 0;
    let mut last_slide = 0;
    while shown < 8 {
        let part = parts.part();
        let slide = part.head.number("X-Slide");
        if slide > last_slide {
            let quadrants = Picture::from_jpeg(&part.body).expect("a JPEG").quadrants();
            let is_upright = quadrants
                .iter()
                .zip(QUADRANTS)
                .all(|(seen, want)| seen.is(want));
            assert!(is_upright, "slide {slide}, {:?}: {quadrants:?}", part.head);
            (last_slide, shown) = (slide, shown + 1);
            if shown >= 2 {
                server.command("next");
            }
        }
    }
}

#[test]
fn awkward_names_are_found_and_shown() {
    let photos = Photos::none();
    let names = awkward_names();
    for name in &names {
        photos.add(name, &flat(GREEN));
    }
    let server = Server::start(photos.path(), &STANDING);
    await_n_photos(&server, names.len() as u64);
    let mut parts = Parts::open(server.address, "/bytes");
    let mut last_slide = 0;
    let mut n_shown = 0;
    while n_shown < names.len() {
        let part = parts.part();
        // Whatever the file is called, a header is one line of ASCII.
        assert!(
            part.head.lines.iter().all(|line| line.is_ascii()),
            "{:?}",
            part.head
        );
        let slide = part.head.number("X-Slide");
        if slide > last_slide {
            assert!(
                Picture::from_jpeg(&part.body)
                    .expect("a JPEG")
                    .middle()
                    .is(GREEN)
            );
            (last_slide, n_shown) = (slide, n_shown + 1);
            if n_shown >= 2 {
                server.command("next");
            }
        }
    }
    assert_eq!(server.get("/library/skipped").status(), 200);
}

#[test]
fn loops_of_links_end() {
    let photos = Photos::of(&[RED]);
    photos.add("inner/blue.jpg", &flat(BLUE));
    symlink(photos.path(), photos.path().join("inner/loop")).expect("a link");
    symlink("self.jpg", photos.path().join("self.jpg")).expect("a link");
    symlink("nowhere", photos.path().join("dangling.jpg")).expect("a link");
    let server = Server::start(photos.path(), &STANDING);
    assert_eq!(server.colour(), server.colour());
    await_n_photos(&server, 2);
}

#[test]
fn several_folders_make_one_gallery() {
    let (one, other) = (Photos::of(&[RED]), Photos::of(&[BLUE]));
    let server = Server::start_with(&[one.path(), other.path()], &STANDING);
    await_n_photos(&server, 2);
    let first = server.colour();
    let second = server.advance();
    assert!(
        [[RED, BLUE], [BLUE, RED]].contains(&[first, second]),
        "{first:?} {second:?}"
    );
}

#[test]
fn other_formats_are_shown() {
    let photos = Photos::none();
    let picture = image::RgbImage::from_pixel(640, 360, image::Rgb(YELLOW.0));
    for suffix in ["png", "bmp", "gif", "tiff", "webp"] {
        picture
            .save(photos.path().join(format!("a.{suffix}")))
            .expect("to write a picture");
    }
    let server = Server::start(photos.path(), &STANDING);
    await_n_photos(&server, 5);
    let mut parts = Parts::open(server.address, "/bytes");
    let mut last_slide = 0;
    for _ in 0..12 {
        let part = parts.part();
        let slide = part.head.number("X-Slide");
        if slide > last_slide {
            let colour = Picture::from_jpeg(&part.body).expect("a JPEG").middle();
            assert!(colour.is(YELLOW), "{colour:?} on {:?}", part.head);
        }
        if last_slide > 0 && slide >= last_slide + 5 {
            break;
        }
        if last_slide == 0 {
            last_slide = slide;
        }
        server.command("next");
    }
}

#[test]
fn the_demo_pictures_need_no_folder() {
    let server = Server::start_with(&[], &STANDING);
    let picture = server.snapshot();
    assert_eq!((picture.width, picture.height), (640, 360));
    let colours = picture.quadrants();
    let is_flat = colours.iter().all(|colour| colour.distance(colours[0]) < 3);
    assert!(!is_flat, "a picture worth looking at: {colours:?}");
}

#[test]
fn photos_may_come_and_go() {
    let photos = Photos::of(&[RED, GREEN]);
    let server = Server::start(photos.path(), &STANDING);
    await_n_photos(&server, 2);
    let mut viewer = Parts::open(server.address, "/stream?paint=repeat");
    viewer.part();

    // The one that is due next is gone before it is read.
    let showing = server.colour();
    let due = if showing.is(RED) { "02.jpg" } else { "01.jpg" };
    let kept = if due == "02.jpg" { RED } else { GREEN };
    fs::remove_file(photos.path().join(due)).expect("to take a photo away");
    for _ in 0..4 {
        server.command("next");
        std::thread::sleep(Duration::from_millis(100));
    }
    // It may have been rendered already; it can't be for long.
    for _ in 0..6 {
        let part = viewer.part();
        Picture::from_jpeg(&part.body).expect("a whole frame");
    }
    eventually("the photo that is left", || {
        server.command("next");
        let colour = server.colour();
        if colour == kept {
            Ok(())
        } else {
            Err(format!("{colour:?}"))
        }
    });
}
