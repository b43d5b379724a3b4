//! Video, in the players and engines that it is made for: `/stream.h264`, `/stream.ts`, `/stream.mp4`, and the page by
//! `?via=`. They write or show what they decode, and the colours say whether it was right.

use std::{fs, path::PathBuf, process::Command, time::Instant};

use serde_json::Value;

use crate::{
    access::{new_token, until_shut},
    players::{FOUR, MOVING, assert_in_order, colours_in, open_folder, vlc_with},
    support::{
        clients::{Client, Permit, require},
        devtools::{Browser, Page},
        eventually,
        http::Stream,
        photos::Photos,
        pixels::{GREEN, RED, Rgb},
        process,
        server::{STANDING, Server},
        site,
        webdriver::Driver,
    },
};

/// What ffprobe tells of the streams of `target`, of which it reads ten frames.
fn probed(programs: &[PathBuf], options: &[&str], url: &str) -> Value {
    let mut command = Command::new(&programs[1]);
    command
        .args(["-v", "error"])
        .args(options)
        .args(["-count_frames", "-read_intervals", "%+#10"])
        .args(["-show_entries", "stream", "-show_entries", "format"])
        .args(["-of", "json", url]);
    let ended = process::run(command);
    assert!(ended.status.success(), "{}", ended.output);
    serde_json::from_str(&ended.output).unwrap_or_else(|error| panic!("{error}: {}", ended.output))
}

#[test]
fn ffprobe_reads_every_form() {
    let Some(programs) = require(Client::Ffmpeg) else {
        return;
    };
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &MOVING);
    for (form, target) in [
        (&["-f", "h264"][..], "/stream.h264"),
        (&[], "/stream.ts"),
        (&[], "/stream.mp4"),
        (&[], "/hls/main/index.m3u8"),
    ] {
        let report = probed(&programs, form, &server.url(target));
        let stream = &report["streams"][0];
        assert_eq!(stream["codec_name"], "h264", "{target}: {report}");
        assert_eq!(stream["profile"], "Constrained Baseline", "{target}");
        assert_eq!(
            (&stream["width"], &stream["height"]),
            (&640.into(), &360.into())
        );
        assert_eq!(stream["pix_fmt"], "yuv420p", "{target}: {report}");
        assert_eq!(stream["color_space"], "bt709", "{target}: {report}");
        assert_eq!(stream["color_range"], "tv", "{target}: {report}");
        assert_eq!(stream["has_b_frames"], 0, "{target}: {report}");
        assert_eq!(stream["nb_read_frames"], "10", "{target}: {report}");
    }
}

/// An encoder of ffmpeg's makes what the one that is built in does.
#[test]
fn ffprobe_reads_what_an_encoder_of_ffmpegs_makes() {
    let Some(programs) = require(Client::Ffmpeg) else {
        return;
    };
    let photos = Photos::of(&FOUR);
    let args = [&MOVING[..], &["--encoder", "ffmpeg:libx264"]].concat();
    let server = Server::start(photos.path(), &args);
    for (form, target) in [
        // Of flat pictures there are few bytes, and it looks at five megabytes unless it is told not to.
        (
            &["-f", "h264", "-probesize", "32", "-analyzeduration", "0"][..],
            "/stream.h264",
        ),
        (&[], "/stream.mp4"),
        (&[], "/hls/main/index.m3u8"),
    ] {
        let report = probed(&programs, form, &server.url(target));
        let stream = &report["streams"][0];
        assert_eq!(
            stream["profile"], "Constrained Baseline",
            "{target}: {report}"
        );
        assert_eq!(stream["color_space"], "bt709", "{target}: {report}");
        assert_eq!(stream["has_b_frames"], 0, "{target}: {report}");
        assert_eq!(stream["nb_read_frames"], "10", "{target}: {report}");
    }
}

/// The colours that ffmpeg decodes of the first `n_pictures` of `target`.
fn decoded(options: &[&str], target: &str, n_pictures: u32) -> Vec<Rgb> {
    let _permit = Permit::for_player();
    let Some(programs) = require(Client::Ffmpeg) else {
        return FOUR.to_vec();
    };
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &MOVING);
    let frames = open_folder();
    let mut command = Command::new(&programs[0]);
    command
        .args(["-v", "error", "-nostdin"])
        .args(options)
        .args(["-i", &server.url(target)])
        .args(["-fps_mode", "passthrough"])
        .args(["-frames:v", &n_pictures.to_string()])
        .arg(frames.path().join("frame-%03d.png"));
    let ended = process::run(command);
    assert!(ended.status.success(), "{}", ended.output);
    assert_eq!(ended.output, "", "ffmpeg complained");
    colours_in(frames.path())
}

