//! Whatever compiles the encoder of video: a C++ compiler, and nasm for three times the speed.

use std::env;

use crate::project::on_path;

/// The flags for cargo with which the server is built on this machine, without video where there is no C++ compiler;
/// says what is missing.
pub(crate) fn flags() -> &'static [&'static str] {
    let has_compiler = env::var_os("CXX").is_some() || on_path("c++").is_some();
    if !has_compiler {
        eprintln!(
            "warning: the server is built without video, because there is no C++ compiler (c++).
         Photos and live pictures are shown all the same. For video, install one (Debian: g++) and build again."
        );
        return &["--no-default-features"];
    }
    if cfg!(target_arch = "x86_64") && on_path("nasm").is_none() {
        eprintln!(
            "warning: the encoder of video is built without assembly, because there is no nasm.
         Video takes three times the processor. Install it (Debian: nasm) and build again."
        );
    }
    &[]
}
