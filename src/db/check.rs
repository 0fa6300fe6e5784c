//! Looks a whole database through: what `lodge check` does. It reads only, in one snapshot, so a server may be at work.

mod search;

use rusqlite::Connection;

use super::backup::{foreign_keys, integrity};
use super::open::SCHEMA_VERSION;
use super::shape::{self, Shape};

/// How many faults of one kind are told; more are only counted.
const TOLD: usize = 5;

/// What one check found.
#[derive(Debug)]
pub struct Finding {
    /// What was looked at.
    pub name: &'static str,
    /// What is wrong; nothing if all is well.
    pub faults: Faults,
}

/// What is wrong, the first few in words.
#[derive(Debug, Default)]
pub struct Faults {
    told: Vec<String>,
    count: usize,
}

impl Faults {
    fn add(&mut self, fault: impl FnOnce() -> String) {
        self.count += 1;
        if self.told.len() < TOLD {
            self.told.push(fault());
        }
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

impl FromIterator<String> for Faults {
    fn from_iter<I: IntoIterator<Item = String>>(lines: I) -> Self {
        let mut faults = Self::default();
        lines.into_iter().for_each(|line| faults.add(|| line));
        faults
    }
}

impl std::fmt::Display for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.is_empty() {
            return f.write_str("ok");
        }
        // One line, whatever is in a message.
        let told = self.told.join("; ").replace(|c: char| c.is_control(), " ");
        match self.count - self.told.len() {
            0 => f.write_str(&told),
            more => write!(f, "{told}; and {more} more"),
        }
    }
}

type Check = fn(&Connection) -> rusqlite::Result<Faults>;

/// What is looked at in every file.
const ALWAYS: [(&str, Check); 2] = [
    ("pages and indexes", |conn| Ok(integrity(conn)?.into_iter().collect())),
    ("references", |conn| Ok(foreign_keys(conn)?.into_iter().collect())),
];

/// What is looked at in a file of today's version.
const TODAY: [(&str, Check); 10] = [
    ("schema", schema),
    ("ticket counts", |conn| query(conn, TICKET_COUNTS)),
    ("ticket sums", |conn| query(conn, TICKET_SUMS)),
    ("tickets as agents see them", |conn| query(conn, COPIES)),
    ("what tickets show", |conn| query(conn, SHOWN)),
    ("leads", |conn| query(conn, LEADS)),
    ("notification counts", |conn| query(conn, NOTIFICATIONS)),
    ("likes", |conn| query(conn, LIKES)),
    ("ticket search", search::tickets),
    ("knowledge search", search::articles),
];

/// Looks a database through on a connection to it, and tells each finding as it is made. Returns how many were not good.
///
/// # Errors
/// When no snapshot can be taken. What cannot be read later is a finding.
pub fn run(conn: &Connection, tell: &mut dyn FnMut(&Finding)) -> rusqlite::Result<usize> {
    conn.execute_batch("BEGIN")?;
    let version: i32 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let today: &[(&str, Check)] = if version == SCHEMA_VERSION { &TODAY } else { &[] };
    let mut bad = 0;
    for (name, check) in ALWAYS.iter().chain(today) {
        let faults = check(conn).unwrap_or_else(|error| [error.to_string()].into_iter().collect());
        bad += usize::from(!faults.is_empty());
        tell(&Finding { name, faults });
    }
    conn.execute_batch("ROLLBACK")?;
    Ok(bad)
}

fn schema(conn: &Connection) -> rusqlite::Result<Faults> {
    let (found, expected) = (Shape::of(conn)?, shape::of_today()?);
    Ok(found.lacks(&expected).into_iter().chain(found.adds(&expected)).collect())
}

/// Rows that should not be there, a sentence each.
fn query(conn: &Connection, sql: &str) -> rusqlite::Result<Faults> {
    let mut statement = conn.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut faults = Faults::default();
    while let Some(row) = rows.next()? {
        let fault = row.get(0)?;
        faults.add(|| fault);
    }
    Ok(faults)
}

/// Agent 0 is the whole desk. A count of nothing is as good as none.
const TICKET_COUNTS: &str = "
    WITH recount AS (
      SELECT 0 AS agent_id, ifnull(department_id, 0) AS department_id, status, priority, awaits_reply, count(*) AS n
      FROM ticket GROUP BY 1, 2, 3, 4, 5
      UNION ALL
      SELECT a.agent_id, ifnull(t.department_id, 0), t.status, t.priority, t.awaits_reply, count(*)
      FROM ticket_agent a JOIN ticket t ON t.id = a.ticket_id GROUP BY 1, 2, 3, 4, 5)
    SELECT 'of agent ' || c.agent_id || ', department ' || c.department_id || ', ' || c.status || ', ' || c.priority
      || ': ' || c.n || ' are counted, there are ' || ifnull(r.n, 0)
    FROM ticket_count c LEFT JOIN recount r USING (agent_id, department_id, status, priority, awaits_reply)
    WHERE c.n <> ifnull(r.n, 0)
    UNION ALL
    SELECT 'of agent ' || r.agent_id || ', department ' || r.department_id || ', ' || r.status || ', ' || r.priority
      || ': none are counted, there are ' || r.n
    FROM recount r LEFT JOIN ticket_count c USING (agent_id, department_id, status, priority, awaits_reply)
    WHERE c.n IS NULL";

