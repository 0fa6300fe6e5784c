//! `lodge key`.

use clap::{Args, Subcommand};

use super::{Failure, change, field, look, print, tell};
use crate::activity::Actor;
use crate::api_key::model::ApiKey;
use crate::api_key::rules::Giver;
use crate::api_key::{rules, store};
use crate::auth::key::KeyType;
use crate::auth::scope::Scope;
use crate::config::Database;
use crate::error::Error;
use crate::scalar::{self, Name};
use crate::time::{Timestamp, parse_duration};

/// Create, list and revoke API keys.
///
/// Works beside a running server; a change counts from the next request on.
#[derive(Args, Debug)]
pub struct Key {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Create(Create),
    List(List),
    Revoke(Revoke),
}

/// Create a key. The raw key is the last line of stdout and is shown this once.
///
/// An external key speaks for an agent (--agent). An internal key is for administrators' programs and carries scopes
/// (--scope, several times) or all of them (--special).
#[derive(Args, Debug)]
struct Create {
    #[command(flatten)]
    database: Database,
    /// Whom the key speaks for.
    #[arg(long = "type", env = "LODGE_TYPE", value_name = "TYPE", value_parser = ["external", "internal"])]
    kind: String,
    /// The agent of an external key: its id or e-mail address.
    #[arg(long, env = "LODGE_AGENT", value_name = "ID-OR-EMAIL", required_if_eq("kind", "external"))]
    agent: Option<String>,
    /// What the key is for; 1 to 250 characters.
    #[arg(long, env = "LODGE_NAME", default_value = "Command line")]
    name: String,
    /// When the key ends by itself: a number of days, hours or minutes from now, such as 90d, 12h or 30m.
    #[arg(long, env = "LODGE_EXPIRES_IN", value_name = "DURATION", value_parser = parse_duration)]
    expires_in: Option<i64>,
    /// A scope of an internal key, such as tickets:list; may be given several times.
    #[arg(
        long = "scope",
        env = "LODGE_SCOPE",
        value_name = "SCOPE",
        value_delimiter = ',',
        conflicts_with = "special"
    )]
    scopes: Vec<String>,
    /// Give an internal key every scope there is or will be.
    #[arg(long, env = "LODGE_SPECIAL")]
    special: bool,
}

/// List the keys: id, name, type, agent, scopes, state, expiry; separated by tabs. Never shows a key.
#[derive(Args, Debug)]
struct List {
    #[command(flatten)]
    database: Database,
}

/// Revoke a key for good.
#[derive(Args, Debug)]
struct Revoke {
    #[command(flatten)]
    database: Database,
    /// The key's id, as `lodge key list` shows it.
    #[arg(value_name = "ID")]
    id: i64,
}

impl Key {
    /// Does it.
    pub fn run(self) -> Result<(), Failure> {
        match self.command {
            Command::Create(command) => command.run(),
            Command::List(List { database }) => list(&database),
            Command::Revoke(Revoke { database, id }) => {
                change(&database.db, |tx| rules::revoke(tx, &Actor::cli(), id)).map_err(|failure| {
                    if failure.to_string() == Error::NotFound.to_string() {
                        Failure::refused(format!("there is no key {id}"))
                    } else {
                        failure
                    }
                })?;
                tell(&format!("Key {id} is revoked."));
                Ok(())
            }
        }
    }
}

impl Create {
    fn run(self) -> Result<(), Failure> {
        let kind = if self.kind == "external" { KeyType::External } else { KeyType::Internal };
        if kind == KeyType::Internal && !self.special && self.scopes.is_empty() {
            return Err(Failure::usage("an internal key needs --special or at least one --scope"));
        }
        if kind == KeyType::Internal && self.agent.is_some() {
            return Err(Failure::usage("--agent goes with an external key"));
        }
        if kind == KeyType::External && (self.special || !self.scopes.is_empty()) {
            return Err(Failure::usage("--special and --scope go with an internal key"));
        }
        let mut wrong = crate::error::Check::default();
        scalar::check::<Name>(&self.name, "name", &mut wrong);
        let known = |name: &String| {
            let scope = Scope::from_word(name);
            if scope.is_none() {
                wrong.add("scopes", format!("there is no scope {name}"));
            }
            scope
        };
        let scopes: Vec<Scope> = self.scopes.iter().filter_map(known).collect();
        wrong.finish()?;
        let (issued, raw) = change(&self.database.db, |tx| {
            let agent_id = match &self.agent {
                Some(which) => Some(super::agent::find(tx, which)?.id),
                None => None,
            };
            let draft = ApiKey {
                agent_id,
                scopes: scopes.clone(),
                special: self.special,
                expires_at: self.expires_in.map(|micros| tx.now.plus(micros)),
                ..ApiKey::named(self.name.clone(), kind)
            };
            rules::create(tx, &Giver::Cli, draft)
        })?;
        tell(&format!("Key {} is made. It is shown this once:", issued.id));
        print(&raw);
        Ok(())
    }
}

fn list(database: &Database) -> Result<(), Failure> {
    let (now, keys) = look(&database.db, |tx| Ok((tx.now, store::list_all(tx)?)))?;
    for key in keys {
        let state = match (key.revoked_at, key.expires_at) {
            (Some(_), _) => "revoked",
            (None, Some(at)) if at <= now => "expired",
            _ => "active",
        };
        let scopes = if key.special { "special".into() } else { key.scopes.join(",") };
        let expiry = key.expires_at.map_or_else(|| "never".to_owned(), |at: Timestamp| at.to_string());
        let agent = key.agent_email.unwrap_or_default();
        let (name, agent) = (field(&key.name), field(&agent));
        print(&format!("{}\t{name}\t{}\t{agent}\t{scopes}\t{state}\t{expiry}", key.id, key.kind));
    }
    Ok(())
}