#[test]
fn ffmpeg_decodes_each_photo_of_annex_b() {
    let colours = decoded(&["-f", "h264"], "/stream.h264", 100);
    assert!(colours.len() >= 3, "{colours:?}");
    assert_in_order(&colours);
}

#[test]
fn ffmpeg_decodes_each_photo_of_mpeg_ts() {
    let colours = decoded(&[], "/stream.ts", 25);
    assert!(colours.len() >= 3, "{colours:?}");
    assert_in_order(&colours);
}

#[test]
fn ffmpeg_decodes_each_photo_of_mp4() {
    // Many of them fill an engine's buffer.
    let colours = decoded(&[], "/stream.mp4", 120);
    assert!(colours.len() >= 3, "{colours:?}");
    assert_in_order(&colours);
}

/// The boxes that an MP4 begins with: the kind of each, and where it ends, whether all of it is there or not.
fn boxes(mp4: &[u8]) -> Vec<(String, usize)> {
    let mut boxes = Vec::new();
    let mut end = 0;
    while let Some(head) = mp4.get(end..end + 8) {
        end += u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        boxes.push((String::from_utf8_lossy(&head[4..]).into_owned(), end));
    }
    boxes
}

fn is_filling((kind, _): &&(String, usize)) -> bool {
    kind == "free"
}

#[test]
fn an_mp4_ends_each_block_with_filling_unless_told_otherwise() {
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    // So many boxes and no more.
    let first = |query: &str, n: usize| {
        let head = format!(
            "GET /stream.mp4{query} HTTP/1.0\r\nHost: {}\r\n\r\n",
            server.address
        );
        let mut stream = Stream::send(server.address, head.as_bytes());
        assert_eq!(stream.read_head().status(), 200);
        let mut bytes = Vec::new();
        while boxes(&bytes).len() < n {
            bytes.extend(stream.exactly(8));
        }
        boxes(&bytes)
    };
    let filled = first("", 20);
    let ends: Vec<_> = filled.iter().filter(is_filling).collect();
    assert!(ends.len() >= 2, "{filled:?}");
    assert!(ends.iter().all(|(_, end)| end % (1 << 15) == 0), "{ends:?}");
    let plain = first("?fill=off", 20);
    assert!(!plain.iter().any(|one| is_filling(&one)), "{plain:?}");
}

/// A clip is a file with a name, a length and an end.
#[test]
fn a_clip_is_a_whole_file() {
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &MOVING);
    let answer = server.get("/stream.mp4?duration=3s");
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.head.get("content-type"), Some("video/mp4"));
    let name = answer.head.get("content-disposition").unwrap_or_default();
    assert!(
        name.starts_with("attachment; filename=\"main-") && name.ends_with(".mp4\""),
        "{name}"
    );
    assert!(!boxes(&answer.body).iter().any(|one| is_filling(&one)));
    let Some(programs) = require(Client::Ffmpeg) else {
        return;
    };
    let folder = open_folder();
    let file = folder.path().join("clip.mp4");
    fs::write(&file, &answer.body).expect("to write the clip");
    let report = probed(&programs, &[], &file.display().to_string());
    let seconds: f64 = report["format"]["duration"]
        .as_str()
        .and_then(|text| text.parse().ok())
        .expect("a duration");
    assert!((2.7..=3.1).contains(&seconds), "{report}");
    let start: f64 = report["format"]["start_time"]
        .as_str()
        .and_then(|text| text.parse().ok())
        .expect("a start");
    assert!(start.abs() < 0.001, "{report}");
    let end = folder.path().join("end.png");
    let mut command = Command::new(&programs[0]);
    command
        .args(["-v", "error", "-nostdin", "-ss", "2.5", "-i"])
        .arg(&file)
        .args(["-frames:v", "1"])
        .arg(&end);
    let ended = process::run(command);
    assert!(
        ended.status.success() && ended.output.is_empty(),
        "{}",
        ended.output
    );
    assert!(
        FOUR.contains(&colours_in(folder.path())[0]),
        "one can jump in it"
    );
}

