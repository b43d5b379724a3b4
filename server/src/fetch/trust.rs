//! The servers' certificates that are believed.

use std::{fmt, str::FromStr, sync::Arc};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use sha2::{Digest, Sha256};

use crate::{blocking::Blocking, hex};

/// The rule by which a server's certificate is believed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// The authorities that this system trusts, or those in `SSL_CERT_FILE`, vouch for it.
    #[default]
    System,
    /// It is this one: its SHA-256, as Mantel prints it for its own certificate.
    Fingerprint(Fingerprint),
    /// It is whatever it is: what is sent can't be read on the way, but nobody knows to whom it goes.
    Anyone,
}

/// The SHA-256 of a certificate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl FromStr for Fingerprint {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits: String = text.chars().filter(|c| !matches!(c, ':' | ' ')).collect();
        let bytes = hex::unhex(&digits.to_ascii_lowercase());
        let reason = "a fingerprint is the SHA-256 of a certificate: 64 hexadecimal digits, with or without colons";
        bytes.map(Self).ok_or(reason)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::hex(&self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

impl Trust {
    /// The settings of connections that believe by this rule. The system's authorities are read from files.
    ///
    /// # Errors
    /// The system names no authority that can be read.
    pub(super) fn config(self, _: Blocking) -> Result<ClientConfig, String> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        let wanted = match self {
            Self::System => {
                let found = rustls_native_certs::load_native_certs();
                let mut roots = RootCertStore::empty();
                let (n_read, _) = roots.add_parsable_certificates(found.certs);
                if n_read == 0 {
                    return Err(
                        "this system names no authorities for certificates; on Debian the package ca-certificates has \
                         them"
                            .into(),
                    );
                }
                let config = config.with_root_certificates(roots).with_no_client_auth();
                return Ok(config);
            }
            Self::Fingerprint(fingerprint) => Some(fingerprint),
            Self::Anyone => None,
        };
        let verifier = Arc::new(Known { wanted, provider });
        let config = config
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        Ok(config.with_no_client_auth())
    }
}

/// A verifier that asks nobody who vouches for a certificate. That the server has its key is proven all the same.
#[derive(Debug)]
struct Known {
    /// The only certificate that is believed; `None`: any.
    wanted: Option<Fingerprint>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Known {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let found = Fingerprint(Sha256::digest(end_entity.as_ref()).into());
        if self.wanted.is_none_or(|wanted| wanted == found) {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_as_mantel_and_others_print_it() {
        let pairs = ["0A"; 32];
        let wanted = Fingerprint([10; 32]);
        for text in [
            pairs.join(":"),
            pairs.join(""),
            pairs.join(" "),
            "0a".repeat(32),
        ] {
            assert_eq!(text.parse(), Ok(wanted), "{text}");
        }
        for text in ["", "0A:0B", &"zz".repeat(32)] {
            assert!(text.parse::<Fingerprint>().is_err(), "{text}");
        }
    }
}
