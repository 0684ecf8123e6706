//! How connections are made: through which proxy, trusting whom.

use std::path::Path;
use ureq::Proxy;
use ureq::tls::{Certificate, TlsConfig};

/// What is fixed for all exchanges.
/// It does not print: a proxy's address may hold a password.
#[derive(Clone, Default)]
pub(super) struct Settings {
    /// Hosts besides this machine that may be spoken to without TLS
    pub plain_hosts: Vec<String>,
    /// `HTTPS_PROXY` and `NO_PROXY`
    pub proxy: Option<String>,
    /// Hosts that are reached without the proxy, separated by commas
    pub no_proxy: String,
    /// `SSL_CERT_FILE` and `SSL_CERT_DIR`
    pub cert_file: Option<String>,
    /// A folder of certificates
    pub cert_dir: Option<String>,
}

impl Settings {
    /// The proxy for hosts with TLS; those without are this machine, or near.
    pub fn proxy(&self) -> Result<Option<Proxy>, String> {
        let Some(address) = &self.proxy else { return Ok(None) };
        let wrong = |_| "HTTPS_PROXY holds no usable address".to_owned();
        let parsed = Proxy::new(address).map_err(wrong)?;
        let mut proxy = Proxy::builder(parsed.protocol()).host(parsed.host()).port(parsed.port());
        if let Some(user) = parsed.username() {
            proxy = proxy.username(user);
        }
        if let Some(password) = parsed.password() {
            proxy = proxy.password(password);
        }
        for host in self.no_proxy.split(',').map(str::trim).filter(|host| !host.is_empty()) {
            proxy = proxy.no_proxy(host);
        }
        proxy.build().map(Some).map_err(wrong)
    }

    /// The certificates that are trusted: this machine's own.
    pub fn tls(&self) -> Result<TlsConfig, String> {
        let path = |path: &Option<String>| path.clone().filter(|path| Path::new(path).exists());
        let (file, dir) = (path(&self.cert_file), path(&self.cert_dir));
        let loaded = if file.is_none() && dir.is_none() {
            rustls_native_certs::load_native_certs()
        } else {
            let (file, dir) = (file.as_ref().map(Path::new), dir.as_ref().map(Path::new));
            rustls_native_certs::load_certs_from_paths(file, dir)
        };
        if loaded.certs.is_empty() {
            let why = loaded.errors.first().map(ToString::to_string).unwrap_or_default();
            return Err(format!(
                "this machine has no certificates to trust; set SSL_CERT_FILE {why}"
            ));
        }
        let roots = loaded.certs.iter().map(|der| Certificate::from_der(der).to_owned());
        Ok(TlsConfig::builder().root_certs(roots.collect::<Vec<_>>().into()).build())
    }
}
