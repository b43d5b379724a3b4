//! Has the server compiled again when the viewer in `dist/` is another one: the files are embedded
//! by a macro, which cargo doesn't know to expand again when files are added.

#![expect(clippy::disallowed_methods, reason = "a build script")]

fn main() -> std::io::Result<()> {
    // A path that isn't there would count as changed at every build.
    std::fs::create_dir_all("../dist")?;
    println!("cargo::rerun-if-changed=../dist");
    println!("cargo::rerun-if-changed=build.rs");
    Ok(())
}
