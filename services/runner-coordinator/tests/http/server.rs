//! A server on a port of its own, and a client for it.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use runner_coordinator::{
    api::App,
    job::Rules,
    log::{Level, Log},
    server,
    store::Store,
};
use serde_json::Value;
use tokio::{net::TcpListener, runtime::Runtime, sync::oneshot};

/// A running server: token `sesame`, leases of 100 ms, and time stands still unless advanced.
pub struct Server {
    address: SocketAddr,
    folder: PathBuf,
    token: Option<String>,
    time: Arc<AtomicI64>,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Server {
    pub fn start() -> Self {
        Self::start_with(Some("sesame"))
    }

    pub fn start_with(token: Option<&str>) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name =
            format!("coordinator-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let mut server = Self {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            folder,
            token: token.map(str::to_owned),
            time: Arc::default(),
            running: None,
        };
        server.run();
        server
    }

    /// Stops it and starts it again on what is on the disk.
    pub fn restart(&mut self) {
        self.stop();
        self.run();
    }

    pub fn stop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            let _ = stop.send(());
            thread.join().unwrap();
        }
    }

    /// Moves its clock.
    pub fn advance(&self, millis: i64) {
        self.time.fetch_add(millis, Ordering::SeqCst);
    }

    pub fn get(&self, path: &str) -> (u16, Value) {
        self.ask("GET", path, "", "")
    }

    pub fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let headers = "Authorization: Bearer sesame\r\nContent-Type: application/json\r\n";
        self.ask("POST", path, headers, &body.to_string())
    }

    pub fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> (u16, Value) {
        let mut stream = self.connect();
        let length = body.len();
        // It may answer, and hang up, before it has read everything.
        let _ = write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        );
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, if body.is_empty() { Value::Null } else { serde_json::from_str(body).unwrap() })
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream
    }

    fn run(&mut self) {
        let store = Store::open(&self.folder.join("db")).unwrap();
        let rules = Rules { lease: Duration::from_millis(100), max_attempts: 2 };
        let time = self.time.clone();
        let clock = Arc::new(move || time.load(Ordering::SeqCst));
        let app = App::new(store, rules, self.token.clone(), clock, Log { level: Level::Error });
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        self.address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let stopped = async { drop(stopped.await) };
            runtime.block_on(server::run(listener, app, stopped)).unwrap();
        });
        self.running = Some((stop, thread));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
