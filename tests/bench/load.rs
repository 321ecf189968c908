//! The load: so many connections that each send a request, wait for the answer, and send the next.
//!
//! One thread, one buffer per connection, requests that exist before the clock starts, and an answer that is read no
//! further than its status and length: whatever this program costs is missing to those who are measured.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::figures::Run;
use crate::operation::{FRESH, NUMBER};

/// A request with digits that can be overwritten.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    bytes: Vec<u8>,
    numbers: Vec<usize>,
    fresh: Vec<usize>,
}

impl Template {
    /// From the text of a request with placeholders.
    pub(crate) fn new(request: &str) -> Self {
        let places = |placeholder: &str| request.match_indices(placeholder).map(|(at, _)| at).collect();
        Self { numbers: places(NUMBER), fresh: places(FRESH), bytes: request.as_bytes().to_vec() }
    }

    /// The request about one person.
    pub(crate) fn fill(&mut self, number: u64, fresh: u64) -> &[u8] {
        for (places, value) in [(&self.numbers, number), (&self.fresh, fresh)] {
            let digits = format!("{value:012}");
            for at in places {
                if let Some(place) = self.bytes.get_mut(*at..*at + digits.len()) {
                    place.copy_from_slice(digits.as_bytes());
                }
            }
        }
        &self.bytes
    }
}

/// Which people the requests are about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Choice {
    /// Any of so many, the first one having this number.
    Any {
        /// The first one's number.
        first: u64,
        /// How many there are.
        count: u64,
    },
    /// Each number once, from this one on.
    Next(u64),
}

/// A connection that is kept open.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// One answer.
#[derive(Debug)]
pub(crate) struct Answer<'a> {
    /// The HTTP status.
    pub(crate) status: u16,
    /// Status line and headers.
    pub(crate) head: &'a str,
    /// The body.
    pub(crate) body: &'a [u8],
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.context("connecting to the server")?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(64 * 1024) })
    }

    /// Sends one request and waits for the whole answer.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> anyhow::Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let (head_end, body_end) = loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                bail!("the server closed the connection");
            }
            if let Some(ends) = ends(&self.buffer)?
                && self.buffer.len() >= ends.1
            {
                break ends;
            }
        };
        let head = std::str::from_utf8(self.buffer.get(..head_end).unwrap_or_default())?;
        let status = head.get(9..12).and_then(|status| status.parse().ok()).context("an answer without a status")?;
        Ok(Answer { status, head, body: self.buffer.get(head_end..body_end).unwrap_or_default() })
    }
}

/// Where the head and the body of an answer end, once the head is complete.
fn ends(bytes: &[u8]) -> anyhow::Result<Option<(usize, usize)>> {
    let Some(head) = bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4) else {
        return Ok(None);
    };
    let text = std::str::from_utf8(bytes.get(..head).unwrap_or_default())?;
    let length = header(text, "content-length").map_or(Ok(0), str::parse::<usize>).context("a strange length")?;
    ensure!(header(text, "transfer-encoding").is_none(), "the answer comes in chunks, which this client cannot read");
    Ok(Some((head, head + length)))
}

/// The value of a header.
pub(crate) fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let lines = head.split("\r\n").filter_map(|line| line.split_once(':'));
    lines.into_iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

/// What to send, and for how long.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    /// Where to.
    pub(crate) address: SocketAddr,
    /// The request.
    pub(crate) template: Template,
    /// The status of success; any other ends the benchmark.
    pub(crate) success: u16,
    /// Connections that send all the time.
    pub(crate) connections: u16,
    /// Whom the requests are about.
    pub(crate) choice: Choice,
    /// When to end.
    pub(crate) until: Until,
}

/// When a load ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Until {
    /// After this time.
    Time(Duration),
    /// When each connection has sent so many requests.
    Each(u64),
}

impl Load {
    /// Sends until the end. Connections are open before the clock starts.
    pub(crate) async fn run(&self) -> anyhow::Result<Run> {
        let mut open = Vec::new();
        for _ in 0..self.connections {
            open.push(Connection::open(self.address).await?);
        }
        let start = Instant::now();
        let mut tasks = JoinSet::new();
        for (lane, connection) in (0_u64..).zip(open) {
            tasks.spawn(self.clone().send(connection, lane, start));
        }
        let mut run = Run::default();
        while let Some(ended) = tasks.join_next().await {
            run.micros.extend(ended??);
        }
        run.seconds = start.elapsed().as_secs_f64();
        run.all = run.micros.len();
        Ok(run)
    }

    /// One connection. Returns what each request took, in microseconds.
    async fn send(mut self, mut connection: Connection, lane: u64, start: Instant) -> anyhow::Result<Vec<u32>> {
        let mut taken = Vec::with_capacity(64 * 1024);
        let (mut random, mut turn) = (Random::new(lane), 0);
        let mut before = start;
        loop {
            let over = match self.until {
                Until::Time(time) => before - start >= time,
                Until::Each(requests) => turn >= requests,
            };
            if over {
                return Ok(taken);
            }
            let number = match self.choice {
                Choice::Any { first, count } => first + random.next() % count,
                Choice::Next(first) => first + turn * u64::from(self.connections) + lane,
            };
            turn += 1;
            let request = self.template.fill(number, random.next() % 1_000_000_000_000);
            let answer = connection.ask(request).await?;
            if answer.status != self.success {
                bail!(
                    "answered {} instead of {}: {}",
                    answer.status,
                    self.success,
                    String::from_utf8_lossy(answer.body)
                );
            }
            let after = Instant::now();
            taken.push(u32::try_from((after - before).as_micros()).unwrap_or(u32::MAX));
            before = after;
        }
    }
}

/// Numbers that are spread well enough to pick people by (xorshift).
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self((seed + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}
