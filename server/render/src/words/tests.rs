use std::time::Instant;

use super::*;

const FRAME: Size = Size::new(960, 540);

fn written(text: &str, details: &str, grey: u8) -> Picture {
    let mut picture = Picture::filled(FRAME.width, FRAME.height, [grey; 3]);
    let caption = Caption {
        text: text.into(),
        details: details.into(),
    };
    write(&mut picture, (0, 0), FRAME, (0, FRAME.width), &caption);
    picture
}

/// Pixels that are nearly white.
fn n_white(picture: &Picture) -> usize {
    let (pixels, _) = picture.pixels().as_chunks::<CHANNELS>();
    pixels
        .iter()
        .filter(|pixel| pixel.iter().all(|byte| *byte > 230))
        .count()
}

#[test]
fn nothing_to_write_changes_nothing() {
    let blank = Picture::filled(FRAME.width, FRAME.height, [90; 3]);
    for (text, details) in [("", ""), (" \n", "\u{202e}"), ("\0", "")] {
        assert_eq!(written(text, details, 90), blank);
    }
    let mut tiny = Picture::filled(160, 90, [90; 3]);
    let caption = Caption {
        text: "Oma".into(),
        details: String::new(),
    };
    write(&mut tiny, (0, 0), Size::new(160, 90), (0, 160), &caption);
    assert_eq!(tiny, Picture::filled(160, 90, [90; 3]));
}

#[test]
fn words_are_white_on_a_shade_that_grows_downwards_from_nothing() {
    for grey in [0, 128, 255] {
        let picture = written("Grandma jumps", "Sunday, 4 July 2021", grey);
        let row = |y: u32| picture.pixels()[y as usize * picture.stride()];
        assert_eq!(row(0), grey);
        let column: Vec<u8> = (0..FRAME.height).map(row).collect();
        assert!(
            column.windows(2).all(|pair| pair[0].abs_diff(pair[1]) <= 6),
            "no edge"
        );
        if grey > 0 {
            assert!(u16::from(row(FRAME.height - 1)) * 2 < u16::from(grey));
            let bright = n_white(&picture);
            assert!(grey == 255 || (500..20_000).contains(&bright), "{bright}");
        }
    }
}

#[test]
fn words_in_other_alphabets_of_the_bundled_font_are_drawn() {
    let notdef = n_white(&written("\u{10fffd}", "", 60));
    for text in ["Größe", "Ξενία", "Привет", "Đường"] {
        let n = n_white(&written(text, "", 60));
        assert!(n > 120 && n != notdef, "{text}: {n}");
    }
    assert_ne!(written("Привет", "", 60), written("Привёт", "", 60));
}

#[test]
fn long_captions_end_after_two_lines() {
    let long = written(&"Donaudampfschifffahrt ".repeat(40), "", 60);
    let endless = written(&"x".repeat(100_000), "", 60);
    for picture in [&long, &endless] {
        // Three lines would reach the upper half of the lower third.
        let upper = &picture.pixels()[..picture.stride() * 460];
        let (pixels, _) = upper.as_chunks::<CHANNELS>();
        assert!(pixels.iter().all(|pixel| pixel[0] < 230));
    }
    assert!(n_white(&long) > n_white(&written("Donaudampfschifffahrt", "", 60)) * 3);
}

#[test]
fn a_part_of_the_picture_keeps_to_itself() {
    let mut picture = Picture::filled(960, 540, [90; 3]);
    let caption = Caption {
        text: "Two portraits side by side and a long caption".into(),
        details: "Moab".into(),
    };
    write(
        &mut picture,
        (480, 0),
        Size::new(480, 540),
        (480, 480),
        &caption,
    );
    for row in picture.pixels().chunks(picture.stride()) {
        assert!(row[..480 * 3].iter().all(|byte| *byte == 90));
    }
    assert!(n_white(&picture) > 300);
}

/// The time is printed, not judged.
#[test]
fn hostile_captions_are_bounded_work() {
    let combining = format!("Z{}", "\u{335}\u{489}\u{20dd}".repeat(33_000));
    let emoji = "👨‍👩‍👧".repeat(10_000);
    let mixed = "\u{202e}א1\u{2067}a\u{0}".repeat(20_000);
    let start = Instant::now();
    for text in [
        combining,
        emoji,
        mixed,
        "ﷺ".repeat(30_000),
        "\u{fffd}".repeat(30_000),
    ] {
        written(&text, &text, 60);
    }
    eprintln!("hostile captions: {:?}", start.elapsed());
}

