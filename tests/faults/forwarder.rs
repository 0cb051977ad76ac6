//! A TCP forwarder that can lose its connections silently.

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

/// Forwards connections to a loopback port. Dropping it closes them all.
pub struct Forwarder {
    port: u16,
    /// Number of losses of all connections, and whether new ones are delayed.
    state: watch::Sender<(u32, bool)>,
    accepting: AbortHandle,
}

impl Forwarder {
    pub async fn start(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = watch::Sender::new((0, false));
        let accepting = tokio::spawn(accept(listener, server, state.subscribe())).abort_handle();
        Self { port, state, accepting }
    }

    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Permanently stops forwarding on all connections without closing them, and delays new ones.
    pub fn lose_connections(&self) {
        self.state.send_modify(|(losses, is_delayed)| (*losses, *is_delayed) = (*losses + 1, true));
    }

    /// Forwards new connections.
    pub fn accept_new(&self) {
        self.state.send_modify(|(_, is_delayed)| *is_delayed = false);
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, server: u16, state: watch::Receiver<(u32, bool)>) {
    // Dropping the set closes every connection.
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        connections.spawn(forward(client, server, state.clone()));
    }
}

async fn forward(mut client: TcpStream, server: u16, mut state: watch::Receiver<(u32, bool)>) {
    let Ok((losses, _)) = state.wait_for(|(_, is_delayed)| !is_delayed).await.map(|state| *state) else { return };
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", server)).await else { return };
    let lost = async {
        // The sender outlives this task.
        let _ = state.wait_for(|(now, _)| *now != losses).await;
    };
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => {}
        // The connections stay open.
        () = lost => std::future::pending().await,
    }
}
