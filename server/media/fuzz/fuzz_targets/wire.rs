//! Messages of a bus: none makes it panic, what is taken is within its limits, and what is written is read again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mantel_media::wire::{
    Assembler, FilmUnit, Head, Key, Kind, MAX_CONTENT, MIN_MESSAGE, Sheet, Topic, cut, open,
};

fuzz_target!(|input: &[u8]| {
    let (topic, key) = (Topic([0; 16]), Key::new(b"key"));
    let mut assembler = Assembler::new(Kind::Stills, topic, 0);
    // Messages with their length before them, so that several can make one content.
    let mut rest = input;
    while let Some((&n, more)) = rest.split_first() {
        let (message, more) = more.split_at(more.len().min(n.into()));
        rest = more;
        assert!(
            open(message, Some(&key)).is_err(),
            "nobody guesses a signature"
        );
        let Ok(part) = open(message, None) else {
            continue;
        };
        assert!(part.part < part.parts && part.length <= MAX_CONTENT);
        if let Some(content) = assembler.take(&part, 0) {
            assert_eq!(content.bytes.len(), part.length);
        }
    }
    if let Ok(sheet) = Sheet::read(input) {
        assert_eq!(Sheet::read(&sheet.write()), Ok(sheet));
    }
    if let Ok(unit) = FilmUnit::read(input) {
        assert_eq!(FilmUnit::read(&unit.write()), Ok(unit));
    }
    let head = Head {
        kind: Kind::Stills,
        topic,
        run: 0,
        no: 1,
        sent_at: 0,
    };
    let mut again = Assembler::new(Kind::Stills, topic, 0);
    let Ok(messages) = cut(head, input, Some(&key), MIN_MESSAGE) else {
        return;
    };
    let mut whole = None;
    for message in messages {
        let Ok(part) = open(&message, Some(&key)) else {
            panic!("it was written here");
        };
        whole = again.take(&part, 0);
    }
    assert!(whole.is_some_and(|whole| whole.bytes == input));
});
