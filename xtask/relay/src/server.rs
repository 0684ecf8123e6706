//! Listening on loopback, a thread a connection, until dropped.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A listening socket with its connections. Dropping it cuts them all.
pub struct Server {
    address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    stopped: AtomicBool,
    open: Mutex<Vec<TcpStream>>,
}

impl Server {
    /// Listens and gives each connection to `serve` on a thread of its own.
    pub fn start(
        listen: SocketAddr,
        serve: impl Fn(TcpStream) + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(listen)?;
        let address = listener.local_addr()?;
        let state = Arc::new(State::default());
        let (shared, serve) = (Arc::clone(&state), Arc::new(serve));
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if shared.stopped.load(SeqCst) {
                    return;
                }
                let (Ok(own), Ok(())) = (client.try_clone(), client.set_nodelay(true)) else {
                    continue;
                };
                let mut open = lock(&shared.open);
                open.retain(|stream| stream.peer_addr().is_ok());
                open.push(own);
                drop(open);
                let serve = Arc::clone(&serve);
                std::thread::spawn(move || {
                    let closing = client.try_clone();
                    serve(client);
                    if let Ok(client) = closing {
                        // Already closed by the other side: as good.
                        client.shutdown(Shutdown::Both).ok();
                    }
                });
            }
        });
        Ok(Self { address, state })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Cuts all connections; new ones are taken.
    pub fn cut(&self) {
        for stream in lock(&self.state.open).drain(..) {
            stream.shutdown(Shutdown::Both).ok();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.state.stopped.store(true, SeqCst);
        // Wakes the listening thread, which then sees the flag.
        TcpStream::connect(self.address).ok();
        self.cut();
    }
}

/// A lock that does not care whether another thread panicked.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
