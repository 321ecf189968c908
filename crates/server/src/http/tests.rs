//! Connections as clients see them, with limits that are short enough to be waited for.

use super::*;
use axum::routing::get;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const HEAD: &[u8] = b"GET /quick HTTP/1.1\r\nhost: x\r\n\r\n";
const SHORT: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_mins(1);

struct Serving {
    address: std::net::SocketAddr,
    stop: CancellationToken,
    task: tokio::task::JoinSet<Result<()>>,
}

impl Serving {
    async fn start(connections: usize, first_head: Duration, next_head: Duration) -> Self {
        let slow = async || {
            tokio::time::sleep(SHORT * 3).await;
            "slow"
        };
        let endless = async || {
            let parts = futures::stream::repeat_with(|| Ok::<_, std::convert::Infallible>(vec![b'x'; 64 * 1024]));
            Body::from_stream(parts)
        };
        let router = Router::new().route("/quick", get(async || "quick")).route("/slow", get(slow));
        let router = router.route("/endless", get(endless)).route("/known", get(async || StatusCode::NOT_MODIFIED));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let (address, stop) = (listener.local_addr().expect("an address"), CancellationToken::new());
        let limits = Limits { connections, first_head, next_head };
        let mut task = tokio::task::JoinSet::new();
        task.spawn(serve(listener, router, limits, stop.clone()));
        Self { address, stop, task }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("connected")
    }

    async fn stopped(mut self) {
        self.stop.cancel();
        self.task.join_next().await.expect("it ran").expect("no panic").expect("no error");
    }
}

/// Sends a request and reads the answer, whose body is `expected`.
async fn ask(stream: &mut TcpStream, head: &[u8], expected: &str) {
    stream.write_all(head).await.expect("sent");
    let mut answer = String::new();
    while !answer.ends_with(expected) {
        let mut part = [0; 1024];
        let read = stream.read(&mut part).await.expect("read");
        assert_ne!(read, 0, "the connection ended after {answer:?}");
        answer.push_str(std::str::from_utf8(&part[..read]).expect("text"));
    }
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(answer.contains(&format!("content-length: {}", expected.len())), "{answer}");
}

/// Waits for the other side to close, and says how long it took.
async fn closed(mut stream: TcpStream) -> Duration {
    let began = Instant::now();
    let rest = tokio::time::timeout(LONG / 2, stream.read(&mut [0; 1])).await.expect("it is closed");
    assert!(matches!(rest, Ok(0) | Err(_)), "nothing more is sent");
    began.elapsed()
}

#[tokio::test]
async fn who_never_sends_a_whole_head_is_not_waited_for() {
    let serving = Serving::start(10, SHORT, LONG).await;
    for start in [&b""[..], b"G", b"GET /quick HTTP/1.1\r\nhost: ", &HEAD[..HEAD.len() - 2]] {
        let mut stream = serving.connect().await;
        stream.write_all(start).await.expect("sent");
        let took = closed(stream).await;
        assert!(took < LONG / 4, "{took:?}");
    }
    serving.stopped().await;
}

#[tokio::test]
async fn what_a_client_has_already_has_no_length() {
    let serving = Serving::start(10, LONG, LONG).await;
    for method in ["HEAD", "GET"] {
        let mut stream = serving.connect().await;
        let request = format!("{method} /known HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("read");
        assert!(answer.starts_with("HTTP/1.1 304 Not Modified\r\n") && answer.ends_with("\r\n\r\n"), "{answer}");
        assert!(!answer.contains("content-length") && !answer.contains("transfer-encoding"), "{method}: {answer}");
    }
    serving.stopped().await;
}

#[tokio::test]
async fn an_idle_connection_is_kept_for_a_while_and_then_closed() {
    let serving = Serving::start(10, LONG, SHORT * 4).await;
    let mut stream = serving.connect().await;
    ask(&mut stream, HEAD, "quick").await;
    tokio::time::sleep(SHORT * 2).await;
    ask(&mut stream, HEAD, "quick").await;
    assert!(closed(stream).await >= SHORT * 3, "it had its time again");

    let mut stream = serving.connect().await;
    ask(&mut stream, HEAD, "quick").await;
    stream.write_all(b"GET /quick").await.expect("sent");
    closed(stream).await;
    serving.stopped().await;
}

#[tokio::test]
async fn a_slow_answer_is_waited_for() {
    let serving = Serving::start(10, SHORT * 2, SHORT * 2).await;
    let mut stream = serving.connect().await;
    ask(&mut stream, b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n", "slow").await;
    serving.stopped().await;
}

#[tokio::test]
async fn who_does_not_read_an_answer_in_parts_is_not_waited_for() {
    let serving = Serving::start(1, LONG, SHORT * 2).await;
    let mut reader = serving.connect().await;
    reader.write_all(b"GET /endless HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    let began = Instant::now();
    while began.elapsed() < SHORT * 4 {
        assert_ne!(reader.read(&mut [0; 8 * 1024]).await.expect("read"), 0, "whoever reads is waited for");
    }
    // The only place is free when the connection is given up.
    let mut next = serving.connect().await;
    tokio::time::timeout(LONG / 4, ask(&mut next, HEAD, "quick")).await.expect("a place");
    drop((reader, next));
    serving.stopped().await;
}

#[tokio::test]
async fn beyond_the_most_connections_one_waits_for_a_place() {
    let serving = Serving::start(1, LONG, LONG).await;
    let mut first = serving.connect().await;
    ask(&mut first, HEAD, "quick").await;
    let mut second = serving.connect().await;
    let waiting = tokio::time::timeout(SHORT, ask(&mut second, HEAD, "quick")).await;
    assert!(waiting.is_err(), "there is one place, and it is taken");
    drop(first);
    // The request was sent already.
    ask(&mut second, b"", "quick").await;
    drop(second);
    serving.stopped().await;
}

#[tokio::test]
async fn a_stop_lets_what_is_under_way_end() {
    let serving = Serving::start(10, LONG, LONG).await;
    let (mut idle, mut busy, silent) = (serving.connect().await, serving.connect().await, serving.connect().await);
    ask(&mut idle, HEAD, "quick").await;
    let stop = serving.stop.clone();
    let stopping = async {
        tokio::time::sleep(SHORT).await;
        stop.cancel();
    };
    let ((), ()) = tokio::join!(ask(&mut busy, b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n", "slow"), stopping);
    assert!(closed(idle).await < LONG / 4);
    assert!(closed(silent).await < LONG / 4);
    tokio::time::timeout(LONG / 4, serving.stopped()).await.expect("nothing is left to wait for");
}

#[test]
fn connections_leave_file_descriptors_for_the_rest() {
    for (files, expected) in [(None, 10_000), (Some(20_000), 10_000), (Some(1024), 864), (Some(64), 16)] {
        assert_eq!(connections(files, 160), expected, "{files:?}");
    }
}
