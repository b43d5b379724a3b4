//! With ffmpeg itself, where it is installed; its own sources make the clips.

use std::process::Command;

use super::*;
use crate::{
    library::{Facts, Origin, Photo, Version},
    photo::PhotoId,
    render::{DecodeLimits, Fit, Pixels, Size, Slot},
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
