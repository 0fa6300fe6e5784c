//! Swagger UI and the document, served from the binary: no request leaves for another host. Every page is made when it is
//! first asked for, kept compressed, and carries an `ETag` and a strict Content-Security-Policy.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::sync::OnceLock;

use bytes::Bytes;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use poem::http::{StatusCode, header};
use poem::{Request, Response};
use sha2::{Digest, Sha256};

use super::caller::EXTERNAL;
use super::document::Document;

/// Swagger UI as its package brings it, compressed: `docs/README.md` says which.
const SCRIPT: &[u8] = include_bytes!("docs/swagger-ui-bundle.js.gz");
const STYLE: &[u8] = include_bytes!("docs/swagger-ui.css.gz");

/// Scripts from here only, no inline ones; Swagger UI sets styles on elements, so those may be inline.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    font-src data:; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";

/// The sample agent whose key Swagger UI opens with.
#[derive(Clone, Debug)]
pub struct Demo {
    /// The agent's name.
    pub name: String,
    /// The agent's published key.
    pub key: String,
}

/// A page that is made once.
pub struct Page {
    content_type: &'static str,
    make: Box<dyn Fn() -> Made + Send + Sync>,
    made: OnceLock<Made>,
}

/// A page as it is kept: compressed, since nearly every client takes it so, and as it is from when one does not on, so
/// that nobody can keep us busy with unpacking.
struct Made {
    gzip: Bytes,
    plain: OnceLock<Bytes>,
    etag: String,
}

/// Every page, by path.
pub fn pages(document: &'static Document, demo: Option<Demo>) -> Vec<(&'static str, Page)> {
    let banner = demo.as_ref().map(|demo| {
        format!(
            "<p id=\"demo\">This is a sample desk. You are authorised as <b>{}</b>: try any operation of the External API.</p>",
            demo.name.replace('&', "&amp;").replace('<', "&lt;")
        )
    });
    let banner = banner.unwrap_or_default();
    vec![
        ("/docs", Page::new("text/html; charset=utf-8", move || index(&banner).into_bytes())),
        (
            "/docs/start.js",
            Page::new("text/javascript; charset=utf-8", move || start(demo.as_ref()).into_bytes()),
        ),
        ("/docs/swagger-ui.js", Page::packed("text/javascript; charset=utf-8", SCRIPT)),
        ("/docs/swagger-ui.css", Page::packed("text/css; charset=utf-8", STYLE)),
        ("/openapi.json", Page::new("application/json", || document.json().into_bytes())),
        ("/openapi.yaml", Page::new("application/yaml", || document.yaml().into_bytes())),
    ]
}

impl Page {
    fn new(content_type: &'static str, make: impl Fn() -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self { content_type, make: Box::new(move || Made::new(&make())), made: OnceLock::new() }
    }

    /// A page that is compressed already.
    fn packed(content_type: &'static str, gzip: &'static [u8]) -> Self {
        let make = move || Made { gzip: gzip.into(), plain: OnceLock::new(), etag: etag(gzip) };
        Self { content_type, make: Box::new(make), made: OnceLock::new() }
    }

    /// The page, or 304 if the client has it.
    pub fn answer(&self, request: &Request) -> Response {
        let made = self.made.get_or_init(|| (self.make)());
        let builder = Response::builder()
            .header(header::ETAG, &made.etag)
            .header(header::CACHE_CONTROL, "no-cache")
            .header(header::VARY, "accept-encoding")
            .header(header::CONTENT_SECURITY_POLICY, POLICY);
        let known = request.header(header::IF_NONE_MATCH).unwrap_or_default();
        if known.split(',').any(|tag| tag.trim().trim_start_matches("W/") == made.etag) {
            return builder.status(StatusCode::NOT_MODIFIED).finish();
        }
        let builder = builder.content_type(self.content_type);
        if takes_gzip(request.header(header::ACCEPT_ENCODING).unwrap_or_default()) {
            return builder.header(header::CONTENT_ENCODING, "gzip").body(made.gzip.clone());
        }
        builder.body(made.plain.get_or_init(|| made.unpack()).clone())
    }
}

fn etag(content: &[u8]) -> String {
    let mut etag = String::from("\"");
    for byte in &Sha256::digest(content)[..8] {
        // Writing to a String cannot fail.
        let _ = write!(etag, "{byte:02x}");
    }
    etag.push('"');
    etag
}

impl Made {
    fn new(content: &[u8]) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        let gzip = encoder.write_all(content).and_then(|()| encoder.finish()).unwrap_or_default();
        Self { gzip: gzip.into(), plain: OnceLock::new(), etag: etag(content) }
    }

    fn unpack(&self) -> Bytes {
        let mut plain = Vec::new();
        // Reading from memory what was written to memory cannot fail.
        let _ = GzDecoder::new(&self.gzip[..]).read_to_end(&mut plain);
        plain.into()
    }
}

fn takes_gzip(accept: &str) -> bool {
    accept.split(',').any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        parts.next() == Some("gzip")
            && !parts.any(|q| matches!(q.strip_prefix("q="), Some("0" | "0.0" | "0.00" | "0.000")))
    })
}

fn index(banner: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>Lodge API</title>\n\
         <link rel=\"icon\" href=\"data:,\">\n<link rel=\"stylesheet\" href=\"/docs/swagger-ui.css\">\n\
         <style>#demo {{ margin: 0; padding: .75em 1.5em; background: #fff3cd; font-family: sans-serif }}</style>\n\
         </head>\n<body>\n{banner}\n<div id=\"ui\"></div>\n<script src=\"/docs/swagger-ui.js\"></script>\n\
         <script src=\"/docs/start.js\"></script>\n</body>\n</html>\n"
    )
}

fn start(demo: Option<&Demo>) -> String {
    let authorise = demo.map(|demo| {
        // JSON strings are JavaScript strings.
        format!(
            "  onComplete: () => ui.preauthorizeApiKey({}, {}),\n",
            serde_json::json!(EXTERNAL),
            serde_json::json!(demo.key)
        )
    });
    format!(
        "const ui = SwaggerUIBundle({{\n  dom_id: \"#ui\",\n  url: \"/openapi.json\",\n  validatorUrl: null,\n  \
         deepLinking: true,\n  filter: true,\n  persistAuthorization: {},\n  displayRequestDuration: true,\n  \
         tryItOutEnabled: true,\n{}}});\n",
        // On a sample there is nothing to persist: each visit starts authorised anew.
        demo.is_none(),
        authorise.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_swagger_ui() {
        let unpacked = |gzip| String::from_utf8((Page::packed("", gzip).make)().unpack().into()).unwrap();
        assert!(unpacked(SCRIPT).contains("SwaggerUIBundle"));
        assert!(unpacked(STYLE).contains(".swagger-ui"));
    }

    #[test]
    fn gzip_is_sent_to_who_takes_it() {
        assert!(takes_gzip("br, gzip;q=0.5"));
        assert!(!takes_gzip("gzip;q=0"));
        assert!(!takes_gzip("identity"));
    }
}
