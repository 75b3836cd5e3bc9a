//! From a request to the page's files and state.
//!
//! Upholds [PAG-1], [PAG-2], [PAG-4]: only what is here is loaded, nothing here is readable to the script of another site, and a name
//! that somebody points at this machine is not answered.

use std::{
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
};

use bytes::Bytes;
use hyper::{
    HeaderMap, Method, Response, StatusCode,
    header::{
        ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HOST, HeaderName, HeaderValue,
        IF_NONE_MATCH, REFERRER_POLICY, RETRY_AFTER, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
    },
};

use crate::Board;

const HTML: &str = "text/html; charset=utf-8";
const JSON: &str = "application/json";
const PAGE: &str = include_str!("../assets/page.html");
const STYLE: &str = include_str!("../assets/page.css");
const ICON: &str = include_str!("../assets/icon.svg");
const SCRIPTS: [(&str, &str); 5] = [
    ("/page/page.js", include_str!("../assets/page.js")),
    ("/page/chain.js", include_str!("../assets/chain.js")),
    ("/page/operator.js", include_str!("../assets/operator.js")),
    ("/page/dom.js", include_str!("../assets/dom.js")),
    ("/page/format.js", include_str!("../assets/format.js")),
];
/// Only this page's own files, and no text is ever taken for markup or code.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/// A page, by its state.
#[derive(Clone)]
pub struct Site {
    board: Arc<Board>,
}

impl Site {
    /// The page that shows this board.
    pub fn new(board: Arc<Board>) -> Self {
        Self { board }
    }

    /// Answers a request for the page; `None` for what is no part of it. `/` is a part of it for whoever accepts HTML.
    /// Answers at once.
    pub fn answer(&self, method: &Method, path: &str, headers: &HeaderMap) -> Option<Response<Bytes>> {
        if path != "/page" && !path.starts_with("/page/") && !(path == "/" && wants_html(headers)) {
            return None;
        }
        if !matches!(*method, Method::GET | Method::HEAD) {
            return (path != "/").then(|| said(StatusCode::METHOD_NOT_ALLOWED, "the page is by GET\n"));
        }
        if !is_ours(headers) {
            let why = "the page is only here under an address in figures, as http://127.0.0.1:8545, or localhost: so no web site \
                       can read it by pointing a name of its own at this machine\n";
            return Some(said(StatusCode::MISDIRECTED_REQUEST, why));
        }
        let mut response = match path {
            "/" | "/page" => file(HTML, PAGE),
            "/page/page.css" => file("text/css; charset=utf-8", STYLE),
            "/page/icon.svg" => file("image/svg+xml", ICON),
            "/page/state" => self.state(headers),
            _ => match SCRIPTS.iter().find(|(name, _)| *name == path) {
                Some((_, text)) => file("text/javascript; charset=utf-8", text),
                None => said(StatusCode::NOT_FOUND, "the page has no such file\n"),
            },
        };
        if path == "/" {
            response.headers_mut().insert(VARY, HeaderValue::from_static("accept"));
        }
        Some(response)
    }

    fn state(&self, headers: &HeaderMap) -> Response<Bytes> {
        if is_from_elsewhere(headers) {
            return said(StatusCode::FORBIDDEN, "another site's script asks for this\n");
        }
        let Some(shown) = self.board.latest() else {
            let mut wait = said(StatusCode::ACCEPTED, "the first look is being taken\n");
            wait.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
            return wait;
        };
        let same = headers.get(IF_NONE_MATCH).is_some_and(|tag| tag.as_bytes() == shown.tag.as_bytes());
        let mut response = match same {
            true => with(StatusCode::NOT_MODIFIED, JSON, Bytes::new()),
            false => with(StatusCode::OK, JSON, shown.json),
        };
        if let Ok(tag) = HeaderValue::from_str(&shown.tag) {
            response.headers_mut().insert(ETAG, tag);
        }
        response
    }
}

/// A browser that goes to an address says that it wants HTML; programs do not.
fn wants_html(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|kind| {
        let kind = kind.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("text/html")
    })
}

/// Whether the request names this machine by an address, or as localhost: no name that somebody else may have pointed here.
fn is_ours(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    let Ok(host) = host.to_str() else { return false };
    if let Some(bracketed) = host.strip_prefix('[') {
        let Some((address, rest)) = bracketed.split_once(']') else { return false };
        return address.parse::<Ipv6Addr>().is_ok() && (rest.is_empty() || is_port(rest.strip_prefix(':')));
    }
    let name = match host.split_once(':') {
        Some((name, port)) if is_port(Some(port)) => name,
        Some(_) => return false,
        None => host,
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|address| address.is_ipv4())
}

fn is_port(text: Option<&str>) -> bool {
    text.is_some_and(|text| text.parse::<u16>().is_ok())
}

/// What browsers say of a request that a page of another origin makes.
fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    let site = headers.get(HeaderName::from_static("sec-fetch-site"));
    site.is_some_and(|site| !matches!(site.as_bytes(), b"same-origin" | b"none"))
}

fn file(kind: &'static str, text: &'static str) -> Response<Bytes> {
    with(StatusCode::OK, kind, Bytes::from_static(text.as_bytes()))
}

