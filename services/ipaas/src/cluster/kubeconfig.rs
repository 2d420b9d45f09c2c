//! Reading a kubeconfig that somebody gives us.
//!
//! Only what lies in the text itself is used: a kubeconfig that runs a program or reads a file would do
//! so on our machine, with our rights. What is kept is the current context alone. Nothing of the text is
//! ever told back, since any line of it may be a secret.

use http::StatusCode;
use kube::config::{Config, KubeConfigOptions, Kubeconfig, KubeconfigError};
use platform::ApiError;

/// A kubeconfig that can be used.
#[derive(Clone, Debug)]
pub struct Target {
    /// The API server's address.
    pub server: String,
    pub config: Config,
    /// The current context with its cluster and user, as JSON (which is YAML too).
    pub minimal: String,
}

/// Reads a kubeconfig.
///
/// # Errors
/// 422 `kubeconfig_invalid` or `kubeconfig_unsupported`, saying where and why.
pub async fn read(text: &str) -> Result<Target, ApiError> {
    let kubeconfig = Kubeconfig::from_yaml(text).map_err(explain)?;
    let minimal = narrow(kubeconfig)?;
    refuse_what_leaves_the_text(&minimal)?;
    let server = minimal
        .clusters
        .first()
        .and_then(|named| named.cluster.as_ref())
        .and_then(|cluster| cluster.server.clone())
        .filter(|server| server.starts_with("https://") || server.starts_with("http://"))
        .ok_or_else(|| invalid("the cluster's `server` must be an https:// address"))?;
    let kept = serde_json::to_string(&minimal).map_err(ApiError::internal)?;
    let mut config = Config::from_custom_kubeconfig(minimal, &KubeConfigOptions::default())
        .await
        .map_err(explain)?;
    // The library takes a proxy from the process's environment; a cluster's way is its kubeconfig's.
    config.proxy_url = None;
    Ok(Target {
        server,
        config,
        minimal: kept,
    })
}

/// Only the current context, with its cluster and user.
fn narrow(mut kubeconfig: Kubeconfig) -> Result<Kubeconfig, ApiError> {
    let current = match kubeconfig.current_context.clone().filter(|name| !name.is_empty()) {
        Some(current) => current,
        None => match kubeconfig.contexts.as_slice() {
            [only] => only.name.clone(),
            [] => return Err(invalid("it has no contexts")),
            _ => {
                return Err(invalid(
                    "it has several contexts and `current-context` names none",
                ));
            }
        },
    };
    kubeconfig.contexts.retain(|named| named.name == current);
    let context = kubeconfig
        .contexts
        .first()
        .and_then(|named| named.context.clone())
        .ok_or_else(|| invalid("`current-context` names a context that isn't there"))?;
    kubeconfig.clusters.retain(|named| named.name == context.cluster);
    if kubeconfig
        .clusters
        .first()
        .is_none_or(|named| named.cluster.is_none())
    {
        return Err(invalid("the current context names a cluster that isn't there"));
    }
    let user = context.user.clone().unwrap_or_default();
    kubeconfig.auth_infos.retain(|named| named.name == user);
    if kubeconfig.auth_infos.is_empty() {
        return Err(invalid("the current context names a user that isn't there"));
    }
    kubeconfig.current_context = Some(current);
    kubeconfig.preferences = None;
    kubeconfig.extensions = None;
    kubeconfig.other.clear();
    Ok(kubeconfig)
}

fn refuse_what_leaves_the_text(kubeconfig: &Kubeconfig) -> Result<(), ApiError> {
    let unsupported = |what: &str, instead: &str| {
        Err(ApiError::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "kubeconfig_unsupported",
            format!("the kubeconfig {what}, which only works on the machine it comes from; {instead}"),
        ))
    };
    let inline = "put the content itself in (`kubectl config view --flatten --minify` does)";
    for user in kubeconfig
        .auth_infos
        .iter()
        .filter_map(|named| named.auth_info.as_ref())
    {
        if user.exec.is_some() {
            return unsupported(
                "runs a program for its credentials (`exec`)",
                "use a service account's token or a client certificate",
            );
        }
        if user.auth_provider.is_some() {
            return unsupported(
                "uses an `auth-provider`",
                "use a service account's token or a client certificate",
            );
        }
        if user.token_file.is_some() {
            return unsupported("reads its token from a file (`tokenFile`)", inline);
        }
        if user.client_certificate.is_some() || user.client_key.is_some() {
            return unsupported(
                "reads its client certificate from files (`client-certificate`, `client-key`)",
                inline,
            );
        }
    }
    for cluster in kubeconfig
        .clusters
        .iter()
        .filter_map(|named| named.cluster.as_ref())
    {
        if cluster.certificate_authority.is_some() {
            return unsupported(
                "reads its certificate authority from a file (`certificate-authority`)",
                inline,
            );
        }
        if cluster.proxy_url.as_ref().is_some_and(|url| !url.is_empty()) {
            return unsupported(
                "goes through a proxy (`proxy-url`)",
                "give an address that we reach directly",
            );
        }
    }
    Ok(())
}

