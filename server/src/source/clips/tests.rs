//! With ffmpeg itself, where it is installed; its own sources make the clips.

use std::{process::Command, sync::Arc};

use super::*;
use crate::{
    library::{Facts, Origin, Photo, Version},
    photo::PhotoId,
    render::{DecodeLimits, Fit, Picture, Pixels, Size, Slot},
};

/// A folder with a clip of one colour, made by ffmpeg with these options; none where it isn't installed.
fn clip(name: &str, options: &[&str]) -> Option<(tempfile::TempDir, std::path::PathBuf)> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    let made = Command::new("ffmpeg")
        .args(["-nostdin", "-loglevel", "error"])
        .args(options)
        .arg(&path)
        .status();
    match made {
        Ok(status) => assert!(status.success(), "{options:?}"),
        Err(_) => {
            assert!(std::env::var_os("CI").is_none(), "ffmpeg is to be there");
            return None;
        }
    }
    Some((folder, path))
}

/// The first second is black, the rest red.
const BLACK_THEN_RED: [&str; 8] = [
    "-f",
    "lavfi",
    "-i",
    "color=red:size=320x180:rate=10:duration=3,drawbox=color=black:thickness=fill:enable='lt(t,0.9)'",
    "-pix_fmt",
    "yuv420p",
    "-c:v",
    "mpeg4",
];

fn pixels(path: &Path, kind: Kind) -> Result<Pixels, LoadError> {
    let photo = Photo {
        id: PhotoId(1),
        origin: Origin::File(path.to_owned()),
        name: "a".into(),
        taken: 0,
        version: Version::default(),
        facts: Facts {
            kind: Some(kind),
            ..Facts::default()
        },
    };
    let slot = Slot::alone(Size::new(160, 90), Fit::Contain);
    super::super::gallery::load(&photo, &DecodeLimits::default(), slot)
}

fn middle(pixels: &Pixels) -> [u8; 3] {
    let picture = &pixels.picture;
    let at = (picture.height() / 2 * picture.width() + picture.width() / 2) as usize * 3;
    picture.pixels()[at..at + 3].try_into().unwrap()
}

#[test]
fn a_frame_of_the_second_second_is_a_picture_whatever_holds_the_clip() {
    for (name, kind) in [
        ("a.mp4", Kind::Mp4),
        ("b.mov", Kind::Mp4),
        ("c.mkv", Kind::Matroska),
        ("a name: with 'odd' things.mp4", Kind::Mp4),
    ] {
        let Some((_folder, path)) = clip(name, &BLACK_THEN_RED) else {
            return;
        };
        let [red, green, blue] = middle(&pixels(&path, kind).unwrap());
        assert!(
            red > 230 && green < 25 && blue < 25,
            "{name}: {red} {green} {blue}"
        );
        let told = told(&path, kind).unwrap();
        assert!(String::from_utf8_lossy(&told).contains("\"width\": 320"));
    }
}

#[test]
fn a_clip_of_less_than_a_second_has_a_frame() {
    let short = [
        "-f",
        "lavfi",
        "-i",
        "color=blue:size=64x48:rate=10:duration=0.3",
        "-c:v",
        "mpeg4",
    ];
    let Some((_folder, path)) = clip("a.mp4", &short) else {
        return;
    };
    let [red, _, blue] = middle(&pixels(&path, Kind::Mp4).unwrap());
    assert!(blue > 200 && red < 40);
}

/// The pictures of a clip that is played for a frame of 160x90, with their moments; and why it ended.
async fn played(
    photo: &Photo,
    fit: Fit,
    from_millis: u64,
) -> (Vec<(u64, Picture)>, Option<String>) {
    let motion = Motion::of(photo, 2_000).unwrap();
    let playing = Playing {
        frame: Size::new(160, 90),
        fit,
        fps: 10,
        from_millis,
    };
    let place = Arc::new(tokio::sync::Semaphore::new(1));
    let mut moving = motion
        .play(playing, place.acquire_owned().await.unwrap())
        .await
        .unwrap();
    let mut pictures = Vec::new();
    loop {
        match moving.next().await {
            Ok(picture) => pictures.push(picture),
            Err(why) => return (pictures, why),
        }
    }
}

fn photo_of(path: &Path, kind: Kind, size: Size) -> Photo {
    Photo {
        id: PhotoId(1),
        origin: Origin::File(path.to_owned()),
        name: "a".into(),
        taken: 0,
        version: Version::default(),
        facts: Facts {
            kind: Some(kind),
            size: Some(size),
            length_millis: Some(3_000),
            ..Facts::default()
        },
    }
}

fn colour(picture: &Picture) -> [u8; 3] {
    let at = (picture.height() / 2 * picture.width() + picture.width() / 2) as usize * 3;
    picture.pixels()[at..at + 3].try_into().unwrap()
}

