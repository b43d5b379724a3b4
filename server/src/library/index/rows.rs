//! The rows of the index, for those who show photos.

use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    super::{
        Origin, Photo, Version, albums,
        facts::{DateSource, Facts, Position, Taken},
        letters,
    },
    changes::{device, id_of},
};
use crate::{
    photo::PhotoId,
    render::{Kind, Orientation},
    size::Size,
};

/// How many there are of each, below the folders that are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Tally {
    pub(in super::super) photos: u64,
    pub(in super::super) skipped: u64,
    /// Looked into, and no pictures.
    pub(in super::super) others: u64,
    pub(in super::super) left_out: u64,
    pub(in super::super) hidden: u64,
}

impl Tally {
    /// The tally that counts as `self` now, when what was `before` has become `after`.
    pub(in super::super) fn adding(self, before: Self, after: Self) -> Self {
        let moved = |now: u64, before: u64, after: u64| (now + after).saturating_sub(before);
        Self {
            photos: moved(self.photos, before.photos, after.photos),
            skipped: moved(self.skipped, before.skipped, after.skipped),
            others: moved(self.others, before.others, after.others),
            left_out: moved(self.left_out, before.left_out, after.left_out),
            hidden: moved(self.hidden, before.hidden, after.hidden),
        }
    }

    /// Counts a change of one file's state from `before` to `after`.
    pub(super) fn moved(&mut self, before: Option<State>, after: Option<State>) {
        if let Some(n) = before.map(|state| self.of(state)) {
            *n = n.saturating_sub(1);
        }
        if let Some(n) = after.map(|state| self.of(state)) {
            *n += 1;
        }
    }

    fn of(&mut self, state: State) -> &mut u64 {
        match state {
            State::Photo => &mut self.photos,
            State::Skipped => &mut self.skipped,
            State::Other => &mut self.others,
            State::LeftOut => &mut self.left_out,
            State::Hidden => &mut self.hidden,
        }
    }
}

/// The state of a file that is there, as the index numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum State {
    /// It takes turns.
    Photo = 0,
    /// A picture that can't be shown.
    Skipped = 1,
    /// No picture.
    Other = 2,
    /// A picture, or a folder of them, that is not shown on purpose.
    LeftOut = 3,
    /// A photo that somebody has hidden.
    Hidden = 4,
}

impl State {
    /// The state with this number; one that nobody knows is of no picture.
    pub(super) fn of(number: i64) -> Self {
        match number {
            0 => Self::Photo,
            1 => Self::Skipped,
            3 => Self::LeftOut,
            4 => Self::Hidden,
            _ => Self::Other,
        }
    }
}

/// The counts, from every row.
pub(in super::super) fn tally(connection: &Connection) -> rusqlite::Result<Tally> {
    let mut tally = Tally::default();
    let mut count = |sql: &str| -> rusqlite::Result<()> {
        let mut statement = connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            *tally.of(State::of(row.get(0)?)) += row.get::<_, i64>(1)?.cast_unsigned();
        }
        Ok(())
    };
    if all_shown(connection)? {
        count(
            "SELECT 0, count(*) FROM files INDEXED BY photos_by_date WHERE state = 0 AND gone = 0",
        )?;
        count(
            "SELECT state, count(*) FROM files INDEXED BY files_unshown
             WHERE state > 0 AND gone = 0 GROUP BY state",
        )?;
    } else {
        count(
            "SELECT files.state, count(*) FROM files JOIN folders ON folders.id = files.folder
             WHERE files.gone = 0 AND folders.active = 1 GROUP BY files.state",
        )?;
    }
    Ok(tally)
}

/// Whether there are no rows of folders that are not shown, which is the rule and the short way.
pub(super) fn all_shown(connection: &Connection) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT NOT EXISTS (SELECT 1 FROM folders WHERE active = 0)")?
        .query_row([], |row| row.get(0))
}

