//! Version 3: what an agent's dashboard shows is summed up beside the counters.

use rusqlite::Connection;

/// Changes the schema and the rows.
///
/// # Errors
/// What SQLite says.
pub fn run(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch(
        "CREATE TABLE ticket_sum (
          agent_id     INTEGER PRIMARY KEY,
          open         INTEGER NOT NULL CHECK (open >= 0),
          in_progress  INTEGER NOT NULL CHECK (in_progress >= 0),
          awaiting     INTEGER NOT NULL CHECK (awaiting >= 0)
        ) STRICT;
        INSERT INTO ticket_sum
          SELECT agent_id, sum(iif(status = 'open', n, 0)), sum(iif(status = 'in_progress', n, 0)), sum(iif(awaits_reply, n, 0))
          FROM ticket_count WHERE agent_id <> 0 AND status <> 'closed' GROUP BY agent_id;
        CREATE TRIGGER ticket_sum_insert AFTER INSERT ON ticket_count WHEN NEW.agent_id <> 0 AND NEW.status <> 'closed' BEGIN
          INSERT INTO ticket_sum VALUES (NEW.agent_id, iif(NEW.status = 'open', NEW.n, 0), iif(NEW.status = 'in_progress', NEW.n, 0),
            iif(NEW.awaits_reply, NEW.n, 0))
          ON CONFLICT DO UPDATE SET open = open + excluded.open, in_progress = in_progress + excluded.in_progress,
            awaiting = awaiting + excluded.awaiting;
        END;
        CREATE TRIGGER ticket_sum_update AFTER UPDATE OF n ON ticket_count WHEN NEW.agent_id <> 0 AND NEW.status <> 'closed' BEGIN
          UPDATE ticket_sum SET open = open + iif(NEW.status = 'open', NEW.n - OLD.n, 0),
            in_progress = in_progress + iif(NEW.status = 'in_progress', NEW.n - OLD.n, 0),
            awaiting = awaiting + iif(NEW.awaits_reply, NEW.n - OLD.n, 0) WHERE agent_id = NEW.agent_id;
        END;
        CREATE TRIGGER ticket_sum_delete AFTER DELETE ON ticket_count WHEN OLD.agent_id <> 0 AND OLD.status <> 'closed' BEGIN
          UPDATE ticket_sum SET open = open - iif(OLD.status = 'open', OLD.n, 0),
            in_progress = in_progress - iif(OLD.status = 'in_progress', OLD.n, 0),
            awaiting = awaiting - iif(OLD.awaits_reply, OLD.n, 0) WHERE agent_id = OLD.agent_id;
        END;",
    )
}
