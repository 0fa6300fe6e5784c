//! `lodge agent`.

use clap::{Args, Subcommand};

use super::{Failure, change, field, look, print, tell};
use crate::activity::Actor;
use crate::agent::model::Agent as Found;
use crate::agent::{rules, store};
use crate::auth::password;
use crate::config::Database;
use crate::db::Tx;
use crate::error::{Error, Result};

/// Create, list, activate and deactivate agents.
///
/// Works beside a running server; a change counts from the next request on.
#[derive(Args, Debug)]
pub struct Agent {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Create(Create),
    List(List),
    /// Activate an agent: its keys open the door again from the next request on.
    #[command(long_about = None)]
    Activate(Which),
    /// Deactivate an agent: its keys open nothing from the next request on.
    #[command(long_about = None)]
    Deactivate(Which),
}

/// Create an agent and print its id.
///
/// Without a password the agent signs in with keys only. Nothing signs in with a password yet: it waits for the console.
#[derive(Args, Debug)]
struct Create {
    #[command(flatten)]
    database: Database,
    /// The agent's name, shown to customers; 1 to 250 characters.
    #[arg(long, env = "LODGE_NAME")]
    name: String,
    /// The agent's e-mail address, unique among agents.
    #[arg(long, env = "LODGE_EMAIL")]
    email: String,
    /// Read a password of 8 to 128 characters from the first line of stdin.
    #[arg(long, env = "LODGE_PASSWORD_STDIN")]
    password_stdin: bool,
}

/// List the agents: id, name, e-mail, active or inactive; separated by tabs.
#[derive(Args, Debug)]
struct List {
    #[command(flatten)]
    database: Database,
}

#[derive(Args, Debug)]
struct Which {
    #[command(flatten)]
    database: Database,
    /// The agent's id or e-mail address.
    #[arg(value_name = "ID-OR-EMAIL")]
    agent: String,
}

impl Agent {
    /// Does it.
    pub fn run(self) -> Result<(), Failure> {
        match self.command {
            Command::Create(command) => command.run(),
            Command::List(List { database }) => {
                for agent in look(&database.db, store::list_all)? {
                    let state = if agent.is_active { "active" } else { "inactive" };
                    print(&format!("{}\t{}\t{}\t{state}", agent.id, field(&agent.name), field(&agent.email)));
                }
                Ok(())
            }
            Command::Activate(which) => which.set_active(true),
            Command::Deactivate(which) => which.set_active(false),
        }
    }
}

impl Create {
    fn run(self) -> Result<(), Failure> {
        let mut wrong = crate::error::Check::default();
        crate::scalar::check::<crate::scalar::Name>(&self.name, "name", &mut wrong);
        crate::scalar::check::<crate::scalar::Email>(&self.email, "email", &mut wrong);
        wrong.finish()?;
        crate::db::open::check(&self.database.db)?;
        let password_hash = if self.password_stdin { Some(read_password()?) } else { None };
        let draft = Found::named(self.name, self.email);
        let agent = change(&self.database.db, |tx| {
            rules::create(tx, &Actor::cli(), draft, password_hash.as_deref())
        })?;
        print(&agent.id.to_string());
        if password_hash.is_some() {
            tell(
                "The password is kept for the console; until there is one, agents use keys: lodge key create --type external",
            );
        }
        Ok(())
    }
}

fn read_password() -> Result<String, Failure> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    let password = line.trim_end_matches(['\r', '\n']);
    let mut wrong = crate::error::Check::default();
    crate::scalar::check::<crate::scalar::Password>(password, "password", &mut wrong);
    wrong.finish()?;
    Ok(password::hash_blocking(password)?)
}

impl Which {
    fn set_active(self, is_active: bool) -> Result<(), Failure> {
        let agent = change(&self.database.db, |tx| {
            let agent = find(tx, &self.agent)?;
            rules::set_active(tx, &Actor::cli(), &agent, is_active)?;
            Ok(agent)
        })?;
        tell(&format!("{} is {}.", field(&agent.name), if is_active { "active" } else { "inactive" }));
        Ok(())
    }
}

/// The agent with this id or e-mail address.
pub fn find(tx: &Tx<'_>, which: &str) -> Result<Found> {
    let found = match which.parse() {
        Ok(id) => store::find(tx, id)?,
        Err(_) => store::find_by_email(tx, which)?,
    };
    found.ok_or_else(|| Error::field("agent", format!("{which} does not exist")))
}