/// Says where it is wrong, without a word of what stands there.
fn explain(error: KubeconfigError) -> ApiError {
    match error {
        KubeconfigError::Parse(error) => match error.location() {
            Some(place) => invalid(&format!(
                "it isn't the YAML of a kubeconfig; see line {}, column {}",
                place.line(),
                place.column()
            )),
            None => invalid("it isn't the YAML of a kubeconfig"),
        },
        KubeconfigError::ParseClusterUrl(_) => invalid("the cluster's `server` is no address"),
        KubeconfigError::LoadCertificateAuthority(_) | KubeconfigError::ParseCertificates(_) => {
            invalid("`certificate-authority-data` isn't a certificate in base64")
        }
        KubeconfigError::LoadClientCertificate(_) => {
            invalid("`client-certificate-data` isn't a certificate in base64")
        }
        KubeconfigError::LoadClientKey(_) => invalid("`client-key-data` isn't a key in base64"),
        _ => invalid("its current context is incomplete"),
    }
}

pub(crate) fn invalid(why: &str) -> ApiError {
    ApiError::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "kubeconfig_invalid",
        format!("the kubeconfig can't be used: {why}"),
    )
}

#[cfg(test)]
#[path = "kubeconfig_fuzz.rs"]
mod fuzz;

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "
apiVersion: v1
kind: Config
current-context: main
contexts:
- name: main
  context: { cluster: one, user: admin }
- name: other
  context: { cluster: two, user: other }
clusters:
- name: one
  cluster: { server: 'https://127.0.0.1:6443', insecure-skip-tls-verify: true }
- name: two
  cluster: { server: 'https://127.0.0.1:7443', certificate-authority: /etc/ca }
users:
- name: admin
  user: { token: s3cret-token }
- name: other
  user: { token: other-token }
";

    async fn refused(text: &str) -> (String, String) {
        let error = read(text).await.expect_err("refused");
        (error.code.into_owned(), error.message)
    }

    #[tokio::test]
    async fn only_the_current_context_is_kept() {
        let target = read(GOOD).await.unwrap();
        assert_eq!(target.server, "https://127.0.0.1:6443");
        assert!(target.minimal.contains("s3cret-token"));
        assert!(!target.minimal.contains("other-token"));
        assert_eq!(read(&target.minimal).await.unwrap().server, target.server);
    }

    #[tokio::test]
    async fn what_runs_programs_or_reads_files_is_refused() {
        for (from, to, word) in [
            (
                "token: s3cret-token",
                "exec: { apiVersion: client.authentication.k8s.io/v1, command: aws }",
                "exec",
            ),
            ("token: s3cret-token", "tokenFile: /token", "tokenFile"),
            (
                "token: s3cret-token",
                "client-certificate: /crt, client-key: /key",
                "client-certificate",
            ),
            (
                "insecure-skip-tls-verify: true",
                "certificate-authority: /etc/passwd",
                "certificate-authority",
            ),
            (
                "insecure-skip-tls-verify: true",
                "proxy-url: 'http://x'",
                "proxy-url",
            ),
        ] {
            let (code, message) = refused(&GOOD.replacen(from, to, 1)).await;
            assert_eq!(code, "kubeconfig_unsupported", "{to}");
            assert!(message.contains(word), "{message}");
        }
    }

    #[tokio::test]
    async fn what_is_wrong_is_told_without_telling_what_stands_there() {
        for (text, word) in [
            ("just text: [s3cret", "line 1"),
            ("", "contexts"),
            ("contexts: {s3cret: 1}", "line 1"),
            (
                &GOOD.replace("current-context: main", "current-context: gone"),
                "isn't there",
            ),
            (
                &GOOD.replace("cluster: one,", "cluster: gone,"),
                "cluster that isn't there",
            ),
            (
                &GOOD.replace("user: admin }", "user: gone }"),
                "user that isn't there",
            ),
            (
                &GOOD.replace("https://127.0.0.1:6443", "ftp://s3cret"),
                "https://",
            ),
            (
                &GOOD.replace(
                    "insecure-skip-tls-verify: true",
                    "certificate-authority-data: '%%s3cret'",
                ),
                "certificate-authority-data",
            ),
        ] {
            let (code, message) = refused(text).await;
            assert_eq!(code, "kubeconfig_invalid", "{text}");
            assert!(message.contains(word), "{message}");
            assert!(!message.contains("s3cret"), "{message}");
        }
    }
}