#[test]
fn what_can_not_be_is_said() {
    let photos = Photos::of(&FOUR[..1]);
    let server = Server::start(photos.path(), &["--size", "4096x4096"]);
    for (target, status, says) in [
        ("/stream.mp4", 501, "at most 3840x2160"),
        ("/stream.mp4?duration=soon", 400, "duration"),
        ("/stream.mp4?duration=2h", 400, "an hour"),
        ("/stream.mp4?fill=maybe", 400, "on or off"),
        ("/c/nowhere/stream.ts", 404, "no channel"),
    ] {
        let answer = server.get(target);
        assert_eq!(answer.status(), status, "{target}");
        let sentence = answer.text();
        assert!(sentence.contains(says), "{target}: {sentence}");
    }
}

fn vlc_plays(target: &str, args: &[&str], more: &[&str]) {
    let _permit = Permit::for_player();
    let Some(programs) = require(Client::Vlc) else {
        return;
    };
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), args);
    let frames = open_folder();
    let vlc = vlc_with(&programs[0], frames.path(), &server.url(target), more);
    let colours = eventually("three photos from VLC", || {
        let mut colours = colours_in(frames.path());
        if target.ends_with(".m3u8") {
            colours.retain(|colour| FOUR.contains(colour));
            colours.dedup();
        }
        if colours.len() >= 3 {
            Ok(colours)
        } else {
            Err(format!("{colours:?}\n{}", vlc.output()))
        }
    });
    assert_in_order(&colours);
}

#[test]
fn vlc_plays_mpeg_ts() {
    vlc_plays("/stream.ts", &MOVING, &[]);
}

#[test]
fn vlc_plays_annex_b() {
    // While it starts beside others it leaves out what is late, up to two seconds.
    let slowly = ["--order", "name", "--size", "640x360", "--interval", "4s"];
    let args = [&slowly[..], &["--transition", "cut"]].concat();
    vlc_plays("/stream.h264", &args, &["--demux=h264"]);
}

/// Annex B has no times: VLC counts pictures. Where they came more slowly than it counts it was late, began anew, and showed
/// grey until a key frame.
#[test]
fn vlc_shows_no_grey_of_annex_b_while_slides_stand_and_fade() {
    let _permit = Permit::for_player();
    let Some(programs) = require(Client::Vlc) else {
        return;
    };
    let photos = Photos::of(&[RED, GREEN]);
    let size = ["--size", "640x360", "--order", "name"];
    let server = Server::start(
        photos.path(),
        &[&size[..], &["--interval", "4s", "--transition", "1s"]].concat(),
    );
    let frames = open_folder();
    let url = server.url("/stream.h264");
    let vlc = vlc_with(&programs[0], frames.path(), &url, &["--demux=h264"]);
    let colours = eventually("three slides from VLC", || {
        let colours = colours_in(frames.path());
        let is_slide = |colour: &&Rgb| [RED, GREEN].contains(colour);
        match colours.iter().filter(is_slide).count() {
            3.. => Ok(colours),
            _ => Err(format!("{colours:?}\n{}", vlc.output())),
        }
    });
    // Of red, green, and all that is between them.
    let is_grey = |Rgb([red, green, blue]): &Rgb| {
        red.abs_diff(*green) < 20 && green.abs_diff(*blue) < 20 && *red > 20
    };
    assert!(!colours.iter().any(is_grey), "{colours:?}");
}

/// VLC begins in the middle of a segment, with a grey picture, where it runs dry; on a busy machine it may.
#[test]
fn vlc_plays_the_playlist() {
    vlc_plays("/hls/main/index.m3u8", &MOVING, &[]);
}

/// The number behind `key` in the last line that has it.
fn last_number(playlist: &str, key: &str) -> u64 {
    let line = playlist.lines().rev().find_map(|line| line.split_once(key));
    let digits = line.map_or("", |(_, rest)| rest);
    let digits: String = digits.chars().take_while(char::is_ascii_digit).collect();
    digits
        .parse()
        .unwrap_or_else(|_| panic!("no {key}: {playlist}"))
}