/// Of counters, which are compared with the tickets themselves.
const TICKET_SUMS: &str = "
    WITH resum AS (
      SELECT agent_id, sum(iif(status = 'open', n, 0)) AS open, sum(iif(status = 'in_progress', n, 0)) AS in_progress,
        sum(iif(awaits_reply, n, 0)) AS awaiting
      FROM ticket_count WHERE agent_id <> 0 AND status <> 'closed' GROUP BY 1)
    SELECT 'of agent ' || agent_id || ': open, in progress, awaiting a reply are '
      || concat_ws(', ', ifnull(s.open, 0), ifnull(s.in_progress, 0), ifnull(s.awaiting, 0)) || ', not '
      || concat_ws(', ', ifnull(r.open, 0), ifnull(r.in_progress, 0), ifnull(r.awaiting, 0))
    FROM ticket_sum s FULL JOIN resum r USING (agent_id)
    WHERE (ifnull(s.open, 0), ifnull(s.in_progress, 0), ifnull(s.awaiting, 0))
      IS NOT (ifnull(r.open, 0), ifnull(r.in_progress, 0), ifnull(r.awaiting, 0))";

const COPIES: &str = "
    SELECT 'agent ' || a.agent_id || ' sees ticket ' || a.ticket_id || ' as it is not'
    FROM ticket_agent a JOIN ticket t ON t.id = a.ticket_id
    WHERE (a.status, a.priority, a.department_id, a.awaits_reply, a.created_at, a.updated_at, a.last_reply_at, a.closed_at)
      IS NOT (t.status, t.priority, t.department_id, t.awaits_reply, t.created_at, t.updated_at, t.last_reply_at, t.closed_at)";

const SHOWN: &str = "
    SELECT 'ticket ' || t.id || ' shows another customer, other agents, labels or values than it has'
    FROM ticket t LEFT JOIN customer c ON c.id = t.customer_id
    WHERE (customer_name, customer_email) IS NOT (c.name, c.email)
      OR agent_ids IS NOT ifnull((SELECT ',' || group_concat(agent_id) || ',' FROM
        (SELECT agent_id FROM ticket_agent WHERE ticket_id = t.id ORDER BY agent_id)), '')
      OR label_ids IS NOT ifnull((SELECT ',' || group_concat(label_id) || ',' FROM
        (SELECT label_id FROM ticket_label WHERE ticket_id = t.id ORDER BY label_id)), '')
      OR field_values IS NOT (SELECT json_group_array(json_array(custom_field_id, value)) FROM
        (SELECT custom_field_id, value FROM ticket_field WHERE ticket_id = t.id ORDER BY custom_field_id))";

const LEADS: &str = "
    SELECT 'agent ' || assigned_to || ' leads ticket ' || id || ' and is not on it' FROM ticket t
    WHERE assigned_to IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM ticket_agent a WHERE a.ticket_id = t.id AND a.agent_id = t.assigned_to)";

const NOTIFICATIONS: &str = "
    WITH recount AS (SELECT agent_id, count(*) AS total, count(*) FILTER (WHERE NOT is_read) AS unread FROM notification GROUP BY 1)
    SELECT 'agent ' || a.id || ' has ' || ifnull(r.total, 0) || ' and ' || ifnull(r.unread, 0) || ' unread, '
      || ifnull(c.total, 0) || ' and ' || ifnull(c.unread, 0) || ' are counted'
    FROM agent a LEFT JOIN notification_count c ON c.agent_id = a.id LEFT JOIN recount r ON r.agent_id = a.id
    WHERE (ifnull(c.total, 0), ifnull(c.unread, 0)) IS NOT (ifnull(r.total, 0), ifnull(r.unread, 0))";

const LIKES: &str = "
    WITH recount AS (SELECT message_id, count(*) AS n FROM message_like GROUP BY 1)
    SELECT 'message ' || m.id || ' has ' || ifnull(r.n, 0) || ' likes, ' || m.likes_count || ' are counted'
    FROM message m LEFT JOIN recount r ON r.message_id = m.id WHERE m.likes_count <> ifnull(r.n, 0)";
