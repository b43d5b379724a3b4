//! Options of access, as typed and as checked: where to listen, who may come in and from where.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use super::{ConfigError, bad};

/// An address or a path to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// An address and a port; port 0 takes a free one.
    Tcp(SocketAddr),
    /// A unix socket at this path.
    Unix(PathBuf),
}

impl std::str::FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(path) = text.strip_prefix("unix:") {
            let path = PathBuf::from(path);
            return if path.file_name().is_some() {
                Ok(Self::Unix(path))
            } else {
                Err("a unix socket needs a path, like unix:/run/mantel.sock".into())
            };
        }
        if let Ok(address) = text.parse() {
            return Ok(Self::Tcp(address));
        }
        let an_address = || {
            "it has to be an address and a port, like 0.0.0.0:8080 or [::]:8080, a port alone, or \
             unix:/run/mantel.sock"
                .to_owned()
        };
        if let Ok(ip) = text.parse::<IpAddr>() {
            let whole = SocketAddr::new(ip, 8080);
            return Err(format!("the port is missing, as in {whole}"));
        }
        let (host, digits) = text.rsplit_once(':').unwrap_or(("", text));
        let host = host
            .strip_prefix('[')
            .map_or(host, |host| host.trim_end_matches(']'));
        let ip: IpAddr = match host {
            "" | "*" => Ipv4Addr::UNSPECIFIED.into(),
            "localhost" => Ipv4Addr::LOCALHOST.into(),
            ip => ip.parse().map_err(|_| an_address())?,
        };
        Ok(Self::Tcp(SocketAddr::new(
            ip,
            port(digits).ok_or_else(an_address)??,
        )))
    }
}

/// A port in digits; `None` when there are none.
fn port(digits: &str) -> Option<Result<u16, String>> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| {
        let too_large = |_| format!("port {digits} is too large; the largest is 65535");
        digits.parse().map_err(too_large)
    })
}

impl Listen {
    /// Whether other machines can connect there.
    pub fn is_in_house(&self) -> bool {
        matches!(self, Self::Tcp(address) if !address.ip().is_loopback())
    }
}

impl std::fmt::Display for Listen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// Whether connections are encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tls {
    /// Connections are not encrypted.
    Off,
    /// A certificate of our own, made on the first run and kept in the data directory.
    Own,
    /// A certificate that the user has.
    Files {
        /// The chain, PEM, the server's own first.
        cert: PathBuf,
        /// The certificate's private key, PEM.
        key: PathBuf,
    },
}

/// The checked options of who may come in, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Whether addresses outside the house are answered, too.
    pub public: bool,
    /// Names that `Host` may have, besides addresses, `localhost`, `*.local` and this machine's own;
    /// in lower case, without a final dot.
    pub hosts: Vec<String>,
    /// Origins (`https://example.org:8123`) whose pages may read answers, send commands and frame the
    /// page; in lower case, without a default port.
    pub origins: Vec<String>,
    /// The users of the password file who are let in; all when none is named.
    pub users: Vec<String>,
    /// The file with the passwords' hashes.
    pub password_file: Option<PathBuf>,
    /// Proxies whose `X-Forwarded-For` and `-Proto` are believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Whether connections are encrypted.
    pub tls: Tls,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Human,
    /// A JSON object a line.
    Json,
}

/// [`Access`] as typed.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Who may watch")]
pub struct AccessArgs {
    /// Answer to this name in addresses too; may be given more than once. Without it: addresses,
    /// localhost, names ending in .local, and this machine's own name.
    #[arg(long, value_name = "NAME", value_delimiter = ',', env = "MANTEL_HOST")]
    pub host: Vec<String>,

