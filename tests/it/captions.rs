//! Words on the picture and in its metadata.

use crate::{
    around::await_true,
    support::{
        clients::Client,
        devtools::Browser,
        eventually,
        parts::Parts,
        photos::{Photos, flat, upright},
        pixels::{BLUE, GREEN, Picture, RED},
        server::{STANDING, Server},
    },
};

/// What a photo program writes beside a photo.
pub(crate) fn sidecar(description: &str) -> Vec<u8> {
    format!(
        r#"<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
 photoshop:DateCreated="2021-07-04T12:30:00">
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{description}</rdf:li></rdf:Alt></dc:description>
</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"#
    )
    .into_bytes()
}

fn photo() -> Photos {
    let photos = Photos::none();
    photos.add("Summer/1.jpg.xmp", &sidecar("Oma im Gärtchen"));
    photos.add("Summer/1.jpg", &flat(BLUE));
    photos
}

fn snapshot(server: &Server, query: &str) -> Picture {
    eventually("a snapshot", || {
        let reply = server.get(&format!("/snapshot{query}"));
        if reply.status() != 200 {
            return Err(reply.text());
        }
        Picture::from_jpeg(&reply.body)
    })
}

/// Waits until the metadata has been read.
fn await_scanned(server: &Server) {
    eventually("the photo", || {
        let status = server.get("/status").json();
        let library = &status["library"];
        if library["photos"] == 1 && library["scanning"] == false {
            Ok(())
        } else {
            Err(status.to_string())
        }
    });
}

/// How much darker the lower edge is than the middle: words lie on a shade.
fn shade(picture: &Picture) -> f64 {
    picture.middle().luma() - picture.around(0.9, 0.95).luma()
}

#[test]
fn words_are_drawn_where_they_are_asked_for() {
    let photos = photo();
    let server = Server::start(photos.path(), &STANDING);
    await_scanned(&server);
    let plain = snapshot(&server, "");
    assert!(plain.middle().is(BLUE) && shade(&plain).abs() < 4.0);
    for query in ["?caption=text", "?caption=all", "?caption=date,album"] {
        let written = snapshot(&server, query);
        assert!(written.middle().is(BLUE), "{query}");
        assert!(shade(&written) > 25.0, "{query}: {}", shade(&written));
    }
    // Where nothing is known there is nothing to draw, not even a shade.
    assert!(shade(&snapshot(&server, "?caption=place")).abs() < 4.0);
    let refused = server.get("/snapshot?caption=weather");
    assert_eq!(refused.status(), 400);
    assert!(
        refused.text().contains("date,place,album,text"),
        "{}",
        refused.text()
    );
}

#[test]
fn streams_carry_the_words_in_every_frame_and_bytes_in_their_heads() {
    let photos = photo();
    let mut args = STANDING.to_vec();
    args.extend(["--caption", "all"]);
    let server = Server::start(photos.path(), &args);
    await_scanned(&server);
    let mut stream = Parts::open(server.address, "/stream?paint=repeat");
    for _ in 0..2 {
        let frame = Picture::from_jpeg(&stream.part().body).expect("a frame");
        assert!(shade(&frame) > 25.0, "{}", shade(&frame));
    }
    // Who reads metadata draws for himself.
    let mut bytes = Parts::open(server.address, "/bytes");
    let part = bytes.part();
    let head = &part.head;
    assert_eq!(
        head.get("X-Caption"),
        Some("Oma%20im%20G%C3%A4rtchen"),
        "{head:?}"
    );
    assert_eq!(head.get("X-Album"), Some("Summer"), "{head:?}");
    assert_eq!(
        head.get("X-Taken-At"),
        Some("2021-07-04T12:30:00"),
        "{head:?}"
    );
    assert_eq!(head.get("X-Place"), None, "{head:?}");
    let frame = Picture::from_jpeg(&part.body).expect("a frame");
    assert!(shade(&frame).abs() < 4.0, "{}", shade(&frame));
    let mut asked = Parts::open(server.address, "/bytes?caption=text");
    let frame = Picture::from_jpeg(&asked.part().body).expect("a frame");
    assert!(shade(&frame) > 25.0, "{}", shade(&frame));
}

