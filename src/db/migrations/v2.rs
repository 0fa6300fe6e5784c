//! Version 2: a ticket is read whole from one place in the file.

use rusqlite::Connection;

/// From version 1.
///
/// # Errors
/// What SQLite says.
pub fn run(conn: &Connection) -> rusqlite::Result<()> {
    copies(conn)
}

/// Agents, labels and values of a ticket are copied into its row.
fn copies(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch(
        "ALTER TABLE ticket ADD COLUMN agent_ids TEXT NOT NULL DEFAULT '';
        ALTER TABLE ticket ADD COLUMN label_ids TEXT NOT NULL DEFAULT '';
        ALTER TABLE ticket ADD COLUMN field_values TEXT NOT NULL DEFAULT '[]';
        UPDATE ticket SET
          agent_ids = ifnull((SELECT ',' || group_concat(agent_id) || ',' FROM
            (SELECT agent_id FROM ticket_agent WHERE ticket_id = ticket.id ORDER BY agent_id)), ''),
          label_ids = ifnull((SELECT ',' || group_concat(label_id) || ',' FROM
            (SELECT label_id FROM ticket_label WHERE ticket_id = ticket.id ORDER BY label_id)), ''),
          field_values = (SELECT json_group_array(json_array(custom_field_id, value)) FROM
            (SELECT custom_field_id, value FROM ticket_field WHERE ticket_id = ticket.id ORDER BY custom_field_id));
        CREATE TRIGGER ticket_agent_ids_insert AFTER INSERT ON ticket_agent BEGIN
          UPDATE ticket SET agent_ids = (SELECT ',' || group_concat(agent_id) || ',' FROM
            (SELECT agent_id FROM ticket_agent WHERE ticket_id = NEW.ticket_id ORDER BY agent_id)) WHERE id = NEW.ticket_id;
        END;
        CREATE TRIGGER ticket_agent_ids_delete AFTER DELETE ON ticket_agent BEGIN
          UPDATE ticket SET agent_ids = ifnull((SELECT ',' || group_concat(agent_id) || ',' FROM
            (SELECT agent_id FROM ticket_agent WHERE ticket_id = OLD.ticket_id ORDER BY agent_id)), '') WHERE id = OLD.ticket_id;
        END;
        CREATE TRIGGER ticket_label_ids_insert AFTER INSERT ON ticket_label BEGIN
          UPDATE ticket SET label_ids = (SELECT ',' || group_concat(label_id) || ',' FROM
            (SELECT label_id FROM ticket_label WHERE ticket_id = NEW.ticket_id ORDER BY label_id)) WHERE id = NEW.ticket_id;
        END;
        CREATE TRIGGER ticket_label_ids_delete AFTER DELETE ON ticket_label BEGIN
          UPDATE ticket SET label_ids = ifnull((SELECT ',' || group_concat(label_id) || ',' FROM
            (SELECT label_id FROM ticket_label WHERE ticket_id = OLD.ticket_id ORDER BY label_id)), '') WHERE id = OLD.ticket_id;
        END;
        CREATE TRIGGER ticket_field_values_insert AFTER INSERT ON ticket_field BEGIN
          UPDATE ticket SET field_values = (SELECT json_group_array(json_array(custom_field_id, value)) FROM
            (SELECT custom_field_id, value FROM ticket_field WHERE ticket_id = NEW.ticket_id ORDER BY custom_field_id)) WHERE id = NEW.ticket_id;
        END;
        CREATE TRIGGER ticket_field_values_update AFTER UPDATE OF value ON ticket_field BEGIN
          UPDATE ticket SET field_values = (SELECT json_group_array(json_array(custom_field_id, value)) FROM
            (SELECT custom_field_id, value FROM ticket_field WHERE ticket_id = NEW.ticket_id ORDER BY custom_field_id)) WHERE id = NEW.ticket_id;
        END;
        CREATE TRIGGER ticket_field_values_delete AFTER DELETE ON ticket_field BEGIN
          UPDATE ticket SET field_values = (SELECT json_group_array(json_array(custom_field_id, value)) FROM
            (SELECT custom_field_id, value FROM ticket_field WHERE ticket_id = OLD.ticket_id ORDER BY custom_field_id)) WHERE id = OLD.ticket_id;
        END;",
    )
}