    /// Let pages of this origin, like `https://home.example.org:8123`, read the pictures, send commands
    /// and frame the page; may be given more than once.
    #[arg(
        long,
        value_name = "ORIGIN",
        value_delimiter = ',',
        hide_short_help = true,
        env = "MANTEL_ALLOW_ORIGIN"
    )]
    pub allow_origin: Vec<String>,

    /// Let in this user of the password file, and nobody without a password or a token; may be given
    /// more than once [default: everyone in the password file].
    #[arg(
        long,
        value_name = "NAME",
        value_delimiter = ',',
        env = "MANTEL_USER",
        hide_short_help = true
    )]
    pub user: Vec<String>,

    /// The users' passwords, a line each, as `mantel password` prints them.
    #[arg(long, value_name = "FILE", env = "MANTEL_PASSWORD_FILE")]
    pub password_file: Option<PathBuf>,

    /// Encrypt connections, with a certificate that is made on the first run.
    #[arg(long, env = "MANTEL_TLS")]
    pub tls: bool,

    /// Encrypt connections with this certificate (PEM, the chain).
    #[arg(
        long,
        value_name = "FILE",
        hide_short_help = true,
        env = "MANTEL_TLS_CERT"
    )]
    pub tls_cert: Option<PathBuf>,

    /// The private key of that certificate (PEM).
    #[arg(
        long,
        value_name = "FILE",
        hide_short_help = true,
        env = "MANTEL_TLS_KEY"
    )]
    pub tls_key: Option<PathBuf>,

    /// Answer other networks too, not only this house's private addresses.
    #[arg(long, env = "MANTEL_PUBLIC")]
    pub public: bool,

    /// Believe this proxy's X-Forwarded-For and X-Forwarded-Proto; may be given more than once.
    #[arg(
        long,
        value_name = "ADDR",
        value_delimiter = ',',
        hide_short_help = true,
        env = "MANTEL_TRUSTED_PROXY"
    )]
    pub trusted_proxy: Vec<String>,
}

impl AccessArgs {
    /// Joins typed options with those of the configuration file, which give way one by one.
    pub(super) fn over(self, file: Self) -> Self {
        let list = |typed: Vec<String>, file| if typed.is_empty() { file } else { typed };
        Self {
            host: list(self.host, file.host),
            allow_origin: list(self.allow_origin, file.allow_origin),
            user: list(self.user, file.user),
            password_file: self.password_file.or(file.password_file),
            tls: self.tls || file.tls,
            tls_cert: self.tls_cert.or(file.tls_cert),
            tls_key: self.tls_key.or(file.tls_key),
            public: self.public || file.public,
            trusted_proxy: list(self.trusted_proxy, file.trusted_proxy),
        }
    }

    pub(super) fn checked(self) -> Result<Access, ConfigError> {
        let mut hosts = Vec::new();
        for name in &self.host {
            hosts.push(host_name(name).ok_or_else(|| {
                bad(
                    "--host",
                    name,
                    "it has to be a name alone, like photos.example.org",
                )
            })?);
        }
        let mut origins = Vec::new();
        for text in &self.allow_origin {
            origins.push(origin(text).ok_or_else(|| {
                let hint = "it has to be a scheme, a host and perhaps a port, like https://home.example.org:8123";
                bad("--allow-origin", text, hint)
            })?);
        }
        let mut trusted_proxies = Vec::new();
        for text in &self.trusted_proxy {
            let address: IpAddr = text.trim().parse().map_err(|_| {
                bad(
                    "--trusted-proxy",
                    text,
                    "it has to be an address, like 192.168.1.2",
                )
            })?;
            trusted_proxies.push(address.to_canonical());
        }
        if let (Some(user), None) = (self.user.first(), &self.password_file) {
            let reason = "a user needs a password; make one with `mantel password` and give its file: --password-file FILE";
            return Err(bad("--user", user, reason));
        }
        let tls = match (self.tls_cert, self.tls_key) {
            (None, None) if self.tls => Tls::Own,
            (None, None) => Tls::Off,
            (Some(cert), Some(key)) => Tls::Files { cert, key },
            (Some(cert), None) => {
                return Err(bad(
                    "--tls-cert",
                    cert.display(),
                    "its private key is missing: --tls-key FILE",
                ));
            }
            (None, Some(key)) => {
                return Err(bad(
                    "--tls-key",
                    key.display(),
                    "its certificate is missing: --tls-cert FILE",
                ));
            }
        };
        Ok(Access {
            public: self.public,
            hosts,
            origins,
            users: self.user,
            password_file: self.password_file,
            trusted_proxies,
            tls,
        })
    }
}

/// The places to listen on: as typed, on all addresses at the port `alone`, or by default.
pub(super) fn listen_on(typed: &[String], alone: Option<i64>) -> Result<Vec<Listen>, ConfigError> {
    match alone {
        None => listen(typed),
        Some(port) if !typed.is_empty() => {
            let reason = "--listen says the port, too; give one of both";
            Err(bad("--port", port, reason))
        }
        Some(number) if number < 0 => Err(bad("--port", number, "it has to be from 0 to 65535")),
        Some(number) => match port(&number.to_string()) {
            Some(Ok(port)) => Ok(vec![Listen::Tcp(([0, 0, 0, 0], port).into())]),
            Some(Err(reason)) => Err(bad("--port", number, reason)),
            None => Err(bad("--port", number, "it has to be from 0 to 65535")),
        },
    }
}

