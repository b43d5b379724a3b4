//! The likeness of pictures (SSIM), as ffmpeg measures it.

use std::{path::Path, process::Command};

use super::Result;

/// How alike a picture and what it is made of are, 1 for the same. Both are files that ffmpeg reads.
pub fn ssim(picture: &Path, original: &Path) -> Result<f64> {
    let output = Command::new("ffmpeg")
        .args(["-hide_banner", "-i"])
        .arg(picture)
        .arg("-i")
        .arg(original)
        .args([
            "-lavfi",
            "[0:v]format=gbrp[a];[1:v]format=gbrp[b];[a][b]ssim",
        ])
        .args(["-f", "null", "-"])
        .output()?;
    let text = String::from_utf8_lossy(&output.stderr);
    let all = text.rsplit_once(" All:").ok_or("ffmpeg tells no SSIM")?.1;
    let number = all.split_whitespace().next().unwrap_or_default();
    Ok(number.parse()?)
}

/// The last of a stream of so many pictures of H.264, as a PNG.
pub fn last_picture(annexb: &[u8], n_pictures: usize, png: &Path) -> Result<()> {
    let bare = png.with_extension("h264");
    std::fs::write(&bare, annexb)?;
    let output = Command::new("ffmpeg")
        .args([
            "-hide_banner",
            "-loglevel",
            "error",
            "-y",
            "-f",
            "h264",
            "-i",
        ])
        .arg(&bare)
        .args(["-fps_mode", "passthrough", "-vf"])
        // A few of them, since the very last one may be cut off.
        .arg(format!("select=gte(n\\,{})", n_pictures.saturating_sub(4)))
        .args(["-update", "1"])
        .arg(png)
        .output()?;
    if output.status.success() && png.is_file() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned().into())
}
