//! The demo keeps what it shows to itself, and is not taken over by a second one.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use reqwest::StatusCode;
use rollcall_tests::{Scratch, server_binary, wait_until};
use serde_json::Value;
use tokio::process::{Child, Command};

fn demo(folder: &Path) -> Command {
    let mut command = Command::new(server_binary!());
    command.args(["demo", "--empty", "--listen", "127.0.0.1:0", "--simulator-listen", "127.0.0.1:0", "--data-dir"]);
    command.arg(folder).env_remove("DATABASE_URL").current_dir(folder).kill_on_drop(true);
    command
}

/// Waits until the demo has written where it is and what opens it.
async fn announced(child: &mut Child, folder: &Path) -> anyhow::Result<Value> {
    let file = folder.join("demo.json");
    wait_until(Duration::from_mins(2), "the demo is ready", async || {
        anyhow::ensure!(child.try_wait()?.is_none(), "the demo ended");
        Ok(std::fs::read(&file).ok().and_then(|content| serde_json::from_slice(&content).ok()))
    })
    .await
}

async fn opens(about: &Value) -> anyhow::Result<StatusCode> {
    let text = |key: &str| about[key].as_str().with_context(|| format!("{key} is missing"));
    let http = reqwest::Client::builder().no_proxy().build()?;
    let asked = http.get(format!("{}/Users", text("scim_base_url")?)).bearer_auth(text("scim_token")?);
    Ok(asked.send().await?.status())
}

#[tokio::test]
async fn a_running_demo_keeps_its_folder_to_itself() -> anyhow::Result<()> {
    let scratch = Scratch::new()?;
    let mut first = demo(scratch.path()).spawn()?;
    let about = announced(&mut first, scratch.path()).await?;
    let mode = std::fs::metadata(scratch.path().join("demo.json"))?.permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "the file holds tokens and a password");

    let second = demo(scratch.path()).output().await?;
    assert!(!second.status.success());
    let refusal = String::from_utf8(second.stderr)?;
    assert!(refusal.contains("a demo is already running in"), "{refusal}");
    assert_eq!(announced(&mut first, scratch.path()).await?, about, "what opens the first is still told");
    assert_eq!(opens(&about).await?, StatusCode::OK, "and still opens it");

    // Whatever ends a demo, the next one may have the folder.
    first.kill().await?;
    std::fs::remove_file(scratch.path().join("demo.json"))?;
    let mut third = demo(scratch.path()).spawn()?;
    let next = announced(&mut third, scratch.path()).await?;
    assert_eq!(opens(&next).await?, StatusCode::OK);
    third.kill().await?;
    Ok(())
}