/// Whatever the clip's own size, shape and rate: pictures of the size that is shown, one every tenth of a second, no longer than
/// it may, from black to red.
#[tokio::test]
async fn a_clip_plays_whatever_it_is_like() {
    let odd = "color=red:size=322x182:rate=10:duration=3,drawbox=color=black:thickness=fill:enable='lt(t,0.9)'";
    let uneven = "color=red:size=320x180:rate=30:duration=3,drawbox=color=black:thickness=fill:enable='lt(t,0.9)',select='gt(mod(n\\,7)\\,2)'";
    let plain = BLACK_THEN_RED[3];
    let tall = "color=red:size=180x320:rate=10:duration=3,drawbox=color=black:thickness=fill:enable='lt(t,0.9)'";
    for (what, name, source, more, size) in [
        ("plain", "a.mp4", plain, &[][..], (160, 90)),
        ("matroska", "a.mkv", plain, &[], (160, 90)),
        ("odd", "a.mp4", odd, &[], (159, 90)),
        ("uneven", "a.mp4", uneven, &["-fps_mode", "vfr"], (160, 90)),
        ("tall", "a.mp4", tall, &[], (51, 90)),
    ] {
        let options = [
            "-f", "lavfi", "-i", source, "-pix_fmt", "yuv420p", "-c:v", "mpeg4",
        ];
        let Some((_folder, path)) = clip(name, &[&options[..], more].concat()) else {
            return;
        };
        let kind = if name.ends_with("mkv") {
            Kind::Matroska
        } else {
            Kind::Mp4
        };
        let upright = match what {
            "odd" => Size::new(322, 182),
            "tall" => Size::new(180, 320),
            _ => Size::new(320, 180),
        };
        let (pictures, why) = played(&photo_of(&path, kind, upright), Fit::Contain, 0).await;
        assert_eq!(why, None, "{what}");
        assert!(
            (19..=21).contains(&pictures.len()),
            "{what}: {}",
            pictures.len()
        );
        for (n, (at, picture)) in (0..).zip(&pictures) {
            assert_eq!(*at, n * 100, "{what}");
            assert_eq!(picture.size(), Size::new(size.0, size.1), "{what}");
        }
        let [first, last] = [0, pictures.len() - 1].map(|n| colour(&pictures[n].1));
        assert!(
            first[0] < 30 && last[0] > 220,
            "{what}: {first:?} to {last:?}"
        );
        // Who comes later sees what everybody sees then.
        let (late, _) = played(&photo_of(&path, kind, upright), Fit::Cover, 1_500).await;
        assert!((4..=6).contains(&late.len()), "{what}: {}", late.len());
        assert_eq!(late[0].0, 1_500);
        let (seen, covered) = (colour(&late[0].1), late[0].1.size());
        assert!(seen[0] > 220, "{what}: {seen:?}");
        assert!(
            covered.width >= 159 && covered.height >= 90,
            "{what}: {covered:?}"
        );
    }
}

/// A clip that is cut plays as far as it goes, or not at all; then there is a sentence without its path.
#[tokio::test]
async fn half_a_clip_plays_no_nonsense() {
    let Some((folder, path)) = clip("a.mkv", &BLACK_THEN_RED) else {
        return;
    };
    let whole = std::fs::read(&path).unwrap();
    for end in [0, 9, 400, whole.len() / 2, whole.len() - 9] {
        std::fs::write(&path, &whole[..end]).unwrap();
        let photo = photo_of(&path, Kind::Matroska, Size::new(320, 180));
        let (pictures, why) = played(&photo, Fit::Contain, 0).await;
        assert!(!pictures.is_empty() || why.is_some(), "{end}");
        let why = why.unwrap_or_default();
        assert!(!why.contains(&*folder.path().to_string_lossy()), "{why}");
    }
}

/// A file that is cut says why; nothing hangs, and no path stands in the sentence.
#[test]
fn half_a_clip_is_a_sentence() {
    let Some((folder, path)) = clip("a.mp4", &BLACK_THEN_RED) else {
        return;
    };
    let whole = std::fs::read(&path).unwrap();
    for end in [0, 9, 40, whole.len() / 2, whole.len() - 9] {
        std::fs::write(&path, &whole[..end]).unwrap();
        let Err(error) = pixels(&path, Kind::Mp4) else {
            continue;
        };
        let error = error.to_string();
        assert!(
            error.contains("ffmpeg") || error.contains("no picture"),
            "{error}"
        );
        assert!(
            !error.contains(&*folder.path().to_string_lossy()),
            "{error}"
        );
    }
}

/// A playlist under a clip's name would have ffmpeg open what it names.
#[test]
fn a_playlist_is_no_clip() {
    let Some((folder, path)) = clip("a.mp4", &BLACK_THEN_RED) else {
        return;
    };
    let lists = [
        format!(
            "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{}\n#EXT-X-ENDLIST\n",
            path.display()
        ),
        format!("ffconcat version 1.0\nfile '{}'\n", path.display()),
    ];
    for list in lists {
        let other = folder.path().join("b.mp4");
        std::fs::write(&other, list).unwrap();
        for kind in [Kind::Mp4, Kind::Matroska] {
            assert!(pixels(&other, kind).is_err() && told(&other, kind).is_err());
        }
    }
}