fn said(status: StatusCode, text: &'static str) -> Response<Bytes> {
    with(status, "text/plain; charset=utf-8", Bytes::from_static(text.as_bytes()))
}

fn with(status: StatusCode, kind: &'static str, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_TYPE, kind),
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    fn ask(path: &str, pairs: &[(&'static str, &'static str)]) -> Option<Response<Bytes>> {
        let mut headers = headers(pairs);
        headers.entry(HOST).or_insert(HeaderValue::from_static("127.0.0.1:8545"));
        Site::new(Board::new()).answer(&Method::GET, path, &headers)
    }

    const BROWSER: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");

    #[test]
    fn pag_1_browsers_get_the_page_at_the_root_and_programs_what_they_got_before() {
        let page = ask("/", &[BROWSER]).unwrap();
        assert_eq!(
            (page.status(), page.headers()[CONTENT_TYPE].as_bytes()),
            (StatusCode::OK, HTML.as_bytes())
        );
        assert_eq!(page.headers()[VARY], "accept");
        assert!(ask("/", &[("accept", "*/*")]).is_none());
        assert!(ask("/", &[]).is_none());
        for path in ["/health", "/metrics", "/pages", "/ws"] {
            assert!(ask(path, &[BROWSER]).is_none(), "{path}");
        }
        assert_eq!(ask("/page", &[]).unwrap().status(), StatusCode::OK);
        assert_eq!(ask("/page/none", &[]).unwrap().status(), StatusCode::NOT_FOUND);
        assert_eq!(ask("/page/../page.js", &[]).unwrap().status(), StatusCode::NOT_FOUND);
        let post = |path| Site::new(Board::new()).answer(&Method::POST, path, &headers(&[BROWSER]));
        assert!(post("/").is_none(), "JSON-RPC is none of the page's business");
        assert_eq!(post("/page/state").unwrap().status(), StatusCode::METHOD_NOT_ALLOWED);
    }

    #[test]
    fn pag_2_everything_that_is_served_allows_only_the_pages_own_files() {
        let files = ["/page", "/page/page.css", "/page/icon.svg", "/page/state", "/page/none"];
        for path in files.into_iter().chain(SCRIPTS.map(|(path, _)| path)) {
            let response = ask(path, &[]).unwrap();
            let policy = response.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap();
            for part in [
                "default-src 'none'",
                "script-src 'self'",
                "frame-ancestors 'none'",
                "require-trusted-types-for 'script'",
            ] {
                assert!(policy.contains(part), "{path}: {policy}");
            }
            assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
            assert_eq!(response.headers()[X_CONTENT_TYPE_OPTIONS], "nosniff");
            assert_eq!(response.headers()["cross-origin-resource-policy"], "same-origin");
        }
        for text in [PAGE, STYLE, ICON].into_iter().chain(SCRIPTS.map(|(_, text)| text)) {
            let elsewhere = text.replace("http://www.w3.org/2000/svg", "");
            for mark in [
                "http://",
                "https://",
                "src=\"//",
                "url(",
                "innerHTML",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
            ] {
                assert!(!elsewhere.contains(mark), "{mark}");
            }
        }
        assert!(
            !PAGE.contains("<style") && !PAGE.contains("style=") && !PAGE.contains("onclick"),
            "the policy forbids it"
        );
    }

    #[test]
    fn pag_4_names_that_somebody_may_have_pointed_here_are_not_answered() {
        for host in [
            "127.0.0.1:8545",
            "127.0.0.1",
            "localhost:1",
            "LOCALHOST",
            "[::1]:8545",
            "[::1]",
            "192.168.1.7:80",
        ] {
            assert!(is_ours(&HeaderMap::from_iter([(HOST, HeaderValue::from_str(host).unwrap())])), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:8545",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "127.0.0.1:evil",
            "::1",
            "[::1",
            "[::1]x",
            "[evil.example]",
            "localhost:",
            "",
            "127.0.0.1:80:80",
            "0x7f.1",
            "user@127.0.0.1",
        ] {
            assert!(
                !is_ours(&HeaderMap::from_iter([(HOST, HeaderValue::from_str(host).unwrap())])),
                "{host}"
            );
        }
        assert!(!is_ours(&HeaderMap::new()), "no host at all");
        let mut two = headers(&[("host", "localhost")]);
        two.append(HOST, HeaderValue::from_static("evil.example"));
        assert!(!is_ours(&two));
        let refused = Site::new(Board::new()).answer(
            &Method::GET,
            "/page/state",
            &headers(&[("host", "evil.example")]),
        );
        assert_eq!(refused.unwrap().status(), StatusCode::MISDIRECTED_REQUEST);
    }

    #[test]
    fn pag_4_the_state_is_not_for_scripts_of_other_sites() {
        for site in ["cross-site", "same-site", "anything"] {
            assert_eq!(
                ask("/page/state", &[("sec-fetch-site", site)]).unwrap().status(),
                StatusCode::FORBIDDEN,
                "{site}"
            );
        }
        for site in ["same-origin", "none"] {
            let waiting = ask("/page/state", &[("sec-fetch-site", site)]).unwrap();
            assert_eq!(waiting.status(), StatusCode::ACCEPTED, "{site}: no board was started");
        }
    }
}
