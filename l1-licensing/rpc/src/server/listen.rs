//! Accepts connections, keeps house, and ends in order.

use std::{sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{Semaphore, broadcast::error::RecvError},
    time::{MissedTickBehavior, interval, sleep, timeout},
};

use crate::{
    error::RpcError,
    server::{Phase, Server, Shared, connection},
};

/// Time that requests in progress are given when the server ends.
const GRACE: Duration = Duration::from_secs(5);
/// Time that connections are then given to notice.
const NOTICE: Duration = Duration::from_secs(1);
/// Connections beyond the cap that are told so at once; more are dropped without a word.
const TOLD: usize = 64;
/// How long one of those is listened to, so that it reads its answer before the connection goes away.
const LINGER: Duration = Duration::from_secs(1);
/// Pause after a failed accept: usually the process is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How often expired filters are dropped.
const SWEEP: Duration = Duration::from_secs(10);

impl Server {
    /// Serves until `shutdown` resolves, then finishes the requests in progress, for five seconds at most.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) {
        let keeper = tokio::spawn(keep_house(self.shared.clone()));
        tokio::select! {
            () = self.accept_all() => {}
            () = shutdown => {}
        }
        drop(self.listener);
        self.phase.send_replace(Phase::Closing);
        let all = u32::try_from(self.shared.service.context.limits.connections.max(1)).unwrap_or(u32::MAX);
        if timeout(GRACE, self.slots.acquire_many(all)).await.is_err() {
            tracing::warn!("requests were still in progress after {} s; they are cut off", GRACE.as_secs());
            self.phase.send_replace(Phase::Closed);
            let _ = timeout(NOTICE, self.slots.acquire_many(all)).await;
        }
        keeper.abort();
    }

    async fn accept_all(&self) {
        let told = Arc::new(Semaphore::new(TOLD));
        loop {
            let stream = match self.listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    self.shared.service.metrics.refused("accept");
                    sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            // Answers are written whole; Nagle's algorithm would only delay them.
            let _ = stream.set_nodelay(true);
            match self.slots.clone().try_acquire_owned() {
                Ok(slot) => {
                    let connection = connection::Connection::new(self.shared.clone(), slot);
                    tokio::spawn(connection::serve(stream, connection));
                }
                Err(_) => self.turn_away(stream, &told),
            }
        }
    }

    fn turn_away(&self, stream: TcpStream, told: &Arc<Semaphore>) {
        self.shared.service.metrics.refused("connections");
        let Ok(slot) = told.clone().try_acquire_owned() else { return };
        let most = self.shared.service.context.limits.connections;
        tokio::spawn(async move {
            let _ = timeout(LINGER, explain(stream, most)).await;
            drop(slot);
        });
    }
}

/// Tells a connection beyond the cap why it is not served.
async fn explain(mut stream: TcpStream, most: usize) -> std::io::Result<()> {
    let error = RpcError::limit(format!("too many connections: the limit is {most}; try again later"));
    let body = crate::dispatch::output::refusal(error).concat();
    let head = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         connection: close\r\nretry-after: 1\r\n\r\n",
        body.len()
    );
    stream.write_all(&[head.as_bytes(), &body].concat()).await?;
    stream.shutdown().await?;
    // Closing with unread input would reset the connection, and the answer with it.
    let mut ignored = [0; 4096];
    while stream.read(&mut ignored).await? > 0 {}
    Ok(())
}

/// Feeds the ring of pending transactions and drops what expired.
async fn keep_house(shared: Arc<Shared>) {
    let service = &shared.service;
    let mut pending = service.context.pending.subscribe();
    let mut sweep = interval(SWEEP);
    sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            received = pending.recv() => match received {
                Ok(tx) => service.filters.pending.push(tx.hash()),
                Err(RecvError::Lagged(missed)) => service.filters.pending.lose(missed),
                Err(RecvError::Closed) => return,
            },
            _ = sweep.tick() => {
                service.filters.expire();
                service.metrics.filters.set(i64::try_from(service.filters.count()).unwrap_or(i64::MAX));
                tracing::trace!(memory = shared.service.budget.used(), "swept filters");
            }
        }
    }
}
