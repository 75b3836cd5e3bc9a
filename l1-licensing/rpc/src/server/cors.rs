//! Which web pages may read answers.

use hyper::{
    HeaderMap,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, HeaderName, HeaderValue, ORIGIN, VARY,
    },
};

const REQUEST_PRIVATE: HeaderName = HeaderName::from_static("access-control-request-private-network");
const ALLOW_PRIVATE: HeaderName = HeaderName::from_static("access-control-allow-private-network");

/// Which web pages may use this endpoint from a browser. Programs that are no browsers are not affected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Cors {
    /// None.
    #[default]
    Nobody,
    /// All.
    Anybody,
    /// Those of these origins, as `https://app.example:8080`.
    Origins(Vec<String>),
}

impl Cors {
    /// True where a page of this origin may use the endpoint.
    fn allows(&self, origin: &HeaderValue) -> bool {
        match self {
            Self::Nobody => false,
            Self::Anybody => true,
            Self::Origins(list) => list.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes()),
        }
    }

    /// True where a WebSocket may be opened: browsers do not enforce CORS on them, so the server must.
    pub(super) fn allows_socket(&self, request: &HeaderMap) -> bool {
        request.get(ORIGIN).is_none_or(|origin| self.allows(origin))
    }

    /// Adds what a browser needs to see to hand an answer to its page.
    pub(super) fn annotate(&self, request: &HeaderMap, response: &mut HeaderMap) {
        let Some(origin) = request.get(ORIGIN) else { return };
        if !self.allows(origin) {
            return;
        }
        if *self == Self::Anybody {
            response.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        } else {
            response.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            response.insert(VARY, HeaderValue::from_static("origin"));
        }
    }

    /// Adds the answer to a preflight request.
    pub(super) fn preflight(&self, request: &HeaderMap, response: &mut HeaderMap) {
        self.annotate(request, response);
        if !response.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
            return;
        }
        let headers = request.get(ACCESS_CONTROL_REQUEST_HEADERS).cloned();
        let headers = headers.unwrap_or(HeaderValue::from_static("content-type"));
        response.insert(ACCESS_CONTROL_ALLOW_HEADERS, headers);
        response.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST, GET, OPTIONS"));
        response.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        if request.contains_key(REQUEST_PRIVATE) {
            response.insert(ALLOW_PRIVATE, HeaderValue::from_static("true"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(origin: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(ORIGIN, HeaderValue::from_static(origin))])
    }

    fn allowed(cors: &Cors, request: &HeaderMap) -> Option<String> {
        let mut response = HeaderMap::new();
        cors.preflight(request, &mut response);
        response.get(ACCESS_CONTROL_ALLOW_ORIGIN).map(|value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn only_listed_origins_are_let_in() {
        let listed = Cors::Origins(vec!["https://a.example".into()]);
        assert_eq!(allowed(&listed, &from("https://a.example")).as_deref(), Some("https://a.example"));
        assert_eq!(allowed(&listed, &from("https://b.example")), None);
        assert_eq!(allowed(&Cors::Nobody, &from("https://a.example")), None);
        assert_eq!(allowed(&Cors::Anybody, &from("https://a.example")).as_deref(), Some("*"));
        assert_eq!(allowed(&Cors::Anybody, &HeaderMap::new()), None);
    }

    #[test]
    fn sockets_of_foreign_pages_are_refused_and_programs_are_not() {
        let listed = Cors::Origins(vec!["https://a.example".into()]);
        assert!(listed.allows_socket(&HeaderMap::new()));
        assert!(listed.allows_socket(&from("https://a.example")));
        assert!(!listed.allows_socket(&from("https://b.example")));
    }
}
