//! An answer that stands fixed.

/// A status with headers and a body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Canned {
    /// The status
    pub status: u16,
    /// Headers; `Content-Length` comes by itself where none is given
    pub headers: Vec<(String, String)>,
    /// The body
    pub body: Vec<u8>,
}

impl Canned {
    /// A status without a body.
    pub fn status(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// A JSON body.
    pub fn json(status: u16, body: impl Into<String>) -> Self {
        Self::status(status).header("Content-Type", "application/json").body(body.into())
    }

    /// A page of HTML, as proxies and hotels give it.
    pub fn html(status: u16) -> Self {
        let page = format!("<!DOCTYPE html><html><h1>{status}</h1></html>");
        Self::status(status).header("Content-Type", "text/html; charset=utf-8").body(page)
    }

    /// The OCI error body with one code.
    pub fn error(status: u16, code: &str) -> Self {
        let message = code.to_ascii_lowercase().replace('_', " ");
        Self::json(status, format!(r#"{{"errors":[{{"code":"{code}","message":"{message}"}}]}}"#))
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Its bytes on the wire, as the answer to a method.
    pub(crate) fn to_bytes(&self, method: &str) -> Vec<u8> {
        let mut text = format!("HTTP/1.1 {} Status\r\n", self.status);
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        let own = self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        if !own && self.status != 204 {
            text.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        text.push_str("\r\n");
        let mut bytes = text.into_bytes();
        if method != "HEAD" {
            bytes.extend_from_slice(&self.body);
        }
        bytes
    }
}
