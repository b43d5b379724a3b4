//! How the C library's allocator keeps memory that is free. Only that: nothing here knows what it is used for.
//!
//! Each picture is worked on by a thread of its own, and glibc gives threads up to eight arenas a processor, each of which
//! keeps what it once had; its thresholds for giving memory back grow with the first picture, too. After 25 minutes of
//! joins and snapshots 27 MB were in use and 436 MB held; with two arenas and thresholds that stay it was 54 MB in all, for
//! less processor time (`server/benches/2026-11-26-strong.md`). A static program's C library has no arenas: it held less than
//! that in the same churn, at the same speed.
//! Other systems have allocators of their own: nothing is to be set there.
//!
//! `unsafe` because `mallopt` is a C function; it takes two numbers, and is called before there is a second thread.

/// Has the allocator give back what is free. To be called first, before there is a second thread.
pub fn keep_small() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        const ARENAS: libc::c_int = 2;
        /// Larger blocks come from the system and go back to it. Setting it ends its growing.
        const LARGE: libc::c_int = 128 * 1024;
        for (what, value) in [
            (libc::M_ARENA_MAX, ARENAS),
            (libc::M_MMAP_THRESHOLD, LARGE),
            (libc::M_TRIM_THRESHOLD, LARGE),
        ] {
            // SAFETY: two plain numbers, and no other thread allocates yet. What it does not know it ignores.
            #[allow(unsafe_code)]
            unsafe {
                libc::mallopt(what, value);
            }
        }
    }
}