/// What a player with low latency asks for, and what a cache in front is told: nothing of it is anybody's own.
#[test]
fn playlists_block_and_can_be_cached() {
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &MOVING);
    let index = server.get("/hls/main/index.m3u8?quality=60");
    assert_eq!(index.status(), 200, "{}", index.text());
    assert_eq!(
        index.head.get("content-type"),
        Some("application/vnd.apple.mpegurl")
    );
    let text = index.text();
    assert!(text.contains("CODECS=\"avc1.42C0"), "{text}");
    assert!(
        text.contains("RESOLUTION=640x360") && text.contains("video.m3u8?quality=60"),
        "{text}"
    );

    let playlist = server.get("/c/main/hls/video.m3u8");
    let text = playlist.text();
    assert!(
        text.contains("CAN-BLOCK-RELOAD=YES") && text.contains("#EXT-X-PROGRAM-DATE-TIME:"),
        "{text}"
    );
    assert_eq!(playlist.head.get("cache-control"), Some("max-age=1"));
    let first = last_number(&text, "#EXT-X-MEDIA-SEQUENCE:");
    let whole = text.matches("#EXTINF:").count() as u64;
    let next = first + whole + 1;
    // Held until the segment after the one that is being filled has begun.
    let held = server.get(&format!("/hls/main/video.m3u8?_HLS_msn={next}&_HLS_part=0"));
    assert_eq!(held.status(), 200, "{}", held.text());
    assert_eq!(held.head.get("cache-control"), Some("max-age=12"));
    let text = held.text();
    let now =
        last_number(&text, "#EXT-X-MEDIA-SEQUENCE:") + text.matches("#EXTINF:").count() as u64;
    assert!(now >= next, "{text}");
    for (query, status) in [
        (format!("_HLS_msn={}", now + 4), 400),
        ("_HLS_part=1".to_owned(), 400),
        ("_HLS_msn=soon".to_owned(), 400),
    ] {
        let answer = server.get(&format!("/hls/main/video.m3u8?{query}"));
        assert_eq!(answer.status(), status, "{query}: {}", answer.text());
    }

    let segment = text.lines().rev().find(|line| line.ends_with(".m4s"));
    let segment = segment.unwrap_or_else(|| panic!("a segment: {text}"));
    let target = format!("/hls/main/{segment}");
    let [one, again] = [server.get(&target), server.get(&target)];
    assert_eq!(
        (one.status(), one.head.get("content-type")),
        (200, Some("video/mp4"))
    );
    assert_eq!(one.head.get("cache-control"), Some("max-age=12"));
    assert_eq!(one.body, again.body, "the same for everyone");
    for answer in [&index, &playlist, &held, &one] {
        assert_eq!(
            (answer.head.get("set-cookie"), answer.head.get("vary")),
            (None, None)
        );
    }
    let gone = server.get("/hls/main/0123456789abcdef-3.m4s");
    assert_eq!(
        (gone.status(), gone.head.get("cache-control")),
        (404, Some("max-age=2"))
    );
}

/// Players have no cookies: a token in the playlist's address goes on into what it names.
#[test]
fn a_token_leads_on_from_the_playlist() {
    let photos = Photos::of(&FOUR[..1]);
    let server = Server::start(photos.path(), &MOVING);
    let secret = new_token(&server.data, "hall", &["--rights", "watch"]);
    until_shut(&server);
    assert_eq!(server.get("/hls/main/index.m3u8").status(), 401);
    let mut target = format!("/hls/main/index.m3u8?token={secret}");
    for ends in [".m3u8", ".m4s"] {
        let answer = server.get(&target);
        assert_eq!(answer.status(), 200, "{target}: {}", answer.text());
        assert_eq!(answer.head.get("set-cookie"), None);
        let text = answer.text();
        let mut lines = text.lines().filter_map(|line| line.split_once('?'));
        let (name, query) = lines
            .rfind(|(name, _)| !name.starts_with('#') && name.ends_with(ends))
            .unwrap_or_else(|| panic!("{ends} with a query: {text}"));
        target = format!("/hls/main/{name}?{query}");
        assert!(query.contains(&secret), "{target}");
    }
    assert_eq!(server.get(&target).status(), 200, "{target}");
}

/// Chromium plays playlists by itself; the page shows them where that is asked for.
#[test]
fn the_page_plays_the_playlist() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &MOVING);
    if !server.has_viewer() {
        return;
    }
    let mut page = browser.open(&server.url("/?via=hls&size=640x360"));
    let mut colours = Vec::new();
    eventually("three photos in the video", || {
        let colour = seen(&mut page)?;
        if FOUR.contains(&colour) && !colours.contains(&colour) {
            colours.push(colour);
        }
        if colours.len() >= 3 {
            Ok(())
        } else {
            Err(format!("{colours:?}"))
        }
    });
    assert_eq!(page.root("data-via"), "hls", "{}", page.root("data-reason"));
}

