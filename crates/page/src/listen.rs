//! A server of the page alone, for whoever has no other: few connections, no bodies, nothing but the page. Upholds [PAG-8].

use std::{
    convert::Infallible,
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use axum::body::Body;
use hyper::{
    Request, Response, StatusCode, body::Incoming, header::HeaderValue, header::LOCATION,
    server::conn::http1, service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{sync::Semaphore, time::sleep};

use crate::Site;

/// Connections at a time; more are closed at once.
const CONNECTIONS: usize = 64;
/// Time for a request's head to arrive, from the end of the one before.
const HEAD_TIME: Duration = Duration::from_secs(30);
/// Bytes of a request's head.
const HEAD_BYTES: usize = 16 * 1024;
/// Time in which a connection must have ended, whatever it does: a page asks again.
const LIFE: Duration = Duration::from_secs(600);
/// Pause after a failed accept: usually the process is out of file descriptors.
const PAUSE: Duration = Duration::from_millis(50);

/// A listening endpoint.
#[derive(Debug)]
pub struct Listener {
    listener: TcpListener,
    addr: SocketAddr,
}

impl Listener {
    /// Listens on `addr` (port 0 picks a free one); connections wait until [`Listener::serve`] runs.
    ///
    /// # Errors
    /// The system's.
    pub fn bind(addr: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(addr)?;
        listener.set_nonblocking(true)?;
        let addr = listener.local_addr()?;
        Ok(Self { listener, addr })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.addr
    }

    /// Answers until it is dropped.
    ///
    /// # Errors
    /// When the runtime cannot watch the listening socket.
    pub async fn serve(self, site: Site) -> io::Result<Infallible> {
        let listener = tokio::net::TcpListener::from_std(self.listener)?;
        let slots = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection to the page could not be accepted");
                    sleep(PAUSE).await;
                    continue;
                }
            };
            let Ok(slot) = slots.clone().try_acquire_owned() else { continue };
            let site = site.clone();
            tokio::spawn(async move {
                let requests = service_fn(|request| {
                    let response = handle(&site, &request);
                    async move { Ok::<_, Infallible>(response) }
                });
                let mut builder = http1::Builder::new();
                builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_buf_size(HEAD_BYTES);
                let served = builder.serve_connection(TokioIo::new(stream), requests);
                // An error here is the peer's: it left, or it does not speak HTTP.
                let _ended = tokio::time::timeout(LIFE, served).await;
                drop(slot);
            });
        }
    }
}

/// Nothing but the page is here: whoever comes to the root is sent there.
fn handle(site: &Site, request: &Request<Incoming>) -> Response<Body> {
    if let Some(response) = site.answer(request.method(), request.uri().path(), request.headers()) {
        return response.map(Body::from);
    }
    let mut response = Response::new(Body::from("the page is at /page\n"));
    *response.status_mut() = StatusCode::NOT_FOUND;
    if request.uri().path() == "/" {
        *response.status_mut() = StatusCode::SEE_OTHER;
        response.headers_mut().insert(LOCATION, HeaderValue::from_static("/page"));
    }
    response
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::TcpStream,
    };

    use super::*;
    use crate::Board;

    fn started() -> SocketAddr {
        let listener = Listener::bind(([127, 0, 0, 1], 0).into()).unwrap();
        let addr = listener.local_addr();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let _ended = runtime.block_on(listener.serve(Site::new(Board::new())));
        });
        addr
    }

    fn ask(addr: SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(addr).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut text = String::new();
        let _reset = stream.read_to_string(&mut text);
        text
    }

    #[test]
    fn pag_8_nothing_but_the_page_is_served() {
        let addr = started();
        let get = |path: &str| {
            ask(addr, &format!("GET {path} HTTP/1.1\r\nhost: {addr}\r\nconnection: close\r\n\r\n"))
        };
        assert!(get("/page").starts_with("HTTP/1.1 200") && get("/page").contains("<!doctype html>"));
        assert!(get("/").starts_with("HTTP/1.1 303") && get("/").contains("location: /page"));
        assert!(get("/v1/receipts").starts_with("HTTP/1.1 404"));
        let head = ask(addr, &format!("HEAD /page HTTP/1.1\r\nhost: {addr}\r\nconnection: close\r\n\r\n"));
        assert!(head.starts_with("HTTP/1.1 200") && !head.contains("<!doctype"), "{head}");
        let foreign = ask(addr, "GET /page HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n");
        assert!(foreign.starts_with("HTTP/1.1 421"), "{foreign}");
    }

    #[test]
    fn pag_8_long_heads_and_floods_cost_nobody_else_the_page() {
        let addr = started();
        let long = format!("GET /page?{} HTTP/1.1\r\nhost: {addr}\r\n\r\n", "x".repeat(100_000));
        let refused = ask(addr, &long);
        assert!(refused.is_empty() || refused.starts_with("HTTP/1.1 4"), "{refused}");
        let idle: Vec<TcpStream> = (0..CONNECTIONS + 20).map(|_| TcpStream::connect(addr).unwrap()).collect();
        let mut over = idle.last().unwrap().try_clone().unwrap();
        assert_eq!(over.read(&mut [0]).unwrap_or(0), 0, "one too many is closed");
        drop((idle, over));
        let begun = std::time::Instant::now();
        while !ask(addr, &format!("GET /page HTTP/1.1\r\nhost: {addr}\r\nconnection: close\r\n\r\n"))
            .starts_with("HTTP/1.1 200")
        {
            assert!(begun.elapsed() < Duration::from_secs(60), "the page comes back");
        }
    }
}
