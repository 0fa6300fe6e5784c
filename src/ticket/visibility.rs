//! Who sees a ticket: the one predicate. Every query about a ticket or anything under it takes a [`Visibility`].

use crate::auth::{Admin, Agent};

/// Which tickets a caller sees.
#[derive(Clone, Debug)]
pub enum Visibility {
    /// Those the agent is on.
    Agent(i64),
    /// Those the agent is on and those of its departments (the setting `department_visibility`).
    Departments(i64, Vec<i64>),
    /// Every ticket: an administrator's program, or the desk itself.
    Desk,
}

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

/// One of the separate row sets that together make up what a caller sees: a table that has, under the same names, all
/// that a list filters and sorts by; which of its rows; and which rows of `ticket_count` count the same tickets.
pub struct Arm {
    /// The table.
    pub table: &'static str,
    /// The name of the ticket's id in it.
    pub id: &'static str,
    /// Which of its rows.
    pub rows: String,
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

    /// Whether ticket `t` is seen, as a condition. Names the parameters `:me` and `:departments`.
    pub fn condition(&self) -> &'static str {
        match self {
            Self::Agent(_) => {
                "EXISTS (SELECT 1 FROM ticket_agent v WHERE v.ticket_id = t.id AND v.agent_id = :me)"
            }
            Self::Departments(..) => {
                "(t.department_id IN rarray(:departments)
                  OR EXISTS (SELECT 1 FROM ticket_agent v WHERE v.ticket_id = t.id AND v.agent_id = :me))"
            }
            Self::Desk => "true",
        }
    }

    /// What is seen, as sets of rows that do not overlap. Names the same parameters, and `:department0` and so on.
    pub fn arms(&self) -> Vec<Arm> {
        let own = |and: &str, and_counter: &str| Arm {
            table: "ticket_agent",
            id: "ticket_id",
            rows: format!("agent_id = :me{and}"),
            counters: format!("agent_id = :me{and_counter}"),
        };
        match self {
            Self::Agent(_) => vec![own("", "")],
            Self::Desk => {
                vec![Arm { table: "ticket", id: "id", rows: "true".into(), counters: "agent_id = 0".into() }]
            }
            Self::Departments(_, departments) => {
                let mut arms = vec![own(
                    " AND (department_id IS NULL OR department_id NOT IN rarray(:departments))",
                    " AND department_id NOT IN rarray(:departments)",
                )];
                arms.extend((0..departments.len()).map(|n| Arm {
                    table: "ticket",
                    id: "id",
                    rows: format!("department_id = :department{n}"),
                    counters: format!("agent_id = 0 AND department_id = :department{n}"),
                }));
                arms
            }
        }
    }
}
