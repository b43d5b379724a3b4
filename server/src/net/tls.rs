//! TLS: with a certificate that was given, or one of our own that is made on the first run.

#![expect(
    clippy::disallowed_methods,
    reason = "the certificate is read at the start and on a reload, on a thread that may wait"
)]

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use chrono::Datelike;
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair};
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use sha2::{Digest, Sha256};
use tokio_rustls::TlsAcceptor;

use super::host;
use crate::{blocking::Blocking, clock, config::Tls, lan::lan_addresses, state, store};

/// How long a certificate of our own is good: Apple's devices take 825 days at most.
const GOOD_FOR_DAYS: u64 = 820;

/// How long before its end a certificate of our own is made anew.
const RENEWED_BEFORE_DAYS: u64 = 30;

/// Why connections can't be encrypted, in one sentence.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file can't be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file's path.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A file holds no certificate, or no key.
    #[error("{}: there is no {what} in it, in PEM", path.display())]
    Empty {
        /// The file's path.
        path: PathBuf,
        /// The missing thing, in words: certificate or key.
        what: &'static str,
    },
    /// Certificate and key can't be used, alone or together.
    #[error("the certificate can't be used: {0}")]
    Certificate(#[from] rustls::Error),
    /// A certificate of our own can't be made.
    #[error("a certificate can't be made: {0}")]
    Make(#[from] rcgen::Error),
    /// No folder is known in which a certificate of our own could be kept.
    #[error(
        "--tls keeps its certificate in the data directory: give --data-dir, or --tls-cert and --tls-key"
    )]
    NoDataDir,
}

/// The certificate and key with which connections are encrypted.
#[derive(Clone)]
pub struct Keys {
    pub(super) acceptor: TlsAcceptor,
    fingerprint: String,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys")
            .field("fingerprint", &self.fingerprint)
            .finish_non_exhaustive()
    }
}

impl Keys {
    /// Reads the certificate and key that `tls` names; our own are made first if need be. `None`
    /// without TLS.
    ///
    /// # Errors
    /// There is no certificate, no key, or they don't go together.
    pub fn new(
        blocking: Blocking,
        tls: &Tls,
        state_dir: Option<&Path>,
    ) -> Result<Option<Self>, TlsError> {
        match tls {
            Tls::Off => Ok(None),
            Tls::Files { cert, key } => Self::read(cert, key).map(Some),
            Tls::Own => {
                let dir = state_dir.ok_or(TlsError::NoDataDir)?;
                let (cert, key) = (dir.join(state::CERTIFICATE), dir.join(state::KEY));
                if !is_young(&cert) || !key.exists() {
                    make(blocking, &cert, &key)?;
                }
                Self::read(&cert, &key).map(Some)
            }
        }
    }

    /// The SHA-256 fingerprint of the certificate, as browsers show it.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    fn read(cert: &Path, key: &Path) -> Result<Self, TlsError> {
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&read(cert)?)
            .collect::<Result<_, _>>()
            .unwrap_or_default();
        let first = chain.first().ok_or_else(|| TlsError::Empty {
            path: cert.to_owned(),
            what: "certificate",
        })?;
        let digest = Sha256::digest(first.as_ref());
        let pairs: Vec<String> = digest.iter().map(|byte| format!("{byte:02X}")).collect();
        complain_if_open(key);
        let secret = PrivateKeyDer::from_pem_slice(&read(key)?).map_err(|_| TlsError::Empty {
            path: key.to_owned(),
            what: "private key",
        })?;
        let mut config =
            ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()?
                .with_no_client_auth()
                .with_single_cert(chain, secret)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            fingerprint: pairs.join(":"),
        })
    }
}

/// Warns if everyone on this machine can read the key.
fn complain_if_open(key: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(key).map(|key| key.permissions().mode());
        if mode.is_ok_and(|mode| mode & 0o004 != 0) {
            tracing::warn!(
                "everyone on this machine can read the key {0}; chmod 600 {0}",
                key.display()
            );
        }
    }
    #[cfg(not(unix))]
    let _ = key;
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::Io {
        path: path.to_owned(),
        source,
    })
}

/// Whether our certificate is there and good for a while yet, by the time of its file.
fn is_young(cert: &Path) -> bool {
    let limit = Duration::from_secs((GOOD_FOR_DAYS - RENEWED_BEFORE_DAYS) * 24 * 3600);
    let made = fs::metadata(cert).and_then(|metadata| metadata.modified());
    made.is_ok_and(|made| made.elapsed().is_ok_and(|age| age < limit))
}

fn make(blocking: Blocking, cert: &Path, key: &Path) -> Result<(), TlsError> {
    let mut names = vec!["localhost".to_owned()];
    names.extend(host::own_names());
    names.extend(["127.0.0.1".to_owned(), "::1".to_owned()]);
    names.extend(lan_addresses().iter().map(ToString::to_string));
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, "Mantel");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let today = clock::today();
    // Valid from a day ago, for devices whose clocks are behind.
    let date = |day: chrono::NaiveDate| {
        let small = |n: u32| u8::try_from(n).unwrap_or(1);
        rcgen::date_time_ymd(day.year(), small(day.month()), small(day.day()))
    };
    params.not_before = date(today - chrono::Days::new(1));
    params.not_after = date(today + chrono::Days::new(GOOD_FOR_DAYS));
    let pair = KeyPair::generate()?;
    let made = params.self_signed(&pair)?;
    let io = |path: &Path, source| TlsError::Io {
        path: path.to_owned(),
        source,
    };
    if let Some(dir) = cert.parent() {
        store::make_folder(dir).map_err(|source| io(dir, source))?;
    }
    store::replace(blocking, key, pair.serialize_pem().as_bytes())
        .map_err(|source| io(key, source))?;
    store::replace(blocking, cert, made.pem().as_bytes()).map_err(|source| io(cert, source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_is_made_once_and_kept_from_others() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let first = Keys::new(Blocking::here(), &Tls::Own, Some(&data))
            .unwrap()
            .unwrap();
        let again = Keys::new(Blocking::here(), &Tls::Own, Some(&data))
            .unwrap()
            .unwrap();
        assert_eq!(first.fingerprint(), again.fingerprint());
        assert_eq!(first.fingerprint().len(), 32 * 3 - 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(data.join("tls-key.pem"))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn files_that_hold_something_else_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let letter = dir.path().join("letter.pem");
        fs::write(&letter, "Dear Anna").unwrap();
        let files = |cert: &Path, key: &Path| Tls::Files {
            cert: cert.to_owned(),
            key: key.to_owned(),
        };
        let error = Keys::new(Blocking::here(), &files(&letter, &letter), None)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("letter.pem: there is no certificate"),
            "{error}"
        );
        let error = Keys::new(
            Blocking::here(),
            &files(Path::new("/no/such"), &letter),
            None,
        )
        .unwrap_err();
        assert!(error.to_string().contains("/no/such"), "{error}");
        Keys::new(Blocking::here(), &Tls::Own, Some(dir.path())).unwrap();
        let cert = dir.path().join("tls-cert.pem");
        let error = Keys::new(Blocking::here(), &files(&cert, &letter), None)
            .unwrap_err()
            .to_string();
        assert!(error.contains("no private key"), "{error}");
        assert!(matches!(
            Keys::new(Blocking::here(), &Tls::Own, None),
            Err(TlsError::NoDataDir)
        ));
    }
}
