//! How one slide becomes the next on the page: crossfades that never dip, and the same moment on
//! two screens.

use crate::{
    page::{LOOK, Look, look},
    support::{
        clients::Client,
        devtools::{Browser, Page},
        eventually,
        photos::Photos,
        pixels::{BLUE, GREEN, RED, YELLOW},
        server::Server,
    },
};

/// Records [`LOOK`] on every animation frame.
fn record(page: &mut Page) {
    let script = format!(
        "window.__seen = []; (function again() {{ __seen.push({LOOK}); \
         requestAnimationFrame(again); }})(); 0"
    );
    page.eval(&script).expect("to start recording");
}

fn crossfades_without_a_dip(client: Client) {
    let Some(browser) = Browser::start(client) else {
        return;
    };
    let three = [RED, GREEN, BLUE];
    let photos = Photos::of(&three);
    let server = Server::start(
        photos.path(),
        &[
            "--order",
            "name",
            "--size",
            "640x360",
            "--interval",
            "3s",
            "--transition",
            "2s",
        ],
    );
    if !server.has_viewer() {
        return;
    }
    let mut page = browser.open(&server.url("/"));
    eventually("the first picture", || {
        let seen = look(&mut page)?;
        if seen.state == "playing" {
            Ok(())
        } else {
            Err(format!("{seen:?}"))
        }
    });
    record(&mut page);
    let samples: Vec<Look> = eventually("three slides on the page", || {
        let seen = page.eval("__seen")?;
        let seen: Result<Vec<Look>, _> = seen
            .as_array()
            .into_iter()
            .flatten()
            .map(Look::from)
            .collect();
        let seen = seen?;
        let (first, last) = (
            seen.first().ok_or("none")?.slide,
            seen.last().ok_or("none")?.slide,
        );
        if last >= first + 3 {
            Ok(seen)
        } else {
            Err(format!("slides {first} to {last}"))
        }
    });

    // While slide n shows, the screen goes from the photo before to n's own; in a circle of three,
    // any two photos are neighbours, so n's own is found where it stands.
    let mut n_between = 0;
    for (i, sample) in samples.iter().enumerate() {
        let pair = [(RED, GREEN), (GREEN, BLUE), (BLUE, RED)]
            .into_iter()
            .find(|(from, to)| sample.colour.between(*from, *to, 16));
        let (from, to) =
            pair.unwrap_or_else(|| panic!("sample {i}: {sample:?} is no blend of two"));
        let darkest = from.luma().min(to.luma());
        assert!(
            sample.colour.luma() > darkest - 12.0,
            "sample {i}: {sample:?} dips below both"
        );
        if sample.colour.named().is_none() {
            n_between += 1;
        }
    }
    assert!(
        n_between >= 4,
        "{n_between} of {} frames between two photos",
        samples.len()
    );
    assert_eq!(page.complaints(), Vec::<String>::new());
}

#[test]
fn chromium_crossfades_without_a_dip() {
    crossfades_without_a_dip(Client::Chromium);
}

#[test]
fn chromium_67_crossfades_without_a_dip() {
    crossfades_without_a_dip(Client::Chromium67);
}

#[test]
fn two_pages_change_together() {
    let apart = changes_apart(WATCH, "/", "/");
    println!("two screens changed within {apart:?} ms of each other");
    for apart in apart {
        // Half the interval: pages that changed when the bytes came, one late, or on a timer of
        // their own, would be further apart; a slow machine is not.
        assert!(apart.abs() < 2000, "the same slide {apart} ms apart");
    }
}

#[test]
fn a_screen_can_be_shifted() {
    let apart = changes_apart(WATCH, "/", "/?offset=1500");
    println!("a screen that is shifted by 1500 ms changed {apart:?} ms later");
    for apart in apart {
        assert!((700..3000).contains(&apart), "{apart} ms");
    }
}

const WATCH: &str = "window.__changes = {}; new MutationObserver(function () {
        var slide = document.documentElement.getAttribute('data-slide');
        if (!(slide in __changes)) __changes[slide] = Date.now();
    }).observe(document.documentElement, {attributes: true, attributeFilter: ['data-slide']}); 0";

/// How much later the second of two pages shows the same slides, in milliseconds; nothing where there
/// is no browser.
fn changes_apart(watch: &str, one_target: &str, other_target: &str) -> Vec<i64> {
    let Some((one, other)) = Browser::start_two(Client::Chromium) else {
        return Vec::new();
    };
    let photos = Photos::of(&[RED, GREEN, BLUE, YELLOW]);
    let server = Server::start(
        photos.path(),
        &[
            "--order",
            "name",
            "--size",
            "640x360",
            "--interval",
            "4s",
            "--transition",
            "500ms",
        ],
    );
    if !server.has_viewer() {
        return Vec::new();
    }
    let mut pages = [
        one.open(&server.url(one_target)),
        other.open(&server.url(other_target)),
    ];
    for page in &mut pages {
        eventually("a playing page", || {
            let seen = look(page)?;
            if seen.state == "playing" {
                Ok(())
            } else {
                Err(format!("{seen:?}"))
            }
        });
        page.eval(watch).expect("to watch the slide number");
    }
    let both = eventually("three slides that both pages showed", || {
        let seen = [pages[0].eval("__changes")?, pages[1].eval("__changes")?];
        let [one, other] = seen.each_ref().map(|changes| changes.as_object());
        let (one, other) = one.zip(other).ok_or("no changes")?;
        let times: Vec<(u64, u64)> = one
            .iter()
            .filter_map(|(slide, at)| Some((at.as_u64()?, other.get(slide)?.as_u64()?)))
            .collect();
        if times.len() >= 3 {
            Ok(times)
        } else {
            Err(format!("{seen:?}"))
        }
    });
    let later = |(one, other): (u64, u64)| other.cast_signed() - one.cast_signed();
    both.into_iter().map(later).collect()
}