/// The colour in the middle of what a page shows.
fn seen(page: &mut Page) -> Result<Rgb, String> {
    let middle = page.screenshot()?.middle();
    middle.named().ok_or_else(|| format!("{middle:?}"))
}

/// The page plays video by itself, follows the slides, a moment behind, and goes on when the server has been away.
#[test]
fn the_page_plays_fragments_and_outlives_the_server() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    if !server.has_viewer() {
        return;
    }
    let mut page = browser.open(&server.url("/?via=mse"));
    let follows = |server: &Server, page: &mut Page| {
        let wanted = server.colour();
        eventually("the slide in the video", || match seen(page)? {
            colour if colour == wanted => Ok(()),
            other => Err(format!("{other:?} for {wanted:?}")),
        });
    };
    follows(&server, &mut page);
    assert_eq!(page.root("data-via"), "mse");
    server.advance();
    follows(&server, &mut page);
    eventually("the video close to the present", || {
        let behind = page.root("data-behind");
        match behind.parse::<f64>() {
            Ok(seconds) if seconds <= 0.5 => Ok(()),
            _ => Err(behind),
        }
    });
    let address = server.address;
    server.stop().expect("the server to end well");
    let server = Server::start_again(address, photos.path(), &STANDING);
    server.advance();
    follows(&server, &mut page);
    assert_eq!(page.root("data-via"), "mse", "and not a lower way");
}

/// A plain `<video>` on anybody's page.
#[test]
fn a_plain_video_element_plays() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &MOVING);
    let mut page = browser.open(&plain(&server));
    let mut colours = Vec::new();
    eventually("three photos in the video", || {
        let colour = seen(&mut page)?;
        if FOUR.contains(&colour) && colours.last() != Some(&colour) {
            colours.push(colour);
        }
        if colours.len() >= 3 {
            Ok(())
        } else {
            Err(format!("{colours:?}"))
        }
    });
    assert_in_order(&colours);
}

/// A page with nothing but a plain `<video>` of the server's.
fn plain(server: &Server) -> String {
    let html = format!(
        "<body style='margin:0'><video autoplay muted src='{}' style='width:100vw'></video>",
        server.url("/stream.mp4")
    );
    format!("http://{}/", site::serve(&html))
}

/// A slide that stands is a few bytes a second, and Chromium reads a plain `<video>` by blocks of 32 KB.
#[test]
fn a_plain_video_element_follows_slides_that_stand() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    let mut page = browser.open(&plain(&server));
    for _ in 0..3 {
        let wanted = server.advance();
        let began = Instant::now();
        eventually("the slide in the video", || match seen(&mut page)? {
            colour if colour == wanted => Ok(()),
            other => Err(format!("{other:?} for {wanted:?}")),
        });
        println!("a plain video is {} ms behind", began.elapsed().as_millis());
    }
}

/// Firefox has what is between two key frames when the second one is there.
#[test]
fn a_plain_video_element_follows_slides_that_stand_in_firefox() {
    let Some(firefox) = Driver::firefox() else {
        return;
    };
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    firefox.open(&plain(&server));
    for _ in 0..3 {
        let wanted = server.advance();
        let began = Instant::now();
        eventually("the slide in the video", || {
            let middle = firefox.screenshot()?.middle();
            match middle.named() {
                Some(colour) if colour == wanted => Ok(()),
                other => Err(format!("{other:?} for {wanted:?}")),
            }
        });
        println!(
            "a plain video in Firefox is {} ms behind",
            began.elapsed().as_millis()
        );
    }
}

/// Firefox plays what the page appends.
#[test]
fn firefox_plays_fragments() {
    let Some(firefox) = Driver::firefox() else {
        return;
    };
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    if !server.has_viewer() {
        return;
    }
    firefox.open(&server.url("/?via=mse"));
    let wanted = server.advance();
    eventually("the slide in the video", || {
        let middle = firefox.screenshot()?.middle();
        let via = firefox.eval("document.documentElement.getAttribute('data-via')")?;
        match middle.named() {
            Some(colour) if colour == wanted && via == "mse" => Ok(()),
            _ => Err(format!("{middle:?} for {wanted:?}, {via:?} for mse")),
        }
    });
}