/// A system may lack the fonts; CI may not.
fn left_out(script: &str) {
    assert!(
        std::env::var_os("CI").is_none(),
        "there is no font for {script}"
    );
    eprintln!("LEFT OUT: {script}: this system has no font for it");
}

/// Needs fonts that a system may lack; says so.
#[test]
fn scripts_of_the_system_are_drawn() {
    for (name, text) in [
        ("Japanese", "おばあちゃんの庭"),
        ("Arabic", "عيد ميلاد سعيد"),
        ("Hebrew", "יום הולדת שמח"),
    ] {
        if n_missing(text) > 0 {
            left_out(name);
            continue;
        }
        assert!(n_white(&written(text, "", 60)) > 150, "{name}");
    }
    let emoji = "🎂🎉";
    if n_missing(emoji) > 0 {
        left_out("emoji");
        return;
    }
    let picture = written(emoji, "", 60);
    let (pixels, _) = picture.pixels().as_chunks::<CHANNELS>();
    // Colours, not white on black.
    let n_coloured = pixels
        .iter()
        .filter(|[r, g, b]| r.max(g).max(b) - r.min(g).min(b) > 60)
        .count();
    assert!(n_coloured > 200, "emoji have colours: {n_coloured}");
}

/// Glyphs for which no font was found.
fn n_missing(text: &str) -> usize {
    fonts::with(text, |system| {
        let block = Block::new(system, text, 20.0, 900.0);
        block
            .buffer
            .layout_runs()
            .flat_map(|run| run.glyphs.iter())
            .filter(|glyph| glyph.glyph_id == 0)
            .count()
    })
}

/// `MANTEL_PICTURES=folder` has captions in many scripts drawn over a photo, to be looked at.
#[test]
fn pictures_to_look_at() {
    let Some(folder) = std::env::var_os("MANTEL_PICTURES").map(std::path::PathBuf::from) else {
        return;
    };
    let captions = [
        (
            "german",
            "Großmutters Gärtchen: die schönsten Äpfel des Jahres",
            "Sunday, 4 July 2021  ·  Überlingen, Baden-Württemberg, DE  ·  Sommer",
        ),
        (
            "russian",
            "Бабушка печёт пироги на даче",
            "Sunday, 4 July 2021  ·  Санкт-Петербург",
        ),
        (
            "japanese",
            "おばあちゃんの庭で撮った写真",
            "Sunday, 4 July 2021  ·  京都市, 日本",
        ),
        (
            "arabic",
            "عيد ميلاد سعيد يا جدتي",
            "Sunday, 4 July 2021  ·  القاهرة",
        ),
        (
            "emoji",
            "Birthday 🎂🎉 with the family 👨‍👩‍👧 🇩🇪",
            "Moab, Utah, US",
        ),
        (
            "long",
            "A very long caption that somebody dictated to a telephone on a walk through the hills, with everything in it that came to mind: the weather, the dog, what there was for lunch, who was late and why, and what the neighbours said about it afterwards",
            "Sunday, 4 July 2021",
        ),
    ];
    for (name, text, details) in captions {
        for (shade, pixels) in [("bright", 235_u32), ("photo", 0)] {
            let (width, height) = (1920, 1080);
            let mut picture = Picture::filled(width, height, [pixels as u8; 3]);
            if shade == "photo" {
                let stride = picture.stride();
                for (i, byte) in picture.pixels_mut().iter_mut().enumerate() {
                    let (x, y) = (i % stride / 3, i / stride);
                    *byte = ((x / 7 * 31 + y / 9 * 57 + i % 3 * 40) % 256) as u8;
                }
            }
            let caption = Caption {
                text: text.into(),
                details: details.into(),
            };
            write(
                &mut picture,
                (0, 0),
                Size::new(width, height),
                (0, width),
                &caption,
            );
            let quality = crate::Quality::new(90).unwrap();
            let jpeg = crate::encode(&picture, quality).unwrap();
            std::fs::write(folder.join(format!("caption-{name}-{shade}.jpg")), jpeg).unwrap();
        }
    }
}
