//! Has the server compiled again when the viewer in `dist/` is another one: the files are embedded
//! by a macro, which cargo doesn't know to expand again when files are added.

#![expect(clippy::disallowed_methods, reason = "a build script")]

use std::path::Path;

fn main() -> std::io::Result<()> {
    // A path that isn't there would count as changed at every build.
    std::fs::create_dir_all("../dist")?;
    println!("cargo::rerun-if-changed=../dist");
    println!("cargo::rerun-if-changed=build.rs");
    // While the page is being built, all else can be compiled.
    println!("cargo::rerun-if-env-changed=MANTEL_NEEDS_PAGE");
    if std::env::var_os("MANTEL_NEEDS_PAGE").is_some() && !Path::new("../dist/index.html").exists()
    {
        println!("cargo::error=The page is not there yet: this comes after `cargo xtask build`.");
    }
    Ok(())
}