/// The photo `id`, if it is there. `roots` say where names begin.
pub(in super::super) fn photo(
    connection: &Connection,
    id: PhotoId,
    roots: &[PathBuf],
) -> rusqlite::Result<Option<Photo>> {
    let found = connection
        .prepare_cached(
            "SELECT folders.path, files.name, n_bytes, modified, sidecar, changed, kind, width, height,
                orientation, taken, taken_from, camera, latitude, longitude, place, rating, caption, length
             FROM files JOIN folders ON folders.id = files.folder
             WHERE files.id = ?1 AND state = 0 AND gone = 0",
        )?
        .query_row([id.0.cast_signed()], |row| {
            let folder = PathBuf::from(os_string(row.get(0)?));
            let path = folder.join(os_string(row.get(1)?));
            Ok((path, version(row, 2)?, facts(row, 6)?))
        })
        .optional()?;
    let Some((path, version, mut facts)) = found else {
        return Ok(None);
    };
    facts.keywords = connection
        .prepare_cached("SELECT word FROM keywords WHERE file = ?1")?
        .query_map([id.0.cast_signed()], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    facts.album = album(&path, roots);
    if !facts.kind.is_some_and(Kind::is_clip) {
        facts.moving_half = moving_half(connection, &path)?;
    }
    Ok(Some(Photo {
        id,
        name: display_name(&path, roots).into(),
        taken: facts.taken.map_or(0, |taken| taken.local_seconds),
        version,
        origin: Origin::File(path),
        facts,
    }))
}

/// The clip of a photo's name that takes no turn because it is the photo's moving half.
fn moving_half(connection: &Connection, photo: &Path) -> rusqlite::Result<Option<PathBuf>> {
    let mut statement = connection
        .prepare_cached("SELECT 1 FROM files WHERE id = ?1 AND state = ?2 AND gone = 0")?;
    for ending in ["MOV", "mov", "MP4", "mp4"] {
        let path = photo.with_extension(ending);
        if statement.exists(params![id_of(&path).0.cast_signed(), State::LeftOut as i64])? {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// The folders, by their number, that `wish` names: see [`albums`].
pub(super) fn folders_of_album(
    connection: &Connection,
    wish: &str,
    roots: &[PathBuf],
) -> rusqlite::Result<Vec<i64>> {
    let mut statement =
        connection.prepare_cached("SELECT id, path FROM folders WHERE active = 1")?;
    let rows = statement.query_map([], |row| {
        let path = PathBuf::from(os_string(row.get(1)?));
        Ok((row.get::<_, i64>(0)?, display_name(&path, roots)))
    })?;
    let (ids, names): (Vec<i64>, Vec<String>) = rows
        .collect::<rusqlite::Result<Vec<_>>>()?
        .into_iter()
        .unzip();
    let found = albums::named(wish, &names);
    Ok(found.into_iter().map(|place| ids[place]).collect())
}

/// Whether a scan has ever been finished for these folders; a new index has none.
pub(in super::super) fn was_scanned(
    connection: &Connection,
    roots: &[PathBuf],
) -> rusqlite::Result<bool> {
    for root in roots {
        if device(connection, root)?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A file's name for people: its path below the folder that was given, composed.
pub(in super::super) fn display_name(path: &Path, roots: &[PathBuf]) -> String {
    let mut below = roots.iter().find_map(|root| path.strip_prefix(root).ok());
    letters::shown(&below.get_or_insert(path).to_string_lossy()).into_owned()
}

fn album(path: &Path, roots: &[PathBuf]) -> Option<String> {
    let folder = path.parent()?;
    let is_root = roots.iter().any(|root| root == folder);
    let name = folder.file_name()?.to_string_lossy();
    (!is_root).then(|| letters::shown(&name).into_owned())
}

pub(super) fn version(row: &Row<'_>, at: usize) -> rusqlite::Result<Version> {
    Ok(Version {
        n_bytes: row.get::<_, i64>(at)?.cast_unsigned(),
        modified_nanos: row.get(at + 1)?,
        sidecar_nanos: row.get(at + 2)?,
        changed_nanos: row.get(at + 3)?,
    })
}

pub(super) fn facts(row: &Row<'_>, at: usize) -> rusqlite::Result<Facts> {
    let size = row
        .get::<_, Option<u32>>(at + 1)?
        .zip(row.get::<_, Option<u32>>(at + 2)?);
    let taken = row.get::<_, Option<i64>>(at + 4)?;
    let source = match row.get::<_, Option<u8>>(at + 5)? {
        Some(0) => DateSource::Metadata,
        Some(1) => DateSource::Name,
        _ => DateSource::Modified,
    };
    let position = row
        .get::<_, Option<f64>>(at + 7)?
        .zip(row.get::<_, Option<f64>>(at + 8)?);
    let orientation = row.get::<_, Option<u32>>(at + 3)?;
    Ok(Facts {
        kind: row
            .get::<_, Option<String>>(at)?
            .as_deref()
            .and_then(kind_of_name),
        size: size.map(|(width, height)| Size::new(width, height)),
        orientation: orientation
            .and_then(Orientation::from_exif)
            .unwrap_or_default(),
        taken: taken.map(|local_seconds| Taken {
            local_seconds,
            source,
        }),
        camera: row.get(at + 6)?,
        position: position.map(|(latitude, longitude)| Position {
            latitude,
            longitude,
        }),
        place: row.get(at + 9)?,
        rating: row.get(at + 10)?,
        caption: row.get(at + 11)?,
        length_millis: row.get(at + 12)?,
        ..Facts::default()
    })
}

/// The kind that is called `name`.
pub(super) fn kind_of_name(name: &str) -> Option<Kind> {
    Kind::ALL.into_iter().find(|kind| kind.name() == name)
}

/// A path's own bytes, so that names which are no text survive.
pub(super) fn bytes(name: &OsStr) -> &[u8] {
    name.as_encoded_bytes()
}

#[cfg(unix)]
pub(super) fn os_string(bytes: Vec<u8>) -> OsString {
    std::os::unix::ffi::OsStringExt::from_vec(bytes)
}

/// Elsewhere names that are no Unicode are rare, and don't survive.
#[cfg(not(unix))]
pub(super) fn os_string(bytes: Vec<u8>) -> OsString {
    String::from_utf8_lossy(&bytes).into_owned().into()
}
