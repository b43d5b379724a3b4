//! `mantel cameras`: lists what cameras the kernel knows (V4L2), whether they may be opened, and what to write in the
//! configuration for each. Opens none of them.

#![expect(
    clippy::disallowed_methods,
    reason = "a task of the command line; files of /sys do not wait"
)]

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::TaskError;

/// The folder in which the kernel lists what gives pictures, and that of the files to open.
const CLASS: &str = "/sys/class/video4linux";
const DEVICES: &str = "/dev";

/// Beginnings of the names of parts of processors that work on pictures and take none: those of the Raspberry Pi and
/// other boards, which look like a dozen cameras.
const NO_CAMERAS: [&str; 8] = [
    "bcm2835-codec",
    "bcm2835-isp",
    "hantro",
    "pispbe",
    "rkvdec",
    "rockchip,",
    "rpi-hevc-dec",
    "rpivid",
];

/// Beginnings of the names of what a camera on a ribbon cable is joined to: its raw pixels need a program that knows the sensor.
const RIBBONS: [&str; 2] = ["rp1-cfe", "unicam"];

/// Prints what cameras there are.
///
/// # Errors
/// Nobody reads.
pub fn cameras(out: &mut impl io::Write) -> Result<(), TaskError> {
    let found = found(Path::new(CLASS), Path::new(DEVICES));
    out.write_all(told(&found).as_bytes())?;
    Ok(())
}

/// Something that gives pictures.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    path: PathBuf,
    name: String,
    /// Whether this user may open it.
    is_readable: bool,
}

/// The cameras in these folders, by number. A camera has several files: the first one gives pictures.
fn found(class: &Path, devices: &Path) -> Vec<Found> {
    let entries = fs::read_dir(class).into_iter().flatten().flatten();
    let mut numbered: Vec<(u32, Found)> = entries
        .filter_map(|entry| {
            let file = entry.file_name();
            let number = file.to_str()?.strip_prefix("video")?.parse().ok()?;
            let fact = |name: &str| fs::read_to_string(entry.path().join(name)).ok();
            let is_first = fact("index").is_none_or(|index| index.trim() == "0");
            let name = fact("name").unwrap_or_default();
            let name = name.replace(|c: char| c.is_control(), " ");
            let is_camera = !NO_CAMERAS.iter().any(|start| name.starts_with(start));
            let path = devices.join(&file);
            let found = Found {
                is_readable: may_read(&path),
                path,
                name: name.trim().to_owned(),
            };
            (is_first && is_camera).then_some((number, found))
        })
        .collect();
    numbered.sort_by_key(|(number, _)| *number);
    numbered.into_iter().map(|(_, found)| found).collect()
}

fn may_read(path: &Path) -> bool {
    #[cfg(target_os = "linux")]
    return rustix::fs::access(path, rustix::fs::Access::READ_OK).is_ok();
    #[cfg(not(target_os = "linux"))]
    fs::File::open(path).is_ok()
}

fn told(found: &[Found]) -> String {
    if found.is_empty() {
        return "there is no camera on this machine that the kernel knows (nothing in /dev/video*); one in the network is \
                named by its address: device = \"rtsp://HOST/…\"\n"
            .to_owned();
    }
    let mut text = String::new();
    let mut names = Vec::new();
    for (n, camera) in found.iter().enumerate() {
        let Found {
            path,
            name,
            is_readable,
        } = camera;
        let path = path.display();
        let lock = if *is_readable {
            ""
        } else {
            ": this user may not open it; on Debian `sudo usermod -aG video USER`, then log in again"
        };
        text += &format!("{path}  {name}{lock}\n");
        let channel = match n {
            0 => "camera".to_owned(),
            n => format!("camera-{}", n + 1),
        };
        names.push(if RIBBONS.iter().any(|start| name.starts_with(start)) {
            format!(
                "[channel.{channel}]\nsource = \"command\"\n\
                 run = [\"rpicam-vid\", \"-n\", \"-t\", \"0\", \"--codec\", \"mjpeg\", \"-o\", \"-\"]\n"
            )
        } else {
            format!("[channel.{channel}]\nsource = \"camera\"\ndevice = \"{path}\"\n")
        });
    }
    text + "\nIn the configuration file:\n\n" + &names.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_camera_is_one_sentence() {
        let nothing = tempfile::tempdir().unwrap();
        let found = found(&nothing.path().join("video4linux"), nothing.path());
        assert_eq!(found, []);
        let told = told(&found);
        assert!(
            told.starts_with("there is no camera") && told.lines().count() == 1,
            "{told}"
        );
    }

    #[test]
    fn each_camera_is_listed_once_with_what_to_write() {
        let folder = tempfile::tempdir().unwrap();
        let (class, devices) = (folder.path().join("class"), folder.path().join("dev"));
        std::fs::create_dir(&devices).unwrap();
        for (file, name, index) in [
            ("video10", "bcm2835-codec-decode", "0"),
            ("video2", "unicam-image", "0"),
            ("video0", "HD Webcam C525", "0"),
            // What a webcam says of its pictures; and what is no camera's.
            ("video1", "HD Webcam C525", "1"),
            ("v4l-subdev0", "imx708", "0"),
        ] {
            let of_file = class.join(file);
            std::fs::create_dir_all(&of_file).unwrap();
            std::fs::write(of_file.join("name"), format!("{name}\n")).unwrap();
            std::fs::write(of_file.join("index"), format!("{index}\n")).unwrap();
        }
        std::fs::write(devices.join("video0"), "").unwrap();
        let found = found(&class, &devices);
        let names: Vec<_> = found
            .iter()
            .map(|camera| (&*camera.name, camera.is_readable))
            .collect();
        assert_eq!(names, [("HD Webcam C525", true), ("unicam-image", false)]);
        let told = told(&found);
        let webcam = devices.join("video0");
        let table = format!(
            "[channel.camera]\nsource = \"camera\"\ndevice = \"{}\"\n",
            webcam.display()
        );
        assert!(told.contains(&table), "{told}");
        assert!(
            told.contains("[channel.camera-2]\nsource = \"command\"\nrun = [\"rpicam-vid\""),
            "{told}"
        );
        assert!(
            told.contains("unicam-image: this user may not open it"),
            "{told}"
        );
    }
}
