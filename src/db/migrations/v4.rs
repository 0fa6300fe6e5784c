//! Version 4: a ticket's customer is copied into its row, too.

use rusqlite::Connection;

/// Changes the schema and the rows.
///
/// # Errors
/// What SQLite says.
pub fn run(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch(
        "ALTER TABLE ticket ADD COLUMN customer_name TEXT NOT NULL DEFAULT '';
        ALTER TABLE ticket ADD COLUMN customer_email TEXT NOT NULL DEFAULT '';
        UPDATE ticket SET (customer_name, customer_email) = (SELECT name, email FROM customer WHERE id = ticket.customer_id);
        CREATE TRIGGER ticket_customer_insert AFTER INSERT ON ticket BEGIN
          UPDATE ticket SET (customer_name, customer_email) = (SELECT name, email FROM customer WHERE id = NEW.customer_id)
          WHERE id = NEW.id;
        END;
        CREATE TRIGGER ticket_customer_update AFTER UPDATE OF customer_id ON ticket WHEN OLD.customer_id <> NEW.customer_id BEGIN
          UPDATE ticket SET (customer_name, customer_email) = (SELECT name, email FROM customer WHERE id = NEW.customer_id)
          WHERE id = NEW.id;
        END;
        CREATE TRIGGER customer_copy AFTER UPDATE OF name, email ON customer WHEN OLD.name <> NEW.name OR OLD.email <> NEW.email BEGIN
          UPDATE ticket SET customer_name = NEW.name, customer_email = NEW.email WHERE customer_id = NEW.id;
        END;",
    )
}
