//! The program: parses, binds, runs, sets the exit code.

use std::{
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use mantel::{
    Config, ConfigError, HumanFormat, Keys, Listeners, announce,
    config::{Invocation, Listen, LogFormat},
    lan_addresses, progress,
    source::{child, decoding},
    tasks,
};
use tokio::sync::mpsc;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    mantel::count_panics();
    mantel::keep_heap_small();
    // Before anything else: a decoder needs no log, no options and no runtime.
    if let Some(done) = decoding::ran_as_decoder(std::env::args_os().skip(1)) {
        return done.map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS);
    }
    if let Some(done) = child::ran_as_supervisor(std::env::args_os().skip(1)) {
        return done;
    }
    let invocation = match Invocation::from_args(std::env::args_os().skip(1)) {
        Ok(invocation) => invocation,
        Err(ConfigError::Usage(error)) => {
            // Help that was asked for; clap knows colours.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
        Err(error) => {
            eprintln!("mantel: {error}");
            return ExitCode::from(error.exit_code());
        }
    };
    let default = match &invocation {
        Invocation::Serve(_) => "warn,mantel=info",
        _ => "error,mantel=warn",
    };
    let format = match &invocation {
        Invocation::Serve(config) => config.log,
        _ => LogFormat::Human,
    };
    let filter = EnvFilter::try_from_env("MANTEL_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| LogWriter);
    match format {
        LogFormat::Human => log.event_format(HumanFormat).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
    let mut out = io::BufWriter::new(io::stdout());
    let done = match invocation {
        Invocation::Serve(config) => serve(*config),
        Invocation::List(task) => tasks::list(&task, &mut out).map_err(Into::into),
        Invocation::Scan(task) => tasks::scan(&task, &mut out).map_err(Into::into),
        Invocation::Token(task) => tasks::token(&task, &mut out).map_err(Into::into),
        Invocation::Password(task) => tasks::password(&task, &mut out).map_err(Into::into),
        Invocation::Push(task) => tasks::push(&task, &mut out).map_err(Into::into),
        Invocation::Cameras => tasks::cameras(&mut out).map_err(Into::into),
        Invocation::Health(address) => tasks::health(&address).map_err(Into::into),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let error: &(dyn std::error::Error + 'static) = error.as_ref();
            eprintln!("mantel: {}", announce::sentence(error));
            ExitCode::FAILURE
        }
    }
}

/// `mantel list | head` ends early, which is what was asked for.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// The log, which a progress bar makes room for.
struct LogWriter;

impl Write for LogWriter {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        progress::without_bar(|| io::stderr().write(text))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

#[tokio::main]
async fn serve(mut config: Config) -> anyhow::Result<()> {
    raise_file_limit();
    fit_connections(&mut config);
    // An edge decodes nothing: pictures come as they are shown.
    if !config.bus.as_ref().is_some_and(|bus| bus.is_edge) {
        decoding::start(config.decoder_process);
    }
    // The file that runs, also when another one has taken its name.
    child::supervise_by("/proc/self/exe".into());
    let mut listeners = Listeners::inherited()?;
    // What systemd hands over takes the place of the default, not of what was asked for.
    if listeners.is_empty() || !config.listens_by_default {
        listeners.append(Listeners::bind(&config.listen)?);
    }
    let (addresses, asked) = (listeners.addresses(), signals()?);
    // Told when everything is open, so that it is true.
    let ready = move |keys: Option<&Keys>| announce(&addresses, keys);
    mantel::serve(config, listeners, ready, asked, reloads()?).await?;
    Ok(())
}

/// Done at the first SIGINT or SIGTERM; the second one ends the program at once.
fn signals() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (mut interrupt, mut terminate) = (
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
        );
        Ok(async move {
            tokio::select! { _ = interrupt.recv() => {} _ = terminate.recv() => {} }
            eprintln!("mantel: stopping; once more to stop at once");
            tokio::spawn(async move {
                tokio::select! { _ = interrupt.recv() => {} _ = terminate.recv() => {} }
                std::process::exit(130);
            });
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        // Without signals there is nothing to wait for but the console.
        let _ = tokio::signal::ctrl_c().await;
        tokio::spawn(async {
            let _ = tokio::signal::ctrl_c().await;
            std::process::exit(130);
        });
    })
}

/// The configuration anew, each time that SIGHUP asks for it.
fn reloads() -> io::Result<mpsc::Receiver<Config>> {
    let (send, reloads) = mpsc::channel(1);
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut hangup = signal(SignalKind::hangup())?;
        tokio::spawn(async move {
            while hangup.recv().await.is_some() {
                // Read where blocking harms nobody.
                let read = || Invocation::from_args(std::env::args_os().skip(1));
                match tokio::task::spawn_blocking(read).await {
                    Ok(Ok(Invocation::Serve(mut config))) => {
                        fit_connections(&mut config);
                        let _ = send.send(*config).await;
                    }
                    Ok(Err(error)) => tracing::error!("{error}; everything stays as it was"),
                    Ok(Ok(_)) | Err(_) => {}
                }
            }
        });
    }
    // Held for ever: an end would be taken for nothing more to come.
    #[cfg(not(unix))]
    std::mem::forget(send);
    Ok(reloads)
}

/// Prints the addresses to open, with a QR code for the phone on a terminal.
fn announce(listen: &[Listen], keys: Option<&Keys>) {
    let fingerprint = keys.map(Keys::fingerprint);
    let mut out = io::stdout().lock();
    let lines = announce::welcome(listen, &lan_addresses(), fingerprint, out.is_terminal());
    // Nobody may be reading; that is no reason not to serve.
    let _ = out.write_all(lines.as_bytes());
    let _ = out.flush();
}

/// Files that are open beside connections: the index, photos, listeners.
const OTHER_FILES: usize = 100;

/// A connection too many would take the files that photos need: fewer are let in where the system
/// allows few.
fn fit_connections(config: &mut Config) {
    #[cfg(unix)]
    if let Ok((soft, _)) = rlimit::Resource::NOFILE.get() {
        let allowed = usize::try_from(soft).unwrap_or(usize::MAX);
        let room = allowed.saturating_sub(OTHER_FILES).max(8);
        if config.limits.max_connections > room {
            tracing::warn!(
                "this system allows {allowed} open files, so {room} connections are let in rather than {}",
                config.limits.max_connections
            );
            config.limits.max_connections = room;
        }
    }
}

/// A viewer is a file descriptor, and many systems allow 1024 unless asked for more.
fn raise_file_limit() {
    #[cfg(unix)]
    if let Ok((soft, hard)) = rlimit::Resource::NOFILE.get()
        && soft < hard
        && let Err(error) = rlimit::Resource::NOFILE.set(hard, hard)
    {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
}
