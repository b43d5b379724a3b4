//! The decoder's process from inside: it takes every right away from itself that decoding has no use for, before it reads
//! a byte of anybody's file, and then answers requests until there are none. Whoever starts it and ends it is `child`;
//! nothing here trusts that a decoder does what it should.

use std::io::{self, BufWriter, Read, Write};

use super::{
    film,
    wire::{self, Confined, Request, Wish},
};
use crate::render;

/// Beside what a photo may take: stacks, tables, the frame that is made of it.
#[cfg(target_os = "linux")]
const ALLOWANCE: u64 = 96 << 20;

/// Decodes what comes in on stdin until it ends. `seconds` of processor time a photo may take.
///
/// # Errors
/// What comes in makes no sense, or nobody listens any more.
pub fn run(seconds: u64) -> io::Result<()> {
    let room = Room::confine(seconds)?;
    serve(&mut io::stdin().lock(), &mut io::stdout().lock(), &room)
}

/// Decodes the H.264 that comes in on stdin until it ends. `seconds` of processor time a picture may take.
///
/// # Errors
/// What comes in makes no sense, or nobody listens any more.
pub fn run_film(seconds: u64) -> io::Result<()> {
    let room = Room::confine(seconds)?;
    let mut to = BufWriter::new(io::stdout().lock());
    room.confined.write(&mut to)?;
    film::serve(&mut io::stdin().lock(), &mut to, || room.lend(film::MEMORY))
}

fn serve(from: &mut impl Read, to: &mut impl Write, room: &Room) -> io::Result<()> {
    let mut to = BufWriter::new(to);
    room.confined.write(&mut to)?;
    while let Some(Request { limits, wish, file }) = Request::read(from)? {
        room.lend(limits.bytes.saturating_add(file.len() as u64));
        let result = match wish {
            Wish::Whole => render::decode_whole(&file, &limits),
            Wish::Fitted(slot) => render::decode_fitted(&file, &limits, slot),
        };
        drop(file);
        wire::write_reply(&mut to, &result)?;
        drop(result);
        render::release_spare();
    }
    Ok(())
}

/// The room that this process may use.
struct Room {
    confined: Confined,
    seconds: u64,
    /// Address space before any photo.
    own_bytes: Option<u64>,
}

#[cfg(not(target_os = "linux"))]
impl Room {
    fn confine(seconds: u64) -> io::Result<Self> {
        Ok(Self {
            confined: Confined::default(),
            seconds,
            own_bytes: None,
        })
    }

    fn lend(&self, _n_bytes: u64) {
        let _ = (self.seconds, self.own_bytes);
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::BTreeMap;
    use std::{fs, io};

    use rlimit::Resource;
    use rustix::process::{Signal, set_parent_process_death_signal};
    use seccompiler::{
        BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
        SeccompRule,
    };

    use super::{ALLOWANCE, Room};
    use crate::source::wire::Confined;

    impl Room {
        #[expect(clippy::disallowed_methods, reason = "files of /proc do not wait")]
        pub(super) fn confine(seconds: u64) -> io::Result<Self> {
            // It also ends when stdin does; this is for when it is busy then.
            set_parent_process_death_signal(Some(Signal::KILL))?;
            // Read before there are no files any more. In pages.
            let own_bytes = fs::read_to_string("/proc/self/statm")
                .ok()
                .and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok())
                .map(|n_pages| n_pages * rustix::param::page_size() as u64);
            let set = |resource: Resource, n| resource.set(n, n).is_ok();
            let limits = own_bytes.is_some()
                && set(Resource::CORE, 0)
                && set(Resource::FSIZE, 0)
                // Those that are open stay open: pipes to the program.
                && set(Resource::NOFILE, 3);
            let calls = filter().and_then(|filter| {
                seccompiler::apply_filter(&filter).map_err(|error| error.to_string())
            });
            Ok(Self {
                confined: Confined {
                    limits,
                    calls: calls.is_ok(),
                },
                seconds,
                own_bytes,
            })
        }

        /// Memory and time for one photo.
        pub(super) fn lend(&self, n_bytes: u64) {
            if let (Some(own), Ok((_, hard))) = (self.own_bytes, Resource::AS.get()) {
                let limit = own.saturating_add(n_bytes).saturating_add(ALLOWANCE);
                let _ = Resource::AS.set(limit.min(hard), hard);
            }
            let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
            let used = u64::try_from(used.tv_sec).unwrap_or(0);
            if let Ok((_, hard)) = Resource::CPU.get() {
                // In whole seconds, of which the one under way counts as passed.
                let _ = Resource::CPU.set((used + self.seconds + 1).min(hard), hard);
            }
        }
    }

    /// The system calls that decoding needs: memory, threads, the clock, and the pipes that are open. All else fails
    /// as if the kernel did not know it, so that a C library that tries something new first goes on without it.
    pub(super) fn filter() -> Result<BpfProgram, String> {
        let always = [
            libc::SYS_brk,
            libc::SYS_clock_gettime,
            libc::SYS_clock_nanosleep,
            libc::SYS_close,
            libc::SYS_exit,
            libc::SYS_exit_group,
            libc::SYS_fstat,
            libc::SYS_futex,
            libc::SYS_getpid,
            libc::SYS_getrandom,
            libc::SYS_gettid,
            libc::SYS_madvise,
            libc::SYS_membarrier,
            libc::SYS_mmap,
            libc::SYS_mprotect,
            libc::SYS_mremap,
            libc::SYS_munmap,
            libc::SYS_nanosleep,
            libc::SYS_read,
            libc::SYS_readv,
            libc::SYS_restart_syscall,
            libc::SYS_rseq,
            libc::SYS_rt_sigaction,
            libc::SYS_rt_sigprocmask,
            libc::SYS_rt_sigreturn,
            libc::SYS_sched_getaffinity,
            libc::SYS_sched_yield,
            libc::SYS_set_robust_list,
            libc::SYS_sigaltstack,
            libc::SYS_write,
            libc::SYS_writev,
        ];
        let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
            always.into_iter().map(|call| (call, vec![])).collect();
        let dword = SeccompCmpArgLen::Dword;
        let when = |arg, op, value| -> Result<Vec<SeccompRule>, String> {
            let condition = SeccompCondition::new(arg, dword.clone(), op, value)
                .map_err(|error| error.to_string())?;
            let rule = SeccompRule::new(vec![condition]).map_err(|error| error.to_string())?;
            Ok(vec![rule])
        };
        // Threads, and no processes.
        let thread = libc::CLONE_THREAD.cast_unsigned().into();
        rules.insert(
            libc::SYS_clone,
            when(0, SeccompCmpOp::MaskedEq(thread), thread)?,
        );
        // Its own limits, and nobody else's.
        rules.insert(libc::SYS_prlimit64, when(0, SeccompCmpOp::Eq, 0)?);
        // A signal to itself is how it aborts.
        let own = u64::from(std::process::id());
        rules.insert(libc::SYS_tgkill, when(0, SeccompCmpOp::Eq, own)?);
        let name = libc::PR_SET_NAME.cast_unsigned().into();
        rules.insert(libc::SYS_prctl, when(0, SeccompCmpOp::Eq, name)?);
        let arch = std::env::consts::ARCH
            .try_into()
            .map_err(|_| "seccomp is not known for this processor".to_owned())?;
        let filter = SeccompFilter::new(
            rules,
            SeccompAction::Errno(libc::ENOSYS.cast_unsigned()),
            SeccompAction::Allow,
            arch,
        );
        filter
            .and_then(TryInto::try_into)
            .map_err(|error| error.to_string())
    }
}
