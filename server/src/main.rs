//! The program: parses, binds, runs, sets the exit code.

use std::{
    io::{self, IsTerminal, Write},
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    process::ExitCode,
};

use mantel::{
    Config, ConfigError,
    config::{Invocation, Listen},
    progress, tasks,
};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
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
        Invocation::List(_) | Invocation::Scan(_) => "error,mantel=warn,nom_exif=off",
    };
    let filter = EnvFilter::try_from_env("MANTEL_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| LogWriter)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        .init();
    let mut out = io::BufWriter::new(io::stdout());
    let done = match invocation {
        Invocation::Serve(config) => serve(*config),
        Invocation::List(task) => tasks::list(&task, &mut out).map_err(Into::into),
        Invocation::Scan(task) => tasks::scan(&task, &mut out).map_err(Into::into),
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
    let Some(Listen::Tcp(listen)) = config.listen.first().cloned() else {
        anyhow::bail!("unix sockets come next");
    };
    let listener = TcpListener::bind(listen)
        .await
        .map_err(|error| bind_error(listen, &error))?;
    announce(listener.local_addr()?);
    let asked = signals()?;
    mantel::run(config, listener, asked).await?;
    Ok(())
}

fn bind_error(listen: SocketAddr, error: &io::Error) -> anyhow::Error {
    match error.kind() {
        io::ErrorKind::AddrInUse => anyhow::anyhow!(
            "port {} is in use by another program; stop that one, or choose another port: --listen {}:0 takes a free one",
            listen.port(),
            listen.ip()
        ),
        io::ErrorKind::PermissionDenied => anyhow::anyhow!(
            "this user may not listen on port {}; choose one from 1024 up, like --listen {}:8080",
            listen.port(),
            listen.ip()
        ),
        io::ErrorKind::AddrNotAvailable => anyhow::anyhow!(
            "this machine has no address {}; --listen 0.0.0.0:{} listens on all it has",
            listen.ip(),
            listen.port()
        ),
        _ => anyhow::anyhow!("can't listen on {listen}: {error}"),
    }
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

/// Prints the addresses to open, with a QR code for the phone on a terminal.
fn announce(local: SocketAddr) {
    let port = local.port();
    let hosts: Vec<IpAddr> = if local.ip().is_unspecified() {
        let lan = lan_address();
        lan.into_iter()
            .chain([IpAddr::V4(Ipv4Addr::LOCALHOST)])
            .collect()
    } else {
        vec![local.ip()]
    };
    let urls: Vec<String> = hosts
        .iter()
        .map(|host| format!("http://{}/", SocketAddr::new(*host, port)))
        .collect();
    let mut out = io::stdout().lock();
    let mut lines = String::from("Mantel is on. Open one of these on any screen in the house:\n");
    for url in &urls {
        lines.push_str(&format!("  {url}\n"));
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

/// This machine's address as its neighbours see it. Connecting a datagram socket sends nothing: it
/// only asks the system which of its addresses it would use.
fn lan_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    // TEST-NET-1 (RFC 5737): routed by default, owned by nobody.
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
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
