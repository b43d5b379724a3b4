//! The program: parses, binds, runs, sets the exit code.

use std::{
    io::{self, IsTerminal, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    process::ExitCode,
};

mod heap;

use mantel::{
    Config, ConfigError, Keys, Listeners,
    config::{Invocation, Listen, LogFormat},
    lan_addresses, progress,
    source::decoding,
    tasks,
};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    heap::keep_small();
    // Before anything else: a decoder needs no log, no options and no runtime.
    if let Some(done) = decoding::ran_as_decoder(std::env::args_os().skip(1)) {
        return done.map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS);
    }
    let invocation = match Invocation::from_args(std::env::args_os().skip(1)) {
        Ok(invocation) => invocation,
        Err(ConfigError::Usage(error)) => {
            // clap knows colours and whether this is help that was asked for.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
        Err(error) => {
            eprintln!("mantel: {error}");
            return ExitCode::from(error.exit_code());
        }
    };
    let default = match &invocation {
        Invocation::Serve(_) => "warn,mantel=info,nom_exif=off",
        _ => "error,mantel=warn,nom_exif=off",
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
        LogFormat::Human => log
            .with_ansi(io::stderr().is_terminal())
            .with_target(false)
            .init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
    let mut out = io::BufWriter::new(io::stdout());
    let done = match invocation {
        Invocation::Serve(config) => serve(*config),
        Invocation::List(task) => tasks::list(&task, &mut out).map_err(Into::into),
        Invocation::Scan(task) => tasks::scan(&task, &mut out).map_err(Into::into),
        Invocation::Token(task) => tasks::token(&task, &mut out).map_err(Into::into),
        Invocation::Password(task) => tasks::password(&task, &mut out).map_err(Into::into),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mantel: {error:#}");
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
async fn serve(config: Config) -> anyhow::Result<()> {
    raise_file_limit();
    decoding::start(config.decoder_process);
    let mut listeners = Listeners::inherited()?;
    // What systemd hands over takes the place of the default, not of what was asked for.
    if listeners.is_empty() || !config.listens_by_default {
        listeners.append(Listeners::bind(&config.listen)?);
    }
    let keys = Keys::new(&config.access.tls, config.data_dir.as_deref())?;
    announce(&listeners.addresses(), keys.as_ref());
    let asked = signals()?;
    mantel::run(config, listeners, asked).await?;
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

/// The addresses to open, this house's before this machine's.
fn urls(listen: &[Listen], scheme: &str) -> Vec<String> {
    let mut addresses = Vec::new();
    for address in listen {
        let Listen::Tcp(address) = address else {
            continue;
        };
        let ips: Vec<IpAddr> = match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => {
                let lan = lan_addresses().into_iter().filter(IpAddr::is_ipv4);
                lan.chain([Ipv4Addr::LOCALHOST.into()]).collect()
            }
            // It takes IPv4 along, unless that has a listener of its own: a line too many does no harm.
            IpAddr::V6(ip) if ip.is_unspecified() => lan_addresses()
                .into_iter()
                .chain([Ipv6Addr::LOCALHOST.into()])
                .collect(),
            ip => vec![ip],
        };
        let port = address.port();
        addresses.extend(ips.into_iter().map(|ip| SocketAddr::new(ip, port)));
    }
    let mut seen = std::collections::HashSet::new();
    addresses.retain(|address| seen.insert(*address));
    addresses.sort_by_key(|address| address.ip().is_loopback());
    let url = |address: &SocketAddr| format!("{scheme}://{address}/");
    addresses.iter().map(url).collect()
}

/// Prints the addresses to open, with a QR code for the phone on a terminal.
fn announce(listen: &[Listen], keys: Option<&Keys>) {
    let urls = urls(listen, if keys.is_some() { "https" } else { "http" });
    let mut out = io::stdout().lock();
    let mut lines = String::from("Mantel is on. Open one of these on any screen in the house:\n");
    for url in &urls {
        lines.push_str(&format!("  {url}\n"));
    }
    for path in listen.iter().filter(|one| matches!(one, Listen::Unix(_))) {
        lines.push_str(&format!("  {path}, for a proxy on this machine\n"));
    }
    if let Some(keys) = keys {
        let print = keys.fingerprint();
        lines.push_str(&format!(
            "  The certificate's SHA-256 fingerprint: {print}\n"
        ));
    }
    if let Some(url) = urls.first() {
        lines.push_str(&format!("  VLC, ffmpeg and <img>: {url}stream\n"));
        if out.is_terminal()
            && let Ok(code) = qrcode::QrCode::new(url)
        {
            let code = code
                .render::<qrcode::render::unicode::Dense1x2>()
                .quiet_zone(true)
                .build();
            lines.push_str(&code);
            lines.push('\n');
        }
    }
    // Nobody may be reading; that is no reason not to serve.
    let _ = out.write_all(lines.as_bytes());
    let _ = out.flush();
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
