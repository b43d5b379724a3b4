//! The program in an emulator of single programs: for another kind of processor, or on a clock of its own. A static
//! program takes no library that stands in for a clock, but the emulator, which asks the system for it, does.

use std::{
    fmt::Write as _,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use super::clients::{Client, require};

/// A program in `folder` that runs `program` by `emulator`, with some variables for the emulator alone. It has a name of
/// its own, so that everything else treats it as the program itself.
pub(crate) fn emulated(
    folder: &Path,
    emulator: &Path,
    program: &Path,
    environment: &[(&str, &Path)],
) -> PathBuf {
    let mut script = "#!/bin/sh\n".to_owned();
    let mut without = String::new();
    for (name, value) in environment {
        let _ = writeln!(script, "export {name}='{}'", value.display());
        let _ = write!(without, " -U {name}");
    }
    let _ = writeln!(
        script,
        "exec '{}'{without} '{}' \"$@\"",
        emulator.display(),
        program.display()
    );
    let path = folder.join("emulated");
    fs::write(&path, script).expect("to write it");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("to make it run");
    path
}

/// The program on a wall clock that is as far from the real one as the file `clock` in `folder` says, in libfaketime's words
/// (`-7m`); its other clocks are right. Says what is left out where the means are missing.
pub(crate) fn on_own_clock(program: &Path, folder: &Path) -> Option<PathBuf> {
    let means = require(Client::Faketime)?;
    let (clock, yes) = (folder.join("clock"), Path::new("1"));
    let environment = [
        ("LD_PRELOAD", means[0].as_path()),
        ("FAKETIME_TIMESTAMP_FILE", clock.as_path()),
        ("FAKETIME_NO_CACHE", yes),
        ("FAKETIME_DONT_FAKE_MONOTONIC", yes),
    ];
    Some(emulated(folder, &means[1], program, &environment))
}

/// Sets the clock of [`on_own_clock`].
pub(crate) fn set_clock(folder: &Path, distance: &str) {
    fs::write(folder.join("clock"), format!("{distance}\n")).expect("to set the clock");
}
