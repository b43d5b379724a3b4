//! Whatever compiles what of the server is not Rust: a C++ compiler the encoder of video, nasm the assembly of that and of AV1.

use std::env;

use crate::project::on_path;

/// What the server is built with: AVIFs are decoded in half the time by assembly.
const WITH_ASSEMBLY: &[&str] = &["--features", "assembly"];

/// The flags for cargo with which the server is built on this machine, without video where there is no C++ compiler, and
/// without assembly where there is no nasm; says what is missing.
pub(crate) fn flags() -> Vec<&'static str> {
    let mut flags = assembly().to_vec();
    let has_compiler = env::var_os("CXX").is_some() || on_path("c++").is_some();
    if !has_compiler {
        eprintln!(
            "warning: the server is built without video, because there is no C++ compiler (c++).
         Photos and live pictures are shown all the same. For video, install one (Debian: g++) and build again."
        );
        flags.push("--no-default-features");
    }
    flags
}

/// The flags for the assembly of AV1, that of x86-64 alone; says where there is no nasm.
fn assembly() -> &'static [&'static str] {
    if !cfg!(target_arch = "x86_64") {
        return &[];
    }
    if on_path("nasm").is_none() {
        eprintln!(
            "warning: the server is built without assembly, because there is no nasm.
         Video takes three times the processor, and AVIFs twice. Install it (Debian: nasm) and build again."
        );
        return &[];
    }
    WITH_ASSEMBLY
}