/// How much darker the lower edge is than the same without a word on it.
fn darker(picture: &Picture, plain: &Picture) -> f64 {
    let edge = |picture: &Picture| picture.around(0.8, 0.93).luma();
    edge(plain) - edge(picture)
}

#[test]
fn drawn_pictures_say_on_stream_and_snapshot_why_they_are_shown() {
    let photos = Photos::none();
    let server = Server::start(photos.path(), &STANDING);
    let told = snapshot(&server, "");
    let plain = snapshot(&server, "?note=off");
    assert!(
        told.middle().distance(plain.middle()) < 5,
        "another picture"
    );
    assert!(darker(&told, &plain) > 15.0, "{}", darker(&told, &plain));
    let frame = |target: &str| {
        let part = Parts::open(server.address, target).part();
        Picture::from_jpeg(&part.body).expect("a frame")
    };
    let stream = frame("/stream?paint=repeat");
    assert!(darker(&stream, &plain) > 15.0);
    // Who reads metadata says it for himself, as the page does on every rung.
    for target in ["/bytes", "/stream?paint=repeat&note=off"] {
        assert!(darker(&frame(target), &plain).abs() < 4.0, "{target}");
    }
    let refused = server.get("/snapshot?note=maybe");
    assert_eq!(refused.status(), 400);
    // A photo comes, and there is nothing to be said any more.
    photos.add("1.jpg", &flat(BLUE));
    eventually("the photo without a word on it", || {
        let picture = snapshot(&server, "");
        if picture.middle().is(BLUE) && shade(&picture).abs() < 4.0 {
            Ok(())
        } else {
            Err(format!("{:?}", picture.middle()))
        }
    });
}

#[test]
fn a_page_on_a_lower_rung_says_it_once() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let photos = Photos::none();
    let server = Server::start(photos.path(), &STANDING);
    if !server.has_viewer() {
        return;
    }
    let mut page = browser.open(&server.url("/?viewer=img"));
    await_true(
        &mut page,
        "!!document.querySelector('.empty.on') && [].some.call(document.images, function (image) {
           return image.src.indexOf('/stream?') > 0 && image.naturalWidth > 0 && /[?&]note=off&/.test(image.src);
         })",
    );
}

#[test]
fn each_of_two_has_its_own_words_in_its_own_half() {
    let photos = Photos::none();
    photos.add("1.jpg", &upright(RED));
    photos.add("2.jpg.xmp", &sidecar("Only on the right"));
    photos.add("2.jpg", &upright(GREEN));
    photos.add("1.jpg.xmp", &sidecar(""));
    let server = Server::start(photos.path(), &STANDING);
    eventually("words on the right alone", || {
        let reply = server.get("/snapshot?caption=text");
        let picture = Picture::from_jpeg(&reply.body)?;
        let (left, right) = (picture.around(0.4, 0.5), picture.around(0.6, 0.5));
        if !(left.is(RED) && right.is(GREEN)) {
            server.command("next");
            return Err(format!("{left:?} {right:?}"));
        }
        let (below_left, below_right) = (picture.around(0.4, 0.95), picture.around(0.65, 0.95));
        if below_left.is(RED) && below_right.luma() < right.luma() - 25.0 {
            Ok(())
        } else {
            Err(format!("{below_left:?} {below_right:?}"))
        }
    });
}

#[test]
fn places_are_told_by_their_countrys_name() {
    let photos = Photos::none();
    let fields = r#"xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:Iptc4xmpCore="http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"
 photoshop:City="Kyoto" Iptc4xmpCore:CountryCode="JP""#;
    let packet = String::from_utf8(sidecar("The garden")).expect("text");
    let packet = packet.replace(r#"xmlns:dc="http://purl.org/dc/elements/1.1/""#, fields);
    photos.add("1.jpg.xmp", packet.as_bytes());
    photos.add("1.jpg", &flat(BLUE));
    let server = Server::start(photos.path(), &STANDING);
    await_scanned(&server);
    // The index is read before the first slide begins.
    server.settle();
    let status = server.get("/status").json();
    assert_eq!(
        status["channel"]["slide"]["place"], "Kyoto, Japan",
        "{status}"
    );
    let mut parts = Parts::open(server.address, "/bytes");
    let place = parts.part().head.get("X-Place").map(str::to_owned);
    assert_eq!(place.as_deref(), Some("Kyoto,%20Japan"));
}
