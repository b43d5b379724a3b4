//! The decoder's process of the real program: it shows what the library shows, and whatever ends it ends no show.

use std::{ffi::OsString, fs, io::Cursor, path::Path, process::Command, time::Duration};

use image::{DynamicImage, ImageFormat, RgbImage};
use mantel::{
    render::{DecodeLimits, Fit, Share, Size, Slot, decode, decode_fitted},
    source::{
        child::{Decoders, Plan, Trouble},
        wire::Wish,
    },
};

use crate::support::{
    clients::workspace,
    eventually, http,
    photos::Photos,
    process,
    server::{Program, STANDING, program},
};

fn plan(program: &Path) -> Plan {
    Plan {
        program: program.to_owned(),
        arguments: vec!["decode".into(), "--seconds=30".into()],
        n_processes: 1,
        time: Duration::from_secs(60),
        idle: Duration::from_secs(60),
    }
}

/// One file of each kind that is decoded there.
fn files() -> Vec<(String, Vec<u8>)> {
    let picture = RgbImage::from_fn(320, 240, |x, y| image::Rgb([x as u8, y as u8, 90]));
    let picture = DynamicImage::from(picture);
    let drawn = [
        ("png", ImageFormat::Png),
        ("webp", ImageFormat::WebP),
        ("gif", ImageFormat::Gif),
        ("bmp", ImageFormat::Bmp),
        ("tiff", ImageFormat::Tiff),
    ];
    let drawn = drawn.map(|(name, format)| {
        let mut file = Cursor::new(Vec::new());
        picture.write_to(&mut file, format).expect("to encode");
        (name.to_owned(), file.into_inner())
    });
    let samples = workspace().join("server/render/src/tests/samples");
    let samples = fs::read_dir(samples).expect("the samples").map(|entry| {
        let path = entry.expect("a sample").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        (name.into_owned(), fs::read(&path).expect("a sample"))
    });
    drawn.into_iter().chain(samples).collect()
}

#[test]
fn a_process_shows_what_the_library_shows() {
    if let Some(program) = program() {
        shows_what_the_library_shows(&program);
    }
}

/// Every kind of file through a decoder's process of this program, which confines itself.
pub(crate) fn shows_what_the_library_shows(program: &Path) {
    let decoders = Decoders::start(plan(program)).expect("a decoder");
    if cfg!(target_os = "linux") {
        let confined = decoders.confined();
        assert!(confined.limits && confined.calls, "{confined:?}");
    }
    let limits = DecodeLimits::default();
    for (name, file) in files() {
        let whole = decoders.decode(&file, &limits, Wish::Whole).expect(&name);
        assert_eq!(Ok(whole.picture), decode(&file, &limits), "{name}");
        let frame = Size::new(200, 120);
        for fit in [Fit::Contain, Fit::Cover, Fit::Blur] {
            for share in [Share::All, Share::Second] {
                let slot = Slot { frame, share, fit };
                let fitted = decoders.decode(&file, &limits, Wish::Fitted(slot));
                let fitted = fitted.expect(&name);
                assert_eq!(Ok(fitted), decode_fitted(&file, &limits, slot), "{name}");
            }
        }
        // Cut off, the reason is the same, too.
        let half = &file[..file.len() / 2];
        let ours = decode(half, &limits);
        match decoders.decode(half, &limits, Wish::Whole) {
            Err(Trouble::Photo(error)) => assert_eq!(Err(error), ours, "{name}"),
            other => assert_eq!(other.expect(&name).picture, ours.expect(&name), "{name}"),
        }
    }
}

#[test]
fn a_decoder_that_starves_says_so_and_the_next_one_works() {
    let Some(program) = program() else {
        return;
    };
    // Room for the program and for small pictures.
    let starving = Plan {
        program: "/bin/sh".into(),
        arguments: vec![
            "-c".into(),
            OsString::from(format!(
                "ulimit -v 120000; exec '{}' decode --seconds=30",
                program.display()
            )),
        ],
        ..plan(&program)
    };
    let decoders = Decoders::start(starving).expect("a decoder");
    let limits = DecodeLimits::default();
    let mut large = Cursor::new(Vec::new());
    let blank = DynamicImage::from(RgbImage::new(8000, 6000));
    blank
        .write_to(&mut large, ImageFormat::Png)
        .expect("to encode");
    for (_, small) in files().into_iter().take(2) {
        let error = decoders.decode(large.get_ref(), &limits, Wish::Whole);
        let error = error.expect_err("more than there is");
        assert_eq!(error.to_string(), "its decoder ran out of memory");
        decoders
            .decode(&small, &limits, Wish::Whole)
            .expect("a small picture");
    }
}

/// The processes that a process has started.
fn children(id: u32) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{id}/task")).expect("its threads");
    let lists = tasks.flatten().map(|task| task.path().join("children"));
    let lists = lists.filter_map(|list| fs::read_to_string(list).ok());
    lists
        .flat_map(|list| {
            list.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect()
}

#[test]
#[cfg(target_os = "linux")]
fn killing_the_decoder_stops_no_show() {
    let Some(program) = program() else {
        return;
    };
    let photos = Photos::none();
    for (name, file) in files() {
        photos.add(
            format!("{name}.img.{}", name.rsplit('.').next().unwrap_or("")),
            &file,
        );
    }
    let server = Program::start(&program, photos.path(), &STANDING);
    let status = http::get(server.address, "/status").json();
    assert_eq!(status["decoder"], "process", "{status}");
    let mut killed = 0;
    for size in ["320x240", "640x480", "800x600", "1024x768"] {
        for child in children(server.process.id()) {
            let mut kill = Command::new("kill");
            kill.args(["-KILL", &child]);
            killed += u32::from(process::run(kill).status.success());
        }
        eventually("a picture", || {
            let reply = http::get(server.address, &format!("/snapshot?size={size}"));
            (reply.status() == 200)
                .then_some(())
                .ok_or_else(|| reply.text())
        });
    }
    assert!(killed > 0);
    let skipped = http::get(server.address, "/library/skipped").text();
    assert!(!skipped.contains("its decoder"), "{skipped}");
}

#[test]
fn it_can_be_switched_off() {
    let Some(program) = program() else {
        return;
    };
    let photos = Photos::none();
    let (_, png) = files().swap_remove(0);
    photos.add("a.png", &png);
    let line = [&STANDING[..], &["--decoder-process", "off"]].concat();
    let server = Program::start(&program, photos.path(), &line);
    let status = http::get(server.address, "/status").json();
    assert_eq!(status["decoder"], "inside", "{status}");
    assert_eq!(http::get(server.address, "/snapshot").status(), 200);
    assert_eq!(children(server.process.id()), Vec::<String>::new());
}
