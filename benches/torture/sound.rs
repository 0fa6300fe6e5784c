//! Whether a database is sound by itself: its pages, its references, its copies, its counters, its records.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

/// Every statement gives a line for each thing that is wrong. The counters are those that triggers keep; what is counted
/// at the end belongs to a change and is written with it.
const CHECKS: [&str; 9] = [
    "SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
    "SELECT 'foreign key of ' || \"table\" || ' ' || ifnull(rowid, '') FROM pragma_foreign_key_check",
    "WITH recount AS (
       SELECT 0 AS agent_id, ifnull(department_id, 0) AS department_id, status, priority, awaits_reply, count(*) AS n
       FROM ticket GROUP BY 1, 2, 3, 4, 5
       UNION ALL
       SELECT ta.agent_id, ifnull(t.department_id, 0), t.status, t.priority, t.awaits_reply, count(*)
       FROM ticket_agent ta JOIN ticket t ON t.id = ta.ticket_id GROUP BY 1, 2, 3, 4, 5)
     SELECT 'ticket_count ' || json_array(agent_id, status, n) FROM
       (SELECT * FROM (SELECT * FROM ticket_count WHERE n > 0 EXCEPT SELECT * FROM recount)
        UNION ALL SELECT * FROM (SELECT * FROM recount EXCEPT SELECT * FROM ticket_count))",
    "SELECT 'ticket_sum ' || a.id FROM agent a LEFT JOIN ticket_sum s ON s.agent_id = a.id
     WHERE (ifnull(s.open, 0), ifnull(s.in_progress, 0), ifnull(s.awaiting, 0)) IS NOT
       (SELECT count(*) FILTER (WHERE status = 'open'), count(*) FILTER (WHERE status = 'in_progress'),
          count(*) FILTER (WHERE awaits_reply AND status <> 'closed') FROM ticket_agent ta WHERE ta.agent_id = a.id)",
    "SELECT 'customer of ticket ' || t.id FROM ticket t JOIN customer c ON c.id = t.customer_id
     WHERE (t.customer_name, t.customer_email) IS NOT (c.name, c.email)",
    "SELECT 'ticket_agent ' || json_array(ta.ticket_id, ta.agent_id) FROM ticket_agent ta JOIN ticket t ON t.id = ta.ticket_id
     WHERE (ta.status, ta.priority, ta.department_id, ta.awaits_reply, ta.created_at, ta.updated_at, ta.last_reply_at, ta.closed_at)
       IS NOT (t.status, t.priority, t.department_id, t.awaits_reply, t.created_at, t.updated_at, t.last_reply_at, t.closed_at)",
    "SELECT 'notification_count ' || a.id FROM agent a LEFT JOIN notification_count c ON c.agent_id = a.id
     WHERE (ifnull(c.total, 0), ifnull(c.unread, 0)) IS NOT
       (SELECT count(*), count(*) FILTER (WHERE NOT is_read) FROM notification n WHERE n.agent_id = a.id)",
    "SELECT 'lead of ' || id FROM ticket t WHERE assigned_to IS NOT NULL
       AND NOT EXISTS (SELECT 1 FROM ticket_agent ta WHERE ta.ticket_id = t.id AND ta.agent_id = t.assigned_to)",
    "WITH place AS (SELECT ifnull(ta.agent_id, x.kept_under) << 40 | t.id AS id FROM ticket t
         LEFT JOIN ticket_text x ON x.ticket_id = t.id LEFT JOIN ticket_agent ta ON ta.ticket_id = t.id)
     SELECT 'search lacks ' || ifnull(id, '') FROM
       (SELECT * FROM (SELECT id FROM place EXCEPT SELECT rowid FROM ticket_search)
        UNION SELECT * FROM (SELECT id FROM place EXCEPT SELECT rowid FROM ticket_bigram))
     UNION ALL SELECT 'search holds ' || id FROM
       (SELECT rowid AS id FROM ticket_search UNION SELECT rowid FROM ticket_bigram EXCEPT SELECT id FROM place)",
];

/// What holds besides where no ticket was deleted: what is recorded of a ticket outlives it.
const RECORDS: &str = "SELECT 'message without its record ' || id FROM
       (SELECT id, ticket_id FROM message EXCEPT SELECT subject_id, ticket_id FROM activity WHERE subject_type = 'message')
     UNION ALL SELECT 'ticket without its record ' || id FROM
       (SELECT id FROM ticket EXCEPT SELECT subject_id FROM activity WHERE action = 'ticket.created')
     UNION ALL SELECT 'records of ' || subject_type || ': ' || n FROM (SELECT subject_type, count(*) AS n FROM activity
       WHERE subject_type = 'message' OR action = 'ticket.created' GROUP BY 1)
     WHERE n <> iif(subject_type = 'message', (SELECT count(*) FROM message), (SELECT count(*) FROM ticket))";

/// What holds besides where the clock never goes back.
const STEADY: &str = "SELECT 'last_reply_at of ' || t.id FROM ticket t WHERE t.last_reply_at IS NOT
   (SELECT max(m.created_at) FROM message m WHERE m.ticket_id = t.id AND NOT m.is_internal)";

/// Opens a database as a server that comes back would, to look only: what is in its log stays there.
///
/// # Errors
/// What SQLite says.
pub fn open(path: &Path) -> rusqlite::Result<Connection> {
    let conn = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    conn.busy_timeout(std::time::Duration::from_secs(10))?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    conn.execute_batch("PRAGMA query_only = ON; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY;")?;
    Ok(conn)
}

/// What is wrong with a database.
///
/// # Errors
/// When it cannot be read, which is wrong too.
pub fn check(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut wrong = check_timeless(conn)?;
    wrong.extend(lines(conn, STEADY)?);
    Ok(wrong)
}

/// What is wrong with a database whose clock was put back now and then.
///
/// # Errors
/// As [`check`].
pub fn check_timeless(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut wrong = check_copies(conn)?;
    wrong.extend(lines(conn, RECORDS)?);
    Ok(wrong)
}

/// What is wrong with a database from which tickets were deleted.
///
/// # Errors
/// As [`check`].
pub fn check_copies(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    let all: rusqlite::Result<Vec<_>> = CHECKS.iter().map(|sql| lines(conn, sql)).collect();
    Ok(all?.concat())
}

fn lines(conn: &Connection, sql: &str) -> rusqlite::Result<Vec<String>> {
    conn.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
}
