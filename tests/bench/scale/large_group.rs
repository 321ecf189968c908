//! Reading a group with all its members: how long it takes, and what memory the server needs for it.

use std::fmt::Write as _;
use std::time::Instant;

use anyhow::{Context, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::product::Api;
use crate::scale::directory::Directory;
use crate::usage;

/// Clients that read the same group at once.
const AT_ONCE: [usize; 2] = [1, 8];

/// Reads the large group, alone and by several at once, and says what it took.
pub(crate) async fn measure(directory: &Directory) -> anyhow::Result<String> {
    let pid = directory.server.pid()?;
    let mut text = format!("{directory}: GET of the large group");
    for clients in AT_ONCE {
        // The peak is counted from here on (proc(5), clear_refs).
        std::fs::write(format!("/proc/{pid}/clear_refs"), "5").context("resetting the peak of the memory")?;
        let before = usage::memory(pid)?.resident;
        let start = Instant::now();
        let mut reading = JoinSet::new();
        for _ in 0..clients {
            reading.spawn(read(directory.api.clone(), directory.large.clone(), directory.members as usize));
        }
        let mut bytes = 0;
        while let Some(read) = reading.join_next().await {
            bytes = read??;
        }
        write!(
            text,
            "\n  {clients} at once: {:.2} MiB each, {:.0} ms, server's memory {before:.0} MiB before, {:.0} MiB at the peak",
            f64::from(u32::try_from(bytes)?) / 1_048_576.0,
            start.elapsed().as_secs_f64() * 1000.0,
            usage::memory(pid)?.peak
        )?;
    }
    Ok(text)
}

/// Reads to the end and returns how many bytes came.
async fn read(api: Api, group: String, members: usize) -> anyhow::Result<usize> {
    let mut stream = TcpStream::connect(api.address).await?;
    let request = format!(
        "GET /scim/v2/Groups/{group} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n",
        api.host, api.token
    );
    stream.write_all(request.as_bytes()).await?;
    // A member is counted by its `value`, of which the last bytes may come with the next part.
    let needle = b"\"value\":";
    let (mut bytes, mut found, mut buffer) = (0, 0, Vec::with_capacity(64 * 1024));
    loop {
        let kept = buffer.len().min(needle.len() - 1);
        buffer.drain(..buffer.len() - kept);
        let read = stream.read_buf(&mut buffer).await?;
        if read == 0 {
            break;
        }
        bytes += read;
        found += buffer.windows(needle.len()).filter(|window| window == needle).count();
    }
    // Where a part of a chunked answer ends in the middle of the word it is missed.
    ensure!(found <= members && found + bytes / 1_000 >= members, "{found} of {members} members came");
    Ok(bytes)
}
