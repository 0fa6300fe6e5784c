//! Who sees a ticket: the one predicate. Every query about a ticket or anything under it takes a [`Visibility`].

use crate::auth::{Admin, Agent};

/// Which tickets a caller sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// Those the agent is on.
    Agent(i64),
    /// Those the agent is on and those of its departments (the setting `department_visibility`).
    Departments(i64, Vec<i64>),
    /// Every ticket: an administrator's program, or the desk itself.
    Desk,
}

/// A statement with the condition behind it that ticket `t` is seen: by the agent `?2`, or through the departments `?3`; `?1` is
/// its own. Most requests run one: each is a text of its own, and none is put together while somebody waits.
macro_rules! seen {
    ($visibility:expr, $sql:expr) => {
        match $visibility {
            Visibility::Agent(_) => concat!($sql, "instr(t.agent_ids, ',' || ?2 || ',')"),
            Visibility::Departments(..) => {
                concat!($sql, "(t.department_id IN rarray(?3) OR instr(t.agent_ids, ',' || ?2 || ','))")
            }
            Visibility::Desk => concat!($sql, "true"),
        }
    };
}
pub(super) use seen;

impl From<&Admin> for Visibility {
    fn from(_: &Admin) -> Self {
        Self::Desk
    }
}

impl From<&Agent> for Visibility {
    fn from(agent: &Agent) -> Self {
        match agent.departments() {
            Some(departments) => Self::Departments(agent.id(), departments.to_vec()),
            None => Self::Agent(agent.id()),
        }
    }
}

/// Beyond so many departments they are one set of rows, because SQLite merges at most 500. An agent of so many sees most of
/// the desk: a page is found by walking along all of it.
pub const MANY: usize = 50;

/// One of the separate row sets that together make up what a caller sees: a table that has, under the same names, all
/// that a list filters and sorts by; which of its rows; and which rows of `ticket_count` count the same tickets.
pub struct Arm {
    /// The table.
    pub table: &'static str,
    /// The name of the ticket's id in it.
    pub id: &'static str,
    /// Which of its rows; `{walk}` stands for a plus sign where the index of the order is to be used and not this.
    pub rows: String,
    /// Whether only one index knows them, in which no filter comes first: those of filters know the whole desk's.
    pub is_apart: bool,
    /// Which counters.
    pub counters: String,
}

impl Visibility {
    /// The agent; 0, which is nobody, for the whole desk.
    pub fn agent_id(&self) -> i64 {
        match self {
            Self::Agent(id) | Self::Departments(id, _) => *id,
            Self::Desk => 0,
        }
    }

    /// The departments, none unless they matter.
    pub fn departments(&self) -> &[i64] {
        match self {
            Self::Agent(_) | Self::Desk => &[],
            Self::Departments(_, departments) => departments,
        }
    }

    /// What is seen, as sets of rows that do not overlap, each with an index in the lists' own order. Of all departments, or
    /// of the one a list is about. Names the same parameters, and `:department0` and so on.
    pub fn arms(&self, within: Option<i64>) -> Vec<Arm> {
        let own = |and: &str, and_counter: &str| Arm {
            table: "ticket_agent",
            id: "ticket_id",
            rows: format!("agent_id = :me{and}"),
            is_apart: false,
            counters: format!("agent_id = :me{and_counter}"),
        };
        let desk = |rows: String, and_counter: &str| Arm {
            table: "ticket",
            id: "id",
            rows,
            is_apart: false,
            counters: format!("agent_id = 0{and_counter}"),
        };
        let of = |n: usize| {
            let is_there = format!("department_id = :department{n}");
            let and_there = format!(" AND {is_there}");
            Arm { is_apart: true, ..desk(is_there, &and_there) }
        };
        match self {
            Self::Agent(_) => vec![own("", "")],
            Self::Desk => vec![desk("true".into(), "")],
            Self::Departments(_, departments) => {
                let elsewhere = own(
                    " AND (department_id IS NULL OR department_id NOT IN rarray(:departments))",
                    " AND department_id NOT IN rarray(:departments)",
                );
                match within.map(|one| departments.iter().position(|department| *department == one)) {
                    Some(Some(n)) => vec![of(n)],
                    Some(None) => vec![own("", "")],
                    None if departments.len() > MANY => {
                        let there = "department_id IN rarray(:departments)";
                        vec![elsewhere, desk(format!("{{walk}}{there}"), &format!(" AND {there}"))]
                    }
                    None => std::iter::once(elsewhere).chain((0..departments.len()).map(of)).collect(),
                }
            }
        }
    }
}
