//! The meaning of ffmpeg's last words, where that is known.

use super::Device;

/// The reason why a camera brings no pictures, in plain words: of the lines that ffmpeg said last.
pub(in crate::source::live) fn plain<'a>(
    device: &Device,
    said: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    let is_local = matches!(device, Device::V4l2(_));
    let is_url = matches!(device, Device::Url(_));
    let meaning = |line: &str| {
        let has = |words: &[&str]| words.iter().any(|words| line.contains(words));
        Some(if is_local && has(&["No such file or directory"]) {
            format!("there is no {device}: `mantel cameras` lists what is there")
        } else if has(&["Device or resource busy"]) {
            format!("{device} is in use by another program")
        } else if is_local && has(&["Permission denied"]) {
            format!(
                "{device} may not be opened by this user: on Debian `sudo usermod -aG video USER`, then log in again"
            )
        } else if is_local && has(&["Inappropriate ioctl", "Not a video capture device"]) {
            format!("{device} is no camera: `mantel cameras` lists what is there")
        } else if has(&["No such device", "VIDIOC_DQBUF"]) {
            format!("{device} was unplugged")
        } else if has(&["Cannot open display"]) {
            format!(
                "{device} can't be seen: no X server answers there, or it lets this user not in"
            )
        } else if is_url && has(&["401 Unauthorized", "403 Forbidden"]) {
            format!("{device} refuses this user and password")
        } else if is_url && has(&["404 Not Found", "404 Stream Not Found"]) {
            format!("{device} has nothing under this address")
        } else if is_url
            && has(&[
                "Connection refused",
                "No route to host",
                "Network is unreachable",
            ])
        {
            format!("{device} can't be reached")
        } else if is_url && has(&["Connection timed out", "Operation timed out"]) {
            format!("{device} does not answer")
        } else if is_url && has(&["Failed to resolve hostname"]) {
            format!("the name of {device} is not known in this network")
        } else {
            return None;
        })
    };
    said.into_iter().find_map(meaning)
}

/// Whether ffmpeg is older than the options that it was given, by the lines that it said last.
pub(in crate::source::live) fn is_too_old<'a>(said: impl IntoIterator<Item = &'a str>) -> bool {
    let words = [
        "Unrecognized option",
        "Option not found",
        "unknown keyword 'option'",
    ];
    said.into_iter()
        .any(|line| words.iter().any(|words| line.contains(words)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ffmpeg_says_is_told_in_plain_words() {
        for (device, said, told) in [
            (
                "/dev/video7",
                "/dev/video7: No such file or directory",
                "there is no /dev/video7: `mantel cameras` lists what is there",
            ),
            (
                "/dev/video0",
                "/dev/video0: Device or resource busy",
                "/dev/video0 is in use by another program",
            ),
            (
                "rtsp://u:p@10.0.0.7/x",
                "[rtsp @ 0x1] method DESCRIBE failed: 401 Unauthorized",
                "rtsp://10.0.0.7 refuses this user and password",
            ),
        ] {
            let device: Device = device.parse().unwrap();
            assert_eq!(
                plain(&device, ["something else", said]).as_deref(),
                Some(told)
            );
        }
        let device: Device = "lavfi:nothing".parse().unwrap();
        assert_eq!(plain(&device, ["No such filter: 'nothing'"]), None);
        assert!(!is_too_old(["No such filter: 'nothing'"]));
        assert!(is_too_old([
            "Unrecognized option 'fps_mode'.",
            "Error splitting the argument list: Option not found"
        ]));
    }
}
