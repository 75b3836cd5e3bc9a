//! An archive in S3, or in what speaks like it.

use std::{fmt, fs, net::IpAddr, os::unix::fs::PermissionsExt, path::Path, sync::Arc, time::Duration};

use object_store::{ClientOptions, RetryConfig, aws::AmazonS3Builder, prefix::PrefixStore};

use crate::archive::{Archive, error::ArchiveError, shard::Sharding};

/// Where the bucket is.
#[derive(Clone, Debug)]
pub struct S3Config {
    /// Name of the bucket.
    pub bucket: String,
    /// Its region; `us-east-1` where the service has none.
    pub region: String,
    /// Address of a service other than Amazon's.
    pub endpoint: Option<String>,
    /// Put before every object's name.
    pub prefix: String,
    /// Allow an endpoint without TLS. Requests are signed, not secret.
    pub allow_http: bool,
    /// Who asks.
    pub credentials: S3Credentials,
}

/// A key for a bucket. It comes from the environment or a file, never from arguments, which other users of the machine see.
#[derive(Clone)]
pub struct S3Credentials {
    key_id: String,
    secret: String,
    token: Option<String>,
}

impl fmt::Debug for S3Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Credentials").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

impl S3Config {
    /// A bucket whose service, region and credentials the environment names, in the words that other programs use:
    /// `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL` (none: Amazon's), `AWS_REGION` or `AWS_DEFAULT_REGION` (none:
    /// `us-east-1`), `AWS_ALLOW_HTTP=true` for a service of another machine without TLS, and [`S3Credentials`] from the file
    /// that `CHLOM_ARCHIVE_CREDENTIALS` names, or else from the environment.
    ///
    /// # Errors
    /// [`ArchiveError::Config`] names what is missing.
    pub fn from_environment(bucket: &str, prefix: &str) -> Result<Self, ArchiveError> {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let first = |names: [&str; 2]| names.into_iter().find_map(set);
        let endpoint = first(["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]);
        let allowed = set("AWS_ALLOW_HTTP").is_some_and(|value| value == "true" || value == "1");
        let credentials = match set("CHLOM_ARCHIVE_CREDENTIALS") {
            Some(file) => S3Credentials::from_file(file.as_ref())?,
            None => S3Credentials::from_environment()?,
        };
        Ok(Self {
            bucket: bucket.into(),
            region: first(["AWS_REGION", "AWS_DEFAULT_REGION"]).unwrap_or_else(|| "us-east-1".into()),
            allow_http: allowed || endpoint.as_deref().is_some_and(is_of_this_machine),
            endpoint,
            prefix: prefix.into(),
            credentials,
        })
    }
}

/// Whether an address without TLS does not leave this machine.
fn is_of_this_machine(endpoint: &str) -> bool {
    let Some(rest) = endpoint.strip_prefix("http://") else { return false };
    let authority = rest.split('/').next().unwrap_or(rest);
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or(v6),
        None => authority.split(':').next().unwrap_or(authority),
    };
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

const KEY_ID: &str = "AWS_ACCESS_KEY_ID";
const SECRET: &str = "AWS_SECRET_ACCESS_KEY";
const TOKEN: &str = "AWS_SESSION_TOKEN";

impl S3Credentials {
    /// From `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and, where there is one, `AWS_SESSION_TOKEN`.
    ///
    /// # Errors
    /// [`ArchiveError::Config`] names the variable that is missing.
    pub fn from_environment() -> Result<Self, ArchiveError> {
        Self::from_variables("the environment", |name| std::env::var(name).ok())
    }

    /// From a file of lines `NAME=VALUE` with the same names, which only its owner may read (mode 0600).
    ///
    /// # Errors
    /// [`ArchiveError::Config`].
    pub fn from_file(path: &Path) -> Result<Self, ArchiveError> {
        let shown = path.display().to_string();
        let failed = |cause: std::io::Error| config(format!("cannot read {shown}: {cause}"));
        let mode = fs::metadata(path).map_err(failed)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(config(format!("{shown} has mode {mode:o} and others may read it; chmod 600 it")));
        }
        let text = fs::read_to_string(path).map_err(failed)?;
        let value = |name: &str| {
            let mut lines = text.lines().filter_map(|line| line.split_once('='));
            lines.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_string())
        };
        Self::from_variables(&shown, value)
    }

    fn from_variables(place: &str, value: impl Fn(&str) -> Option<String>) -> Result<Self, ArchiveError> {
        let set = |name| value(name).filter(|value| !value.is_empty());
        let need = |name| set(name).ok_or_else(|| config(format!("{place} does not set {name}")));
        Ok(Self { key_id: need(KEY_ID)?, secret: need(SECRET)?, token: set(TOKEN) })
    }
}

fn config(what: String) -> ArchiveError {
    ArchiveError::Config { what }
}

impl Archive {
    /// In a bucket, which must exist. Requests are tried again for 20 seconds, then fail.
    ///
    /// # Errors
    /// [`ArchiveError::Config`]. Nothing is sent yet.
    pub fn s3(s3: &S3Config, sharding: Sharding) -> Result<Self, ArchiveError> {
        // Of the process; whoever installed one before keeps it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = ClientOptions::new()
            .with_timeout(Duration::from_secs(30))
            .with_connect_timeout(Duration::from_secs(5))
            .with_allow_http(s3.allow_http);
        let retry =
            RetryConfig { max_retries: 6, retry_timeout: Duration::from_secs(20), ..RetryConfig::default() };
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&s3.bucket)
            .with_region(&s3.region)
            .with_access_key_id(&s3.credentials.key_id)
            .with_secret_access_key(&s3.credentials.secret)
            .with_client_options(client)
            .with_retry(retry);
        if let Some(token) = &s3.credentials.token {
            builder = builder.with_token(token);
        }
        if let Some(endpoint) = &s3.endpoint {
            if endpoint.starts_with("http:") && !s3.allow_http {
                return Err(config(format!(
                    "{endpoint} is without TLS; use https, or set AWS_ALLOW_HTTP=true"
                )));
            }
            builder = builder.with_endpoint(endpoint);
        }
        let bucket = builder.build().map_err(|error| config(error.to_string()))?;
        Ok(Self::new(Arc::new(PrefixStore::new(bucket, s3.prefix.as_str())), sharding))
    }
}

#[cfg(test)]
mod tests {
    use super::is_of_this_machine;

    #[test]
    fn only_loopback_addresses_are_of_this_machine() {
        for endpoint in
            ["http://127.0.0.1:9000", "http://localhost", "http://[::1]:9000/x", "http://127.9.9.9"]
        {
            assert!(is_of_this_machine(endpoint), "{endpoint}");
        }
        for endpoint in
            ["http://10.0.0.1", "http://localhost.example", "http://127.0.0.1.example", "https://x"]
        {
            assert!(!is_of_this_machine(endpoint), "{endpoint}");
        }
        assert!(!is_of_this_machine("http://127.0.0.1@example.com"), "a user's name is no host");
    }
}
