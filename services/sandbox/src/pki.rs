//! Each cluster's own certificate authority, what it issues, and the kubeconfigs made of it.

use std::path::Path;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    IsCa, KeyPair, KeyUsagePurpose, SanType,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use serde::{Deserialize, Serialize};

/// A certificate and its key, as PEM.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Identity {
    pub certificate: String,
    pub key: String,
}

/// Everything secret of a cluster; kept across restarts so that kubeconfigs stay valid.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Pki {
    pub authority: Identity,
    pub server: Identity,
    pub admin: Identity,
    pub admin_token: String,
    /// Signs the tokens of service accounts.
    pub token_key: String,
}

/// rcgen's default validity (1975 to 4096) stays: a sandbox must not stop because time went by.
fn parameters(name: &str, group: Option<&str>) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    let mut subject = DistinguishedName::new();
    if let Some(group) = group {
        subject.push(DnType::OrganizationName, group);
    }
    subject.push(DnType::CommonName, name);
    parameters.distinguished_name = subject;
    parameters
}

impl Pki {
    /// Makes a new authority and what it issues. `names` and `address` go into the server's certificate.
    pub fn generate(cluster: &str, address: std::net::IpAddr) -> anyhow::Result<Self> {
        let mut parameters = self::parameters(&format!("sandbox-{cluster}"), None);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let issuer = CertifiedIssuer::self_signed(parameters, KeyPair::generate()?)
            .context("cannot make the certificate authority")?;

        let mut server = self::parameters("kube-apiserver", None);
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        server.subject_alt_names = vec![SanType::IpAddress(address)];
        for name in [
            "localhost",
            "kubernetes",
            "kubernetes.default",
            "kubernetes.default.svc",
        ] {
            server.subject_alt_names.push(SanType::DnsName(name.try_into()?));
        }
        let server = issue(server, &issuer)?;
        let admin = issue(client("kubernetes-admin", Some("system:masters")), &issuer)?;
        Ok(Self {
            authority: Identity {
                certificate: issuer.pem(),
                key: issuer.key().serialize_pem(),
            },
            server,
            admin,
            admin_token: random_token(),
            token_key: random_token(),
        })
    }

    /// Reads the PKI of a cluster, or makes and stores it.
    pub fn load(directory: &Path, cluster: &str, address: std::net::IpAddr) -> anyhow::Result<Self> {
        let path = directory.join("pki.json");
        if let Ok(text) = std::fs::read(&path) {
            return serde_json::from_slice(&text).with_context(|| format!("{} is damaged", path.display()));
        }
        let pki = Self::generate(cluster, address)?;
        crate::store::snapshot::write_private(&path, &serde_json::to_vec_pretty(&pki)?)?;
        Ok(pki)
    }

    /// A client certificate for a user.
    pub fn issue_client(&self, user: &str, group: Option<&str>) -> anyhow::Result<Identity> {
        let key = KeyPair::from_pem(&self.authority.key)?;
        let issuer = rcgen::Issuer::from_ca_cert_pem(&self.authority.certificate, key)?;
        issue(client(user, group), &issuer)
    }

    pub fn authority_der(&self) -> anyhow::Result<CertificateDer<'static>> {
        Ok(CertificateDer::from_pem_slice(
            self.authority.certificate.as_bytes(),
        )?)
    }

    pub fn server_der(&self) -> anyhow::Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)> {
        let certificate = CertificateDer::from_pem_slice(self.server.certificate.as_bytes())?;
        let key = PrivateKeyDer::from_pem_slice(self.server.key.as_bytes())?;
        Ok((vec![certificate], key))
    }

    /// A kubeconfig that signs in by certificate.
    pub fn kubeconfig(&self, cluster: &str, url: &str, user: &str, identity: &Identity) -> String {
        self.kubeconfig_with(
            cluster,
            url,
            user,
            &format!(
                "client-certificate-data: {}\n    client-key-data: {}",
                BASE64.encode(&identity.certificate),
                BASE64.encode(&identity.key)
            ),
        )
    }

    /// A kubeconfig that signs in by bearer token.
    pub fn token_kubeconfig(&self, cluster: &str, url: &str, user: &str, token: &str) -> String {
        self.kubeconfig_with(cluster, url, user, &format!("token: {token}"))
    }

    fn kubeconfig_with(&self, cluster: &str, url: &str, user: &str, credentials: &str) -> String {
        let authority = BASE64.encode(&self.authority.certificate);
        format!(
            "apiVersion: v1\nkind: Config\nclusters:\n- name: {cluster}\n  cluster:\n    server: {url}\n    certificate-authority-data: {authority}\n\
             users:\n- name: {user}\n  user:\n    {credentials}\n\
             contexts:\n- name: {user}@{cluster}\n  context:\n    cluster: {cluster}\n    user: {user}\n\
             current-context: {user}@{cluster}\n"
        )
    }
}

fn client(user: &str, group: Option<&str>) -> CertificateParams {
    let mut parameters = parameters(user, group);
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    parameters
}

fn issue(
    parameters: CertificateParams,
    issuer: &rcgen::Issuer<'_, impl rcgen::SigningKey>,
) -> anyhow::Result<Identity> {
    let key = KeyPair::generate()?;
    let certificate = parameters.signed_by(&key, issuer)?;
    Ok(Identity {
        certificate: certificate.pem(),
        key: key.serialize_pem(),
    })
}

/// 128 random bits in hex.
pub fn random_token() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// The name and groups a client certificate stands for.
pub fn subject_of(certificate: &CertificateDer<'_>) -> Option<(String, Vec<String>)> {
    use x509_parser::prelude::*;
    let (_, certificate) = X509Certificate::from_der(certificate.as_ref()).ok()?;
    let subject = certificate.subject();
    let name = subject.iter_common_name().next()?.as_str().ok()?.to_owned();
    let groups = subject
        .iter_organization()
        .filter_map(|group| group.as_str().ok().map(str::to_owned))
        .collect();
    Some((name, groups))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_carry_user_and_group() {
        let pki = Pki::generate("east", std::net::Ipv4Addr::LOCALHOST.into()).unwrap();
        let identity = pki.issue_client("anna", Some("team-a")).unwrap();
        let der = CertificateDer::from_pem_slice(identity.certificate.as_bytes()).unwrap();
        assert_eq!(subject_of(&der), Some(("anna".into(), vec!["team-a".into()])));
    }
}