/// The places to listen on, as typed or by default.
fn listen(typed: &[String]) -> Result<Vec<Listen>, ConfigError> {
    let mut all: Vec<Listen> = Vec::new();
    for text in typed {
        let one: Listen = text
            .trim()
            .parse()
            .map_err(|reason: String| bad("--listen", text, reason))?;
        let any_port = matches!(&one, Listen::Tcp(address) if address.port() == 0);
        if all.contains(&one) && !any_port {
            return Err(bad("--listen", text, "it is given twice"));
        }
        all.push(one);
    }
    if all.is_empty() {
        all.push(Listen::Tcp(([0, 0, 0, 0], 8080).into()));
    }
    Ok(all)
}

/// A host name in the form in which hosts are compared.
fn host_name(text: &str) -> Option<String> {
    let name = text.trim().trim_end_matches('.').to_ascii_lowercase();
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    (!name.is_empty() && name.len() <= 253 && name.bytes().all(fits)).then_some(name)
}

/// An origin in the form in which browsers send it.
fn origin(text: &str) -> Option<String> {
    let text = text.trim().trim_end_matches('/').to_ascii_lowercase();
    let (scheme, authority) = text.split_once("://")?;
    let default_port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return None,
    };
    let authority = authority.strip_suffix(default_port).unwrap_or(authority);
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    let known = !authority.is_empty() && authority.bytes().all(fits);
    known.then(|| format!("{scheme}://{authority}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_to_listen() {
        let read = |text: &str| listen(&[text.to_owned()]).map(|all| all[0].to_string());
        for text in [
            "0.0.0.0:8080",
            "[::]:8080",
            "[fe80::1]:1",
            "unix:/run/mantel.sock",
        ] {
            assert_eq!(read(text).unwrap(), text);
        }
        for (text, meant) in [
            ("8080", "0.0.0.0:8080"),
            (":80", "0.0.0.0:80"),
            ("*:80", "0.0.0.0:80"),
            ("localhost:8080", "127.0.0.1:8080"),
        ] {
            assert_eq!(read(text).unwrap(), meant);
        }
        for (text, reason) in [
            ("1.2.3.4:80000", "port 80000 is too large"),
            ("99999999999999999999999", "is too large"),
            ("192.168.1.7", "the port is missing, as in 192.168.1.7:8080"),
            ("::1", "the port is missing, as in [::1]:8080"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
        for text in [
            "",
            ":",
            "nowhere",
            "nowhere:80",
            "1.2.3.4:99999",
            "unix:",
            "unix:/",
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.starts_with("--listen"), "{error}");
        }
        let twice = |text: &str| listen(&[text.to_owned(), text.to_owned()]);
        assert!(twice("1.2.3.4:80").is_err());
        assert_eq!(twice("127.0.0.1:0").unwrap().len(), 2);
    }

    #[test]
    fn names_and_origins_are_brought_into_one_form() {
        assert_eq!(
            host_name("Photos.Example.org.").unwrap(),
            "photos.example.org"
        );
        for text in ["", ".", "a b", "http://a", "a:80", "a/b", "ä"] {
            assert_eq!(host_name(text), None, "{text}");
        }
        for (text, expected) in [
            ("HTTPS://Home.example/", "https://home.example"),
            ("https://a:443", "https://a"),
            ("http://a:8123", "http://a:8123"),
            ("http://[::1]:80", "http://[::1]"),
        ] {
            assert_eq!(origin(text).unwrap(), expected);
        }
        for text in [
            "",
            "*",
            "null",
            "a",
            "ftp://a",
            "https://",
            "https://a/b",
            "https://a;b",
            "https://u@a",
        ] {
            assert_eq!(origin(text), None, "{text}");
        }
    }

    #[test]
    fn half_a_certificate_or_a_user_without_password_is_refused() {
        let complaint = |args: AccessArgs| args.checked().unwrap_err().to_string();
        let cert = complaint(AccessArgs {
            tls_cert: Some("a.pem".into()),
            ..AccessArgs::default()
        });
        assert!(cert.contains("--tls-key"), "{cert}");
        let user = complaint(AccessArgs {
            user: vec!["anna".into()],
            ..AccessArgs::default()
        });
        assert!(user.contains("--password-file"), "{user}");
    }
}
