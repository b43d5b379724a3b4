//! The drivers themselves, without the server: when one of these fails, the fault is in the test
//! room or the machine, not in what is tested.

use crate::{
    page::{LOOK, Look},
    support::{
        clients::Client,
        devtools::Browser,
        eventually,
        photos::{QUADRANTS, flat, jpeg_bomb, oriented, png_bomb},
        pixels::{BLUE, GREEN, JpegFacts, Picture, RED},
        site,
        webdriver::Driver,
    },
};

/// A page in the state and colour that the look must find, which then complains.
const PAGE: &str = "<!doctype html><html data-state='playing' data-slide='7'><title>.</title>
<style>html, body { margin: 0; background: rgb(40, 165, 60) } canvas { display: block }</style>
<canvas width='64' height='36'></canvas><script>
var context = document.querySelector('canvas').getContext('2d');
context.fillStyle = 'rgb(205, 40, 40)';
context.fillRect(0, 0, 64, 36);
addEventListener('keydown', function (event) { document.title = event.key + event.keyCode; });
setTimeout(function () { throw new Error('on purpose'); }, 0);
</script>";

fn sees(client: Client) {
    let Some(browser) = Browser::start(client) else {
        return;
    };
    let url = format!("http://{}/", site::serve(PAGE));
    let mut page = browser.open_after(&url, "window.early = 5;");
    let seen = eventually("the red canvas", || Look::from(&page.eval(LOOK)?));
    assert_eq!((seen.state.as_str(), seen.slide), ("playing", 7));
    assert!(seen.colour.is(RED), "{seen:?}");
    assert_eq!(page.eval("early").expect("what ran first"), 5);
    assert_eq!(
        page.eval("[innerWidth, innerHeight]").expect("a size"),
        serde_json::json!([640, 360])
    );
    // What scripts have drawn is on the screen a moment later.
    let picture = eventually("a screenshot of it", || {
        let picture = page.screenshot()?;
        let (middle, corner) = (picture.middle(), picture.around(0.03, 0.03));
        (middle.is(GREEN) && corner.is(RED))
            .then_some(picture)
            .ok_or_else(|| format!("{middle:?}, {corner:?}"))
    });
    assert_eq!((picture.width, picture.height), (640, 360));
    page.press("ArrowRight", 39);
    assert_eq!(
        page.eval("document.title").expect("a title"),
        "ArrowRight39"
    );
    eventually("the complaint", || {
        let complaints = page.complaints();
        if complaints.iter().any(|text| text.contains("on purpose")) {
            Ok(())
        } else {
            Err(format!("{complaints:?}"))
        }
    });
    assert!(page.eval("nonsense(").is_err());
}

#[test]
fn chromium_is_driven() {
    sees(Client::Chromium);
}

#[test]
fn chromium_80_is_driven() {
    sees(Client::Chromium80);
}

#[test]
fn chromium_67_is_driven() {
    sees(Client::Chromium67);
}

#[test]
fn chromium_64_is_driven() {
    sees(Client::Chromium64);
}

fn is_driven(browser: Option<Driver>) {
    let Some(browser) = browser else {
        return;
    };
    browser.open(&format!("http://{}/", site::serve(PAGE)));
    let seen = eventually("the red canvas", || Look::from(&browser.eval(LOOK)?));
    assert_eq!((seen.state.as_str(), seen.slide), ("playing", 7));
    assert!(seen.colour.is(RED), "{seen:?}");
    // What scripts have drawn is on the screen a moment later.
    eventually("a screenshot of it", || {
        let middle = browser.screenshot()?.middle();
        middle
            .is(GREEN)
            .then_some(())
            .ok_or_else(|| format!("{middle:?}"))
    });
}

#[test]
fn firefox_is_driven() {
    is_driven(Driver::firefox());
}

#[test]
fn webkit_is_driven() {
    is_driven(Driver::webkit());
}

#[test]
fn test_photos_are_what_they_claim() {
    let bytes = flat(BLUE);
    assert!(bytes.len() > 8192, "{}", bytes.len());
    assert!(
        Picture::from_jpeg(&bytes)
            .expect("a JPEG")
            .middle()
            .is(BLUE)
    );
    assert_eq!(
        Picture::from_jpeg(&bytes).expect("a JPEG").middle().named(),
        Some(BLUE)
    );
    let facts = JpegFacts::read(&bytes).expect("markers");
    assert!(
        facts.baseline && facts.is_420 && !facts.has_metadata,
        "{facts:?}"
    );
    let bomb = JpegFacts::read(&jpeg_bomb()).expect("markers");
    assert_eq!((bomb.width, bomb.height), (30_000, 30_000));
    assert!(png_bomb().len() < 1 << 20);

    let upright = oriented(1);
    assert!(JpegFacts::read(&upright).expect("markers").has_metadata);
    let picture = Picture::from_jpeg(&upright).expect("a JPEG");
    assert!(
        picture
            .quadrants()
            .iter()
            .zip(QUADRANTS)
            .all(|(seen, want)| seen.is(want))
    );
    let turned = Picture::from_jpeg(&oriented(6)).expect("a JPEG");
    assert_eq!((turned.width, turned.height), (360, 640));
}
