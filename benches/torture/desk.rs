//! The desk under torture: eight agents, each with a key, an administrator's key, a customer, and labels to count with.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::Failure;
use crate::client::{Client, Request};
use crate::server::Start;

/// How many clients write.
pub const WRITERS: usize = 8;
/// How many labels there are: a set of them is a number in binary.
pub const LABELS: usize = 12;

/// A desk to begin from. It is copied for each run.
#[derive(Clone, Debug)]
pub struct Desk {
    /// The file, whole, without a log beside it.
    pub file: PathBuf,
    /// The agents' keys, by writer; the agent of writer n has id n + 1.
    pub agents: Vec<String>,
    /// The administrator's key.
    pub admin: String,
}

impl Desk {
    /// Makes a desk with the binary that is to be broken, as a person would.
    ///
    /// # Errors
    /// When a command or a request is refused.
    pub fn make(binary: &Path, folder: &Path) -> Result<Self, Failure> {
        let file = folder.join("desk.db");
        let start = Start::new(binary, &file);
        start.serve()?.stop()?;
        let mut agents = vec![];
        for n in 0..WRITERS {
            let (name, email) = (format!("Writer {n}"), format!("writer{n}@example.com"));
            last_line(&start, &["agent", "create", "--name", &name, "--email", &email])?;
            agents.push(last_line(&start, &["key", "create", "--type", "external", "--agent", &email])?);
        }
        let admin =
            last_line(&start, &["key", "create", "--type", "internal", "--special", "--name", "Admin"])?;
        let mut server = start.serve()?;
        let mut client = Client::new(server.address);
        let mut post = |path: &str, body: serde_json::Value| -> Result<(), Failure> {
            let body = body.to_string();
            let request = Request { method: "POST", path, key: &admin, once: None, body: Some(&body) };
            let answer = client.call(&request)?;
            if answer.is_ok() { Ok(()) } else { Err(format!("{path}: {answer:?}").into()) }
        };
        post("/internal/customers", json!({ "name": "John Doe", "email": "john@example.com" }))?;
        for n in 0..LABELS {
            post("/internal/labels", json!({ "name": format!("Bit {n}"), "color": "#123456" }))?;
        }
        server.stop()?.ok_or("the server did not stop")?;
        Ok(Self { file, agents, admin })
    }

    /// A small desk that has been at work, with tickets, articles and whatever else there can be; and keys of two of its
    /// agents, and an administrator's, made in this order.
    ///
    /// # Errors
    /// When a command is refused.
    pub fn seeded(binary: &Path, folder: &Path) -> Result<Self, Failure> {
        let file = folder.join("desk.db");
        let start = Start::new(binary, &file);
        last_line(&start, &["seed", "--tickets", "60", "--agents", "6", "--articles", "20"])?;
        let emails: Vec<String> = rusqlite::Connection::open(&file)?
            .prepare("SELECT email FROM agent ORDER BY id LIMIT 2")?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let key =
            |email: &String| last_line(&start, &["key", "create", "--type", "external", "--agent", email]);
        let agents = emails.iter().map(key).collect::<Result<_, _>>()?;
        let admin =
            last_line(&start, &["key", "create", "--type", "internal", "--special", "--name", "Admin"])?;
        Ok(Self { file, agents, admin })
    }

    /// A copy of the file to break.
    pub fn copy_to(&self, to: &Path) -> std::io::Result<()> {
        for suffix in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", to.display()));
        }
        std::fs::copy(&self.file, to).map(drop)
    }
}

fn last_line(start: &Start, arguments: &[&str]) -> Result<String, Failure> {
    let output = start.command(arguments).output()?;
    if !output.status.success() {
        return Err(format!("{arguments:?}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let text = String::from_utf8(output.stdout)?;
    Ok(text.lines().last().unwrap_or_default().to_owned())
}
