//! Customers in the database.

use rusqlite::{Row, ToSql, params};

use super::model::Customer;
use crate::db::{FromRow, Page, Paging, Tx, all_named, execute, exists, first, inserted, search};
use crate::error::Result;
use crate::noun::Stored;
use crate::text::fold;
use crate::time::Timestamp;

impl FromRow for Customer {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            name: row.get(1)?,
            email: row.get(2)?,
            phone: row.get(3)?,
            envato_username: row.get(4)?,
            is_blocked: row.get(5)?,
            created_at: Timestamp(row.get(6)?),
            updated_at: Timestamp(row.get(7)?),
        })
    }
}

impl Stored for Customer {
    const TABLE: &'static str = "customer";
    const SELECT: &'static str =
        "SELECT id, name, email, phone, envato_username, is_blocked, created_at, updated_at FROM customer";
    const ORDER: &'static str = "name_fold, id";

    fn insert(&self, tx: &Tx<'_>) -> Result<i64> {
        inserted(
            tx,
            "INSERT INTO customer (name, name_fold, email, email_fold, phone, envato_username, is_blocked, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)",
            params![
                self.name,
                fold(&self.name),
                self.email,
                fold(&self.email),
                self.phone,
                self.envato_username,
                self.is_blocked,
                tx.now.0
            ],
        )
    }

    fn update(&self, tx: &Tx<'_>) -> Result<()> {
        let (name_fold, email_fold) = (fold(&self.name), fold(&self.email));
        let is_found_alike = exists(
            tx,
            "SELECT 1 FROM customer WHERE id = ? AND name_fold = ? AND email_fold = ?",
            params![self.id, name_fold, email_fold],
        )?;
        execute(
            tx,
            "UPDATE customer SET name = ?, name_fold = ?, email = ?, email_fold = ?, phone = ?, envato_username = ?,
               is_blocked = ?, updated_at = ? WHERE id = ?",
            params![
                self.name,
                name_fold,
                self.email,
                email_fold,
                self.phone,
                self.envato_username,
                self.is_blocked,
                tx.now.0,
                self.id
            ],
        )?;
        // Tickets are found by their customer's name and address.
        if is_found_alike { Ok(()) } else { search::index_tickets_of(tx, self.id) }
    }
}

/// A page of the customers that have every one of these folded words in name or e-mail address.
///
/// # Errors
/// What SQLite says.
pub fn search(tx: &Tx<'_>, words: &[String], paging: Paging) -> Result<Page<Vec<Customer>>> {
    let names: Vec<String> = (0..words.len()).map(|n| format!(":word{n}")).collect();
    let has = |name: &String| format!("(instr(name_fold, {name}) OR instr(email_fold, {name}))");
    let condition = names.iter().map(has).collect::<Vec<_>>().join(" AND ");
    let (limit, offset) = (paging.per_page, paging.offset());
    let mut named: Vec<(&str, &dyn ToSql)> = vec![(":limit", &limit), (":offset", &offset)];
    named.extend(names.iter().zip(words).map(|(name, word)| (name.as_str(), word as &dyn ToSql)));
    let count = format!("SELECT count(*) FROM customer WHERE {condition}");
    let total = all_named::<i64>(tx, &count, &named)?.into_iter().sum();
    Page::read(paging, total, || {
        let order = "ORDER BY name_fold, id LIMIT :limit OFFSET :offset";
        all_named(tx, &format!("{} WHERE {condition} {order}", Customer::SELECT), &named)
    })
}

/// The id of the customer with an e-mail address, case ignored.
///
/// # Errors
/// What SQLite says.
pub fn find_by_email(tx: &Tx<'_>, email: &str) -> Result<Option<i64>> {
    first(tx, "SELECT id FROM customer WHERE email_fold = ?", [fold(email)])
}
