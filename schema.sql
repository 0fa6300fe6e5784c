-- Lodge: the whole database, as a new file is made from it.
--
-- Conventions
--   * Every table is STRICT. Ids are 64-bit integers; AUTOINCREMENT wherever an id has left the house
--     (an old link must never point at somebody else's data).
--   * Times are INTEGER microseconds since 1970 in UTC. For people: datetime(created_at / 1000000, 'unixepoch').
--   * Booleans are INTEGER 0 or 1. Money is an INTEGER number of cents.
--   * `*_fold` columns hold the folded form of a text (lower case, no diacritics, see src/text.rs): what sorting,
--     uniqueness and search use, because SQLite's own NOCASE knows only ASCII.
--   * Every foreign key says what a deletion does, and heads an index.
--   * `PRAGMA application_id` marks the file as Lodge's, `PRAGMA user_version` numbers this schema. Both are set by
--     src/db/open.rs, which runs this file in one transaction.

-- ---------------------------------------------------------------- the desk as a whole

-- One row: what an administrator can set. Defaults are here and nowhere else.
CREATE TABLE setting (
  id                            INTEGER PRIMARY KEY CHECK (id = 1),
  ticket_prefix                 TEXT    NOT NULL DEFAULT '#' CHECK (length(ticket_prefix) <= 10),
  default_department_id         INTEGER REFERENCES department (id) ON DELETE SET NULL,
  default_priority              TEXT    NOT NULL DEFAULT 'medium' CHECK (default_priority IN ('low', 'medium', 'high', 'critical')),
  auto_close_days               INTEGER NOT NULL DEFAULT 0 CHECK (auto_close_days >= 0),
  tickets_per_page              INTEGER NOT NULL DEFAULT 15 CHECK (tickets_per_page BETWEEN 1 AND 200),
  customer_max_tickets_per_day  INTEGER NOT NULL DEFAULT 0 CHECK (customer_max_tickets_per_day >= 0),
  auto_assign                   INTEGER NOT NULL DEFAULT 0 CHECK (auto_assign IN (0, 1)),
  department_visibility         INTEGER NOT NULL DEFAULT 0 CHECK (department_visibility IN (0, 1)),
  time_zone                     TEXT    NOT NULL DEFAULT 'UTC',
  next_reference                INTEGER NOT NULL DEFAULT 1001, -- the number of the next ticket; only ever grows
  created_at                    INTEGER NOT NULL DEFAULT 0,
  updated_at                    INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX setting_department ON setting (default_department_id);

-- One row of change counters, bumped by triggers (below). `names` moves when a name that a ticket shows moves, and is
-- part of every ticket's ETag; `access` moves when a key, an agent or a setting does, so that whoever holds those in
-- memory knows when to look again, whichever process made the change.
CREATE TABLE epoch (
  id      INTEGER PRIMARY KEY CHECK (id = 1),
  names   INTEGER NOT NULL DEFAULT 1,
  access  INTEGER NOT NULL DEFAULT 1
) STRICT;

-- Present in a sample database only (lodge demo, lodge seed): when its times are relative to, and which tickets are
-- meant to have been closed today. A file without this row is never moved through time or reset.
CREATE TABLE sample (
  id            INTEGER PRIMARY KEY CHECK (id = 1),
  made_at       INTEGER NOT NULL,
  closed_today  TEXT    NOT NULL CHECK (json_valid(closed_today))
) STRICT;

-- ---------------------------------------------------------------- people

-- Who answers. A deleted agent keeps its row as a tombstone (deleted_at), because its messages still show its name.
CREATE TABLE agent (
  id                     INTEGER PRIMARY KEY AUTOINCREMENT,
  name                   TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 250),
  name_fold              TEXT    NOT NULL,
  email                  TEXT    NOT NULL CHECK (length(email) BETWEEN 3 AND 254),
  email_fold             TEXT    NOT NULL,
  password_hash          TEXT,                      -- argon2id, PHC format; NULL: signs in with keys only
  phone                  TEXT    CHECK (length(phone) <= 50),
  locale                 TEXT    CHECK (length(locale) <= 10),
  avatar_url             TEXT    CHECK (length(avatar_url) <= 2000),
  notification_settings  TEXT    NOT NULL DEFAULT '{}' CHECK (json_valid(notification_settings)),
  is_active              INTEGER NOT NULL DEFAULT 1 CHECK (is_active IN (0, 1)),
  last_assigned_at       INTEGER,                   -- when the agent last became the lead of a ticket
  deleted_at             INTEGER,
  created_at             INTEGER NOT NULL,
  updated_at             INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX agent_email ON agent (email_fold) WHERE deleted_at IS NULL;
CREATE INDEX agent_name ON agent (name_fold, id) WHERE deleted_at IS NULL;

-- Who asks.
CREATE TABLE customer (
  id               INTEGER PRIMARY KEY AUTOINCREMENT,
  name             TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 250),
  name_fold        TEXT    NOT NULL,
  email            TEXT    NOT NULL CHECK (length(email) BETWEEN 3 AND 254),
  email_fold       TEXT    NOT NULL UNIQUE,
  phone            TEXT    CHECK (length(phone) <= 50),
  envato_username  TEXT    CHECK (length(envato_username) <= 250),
  is_blocked       INTEGER NOT NULL DEFAULT 0 CHECK (is_blocked IN (0, 1)),
  created_at       INTEGER NOT NULL,
  updated_at       INTEGER NOT NULL
) STRICT;
CREATE INDEX customer_name ON customer (name_fold, id);

-- A key to the API. Only the SHA-256 of the raw key is kept; the raw key has 256 random bits, so a fast hash is right.
-- External keys speak for an agent, internal keys carry scopes. A revoked key keeps its row.
CREATE TABLE api_key (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  name          TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 250),
  type          TEXT    NOT NULL CHECK (type IN ('external', 'internal')),
  hash          BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
  scopes        TEXT    NOT NULL DEFAULT '[]' CHECK (json_valid(scopes)),
  special       INTEGER NOT NULL DEFAULT 0 CHECK (special IN (0, 1)),
  agent_id      INTEGER REFERENCES agent (id) ON DELETE RESTRICT,
  expires_at    INTEGER,
  revoked_at    INTEGER,
  last_used_at  INTEGER,
  created_at    INTEGER NOT NULL,
  updated_at    INTEGER NOT NULL,
  CHECK ((type = 'external') = (agent_id IS NOT NULL))
) STRICT;
CREATE INDEX api_key_agent ON api_key (agent_id);

-- ---------------------------------------------------------------- what tickets refer to

CREATE TABLE department (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  name         TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 250),
  name_fold    TEXT    NOT NULL,
  description  TEXT    CHECK (length(description) <= 1000),
  email        TEXT    CHECK (length(email) <= 254),
  status       TEXT    NOT NULL DEFAULT 'published' CHECK (status IN ('published', 'draft')),
  sort_order   INTEGER NOT NULL DEFAULT 0 CHECK (sort_order BETWEEN 0 AND 2147483647),
  created_at   INTEGER NOT NULL,
  updated_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX department_order ON department (sort_order, name_fold, id);

-- Which agents work in which department. With the setting `department_visibility` this is also what they may see.
CREATE TABLE agent_department (
  agent_id       INTEGER NOT NULL REFERENCES agent (id) ON DELETE CASCADE,
  department_id  INTEGER NOT NULL REFERENCES department (id) ON DELETE CASCADE,
  PRIMARY KEY (agent_id, department_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX agent_department_department ON agent_department (department_id);

CREATE TABLE category (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  name         TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 250),
  name_fold    TEXT    NOT NULL,
  description  TEXT    CHECK (length(description) <= 1000),
  parent_id    INTEGER REFERENCES category (id) ON DELETE SET NULL,
  status       TEXT    NOT NULL DEFAULT 'published' CHECK (status IN ('published', 'draft')),
  sort_order   INTEGER NOT NULL DEFAULT 0 CHECK (sort_order BETWEEN 0 AND 2147483647),
  created_at   INTEGER NOT NULL,
  updated_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX category_order ON category (sort_order, name_fold, id);
CREATE INDEX category_parent ON category (parent_id);

CREATE TABLE product (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  name         TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 250),
  name_fold    TEXT    NOT NULL,
  envato_id    TEXT    UNIQUE CHECK (length(envato_id) BETWEEN 1 AND 100),
  description  TEXT    CHECK (length(description) <= 1000),
  price_cents  INTEGER CHECK (price_cents BETWEEN 0 AND 999999999),
  status       TEXT    NOT NULL DEFAULT 'published' CHECK (status IN ('published', 'draft')),
  created_at   INTEGER NOT NULL,
  updated_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX product_name ON product (name_fold, id);

CREATE TABLE label (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  name        TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 250),
  name_fold   TEXT    NOT NULL,
  color       TEXT    NOT NULL CHECK (length(color) IN (4, 7)),
  status      TEXT    NOT NULL DEFAULT 'published' CHECK (status IN ('published', 'draft')),
  sort_order  INTEGER NOT NULL DEFAULT 0 CHECK (sort_order BETWEEN 0 AND 2147483647),
  created_at  INTEGER NOT NULL,
  updated_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX label_order ON label (sort_order, name_fold, id);

CREATE TABLE custom_field (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  label        TEXT    NOT NULL CHECK (length(label) BETWEEN 1 AND 250),
  description  TEXT    CHECK (length(description) <= 1000),
  type         TEXT    NOT NULL CHECK (type IN ('date', 'datetime_local', 'email', 'number', 'tel', 'text', 'textarea', 'time', 'url')),
  is_required  INTEGER NOT NULL DEFAULT 0 CHECK (is_required IN (0, 1)),
  status       TEXT    NOT NULL DEFAULT 'published' CHECK (status IN ('published', 'draft')),
  sort_order   INTEGER NOT NULL DEFAULT 0 CHECK (sort_order BETWEEN 0 AND 2147483647),
  created_at   INTEGER NOT NULL,
  updated_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX custom_field_order ON custom_field (sort_order, id);

CREATE TABLE canned_response (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  title       TEXT    NOT NULL CHECK (length(title) BETWEEN 1 AND 250),
  title_fold  TEXT    NOT NULL,
  content     TEXT    NOT NULL CHECK (length(content) <= 100000),
  category    TEXT    CHECK (length(category) <= 100),
  shortcut    TEXT    UNIQUE CHECK (length(shortcut) BETWEEN 1 AND 100),
  is_active   INTEGER NOT NULL DEFAULT 1 CHECK (is_active IN (0, 1)),
  sort_order  INTEGER NOT NULL DEFAULT 0 CHECK (sort_order BETWEEN 0 AND 2147483647),
  created_at  INTEGER NOT NULL,
  updated_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX canned_response_order ON canned_response (sort_order, title_fold, id);

-- ---------------------------------------------------------------- tickets

-- A ticket. `content` is the customer's opening text; what follows are rows of `message`.
-- `awaits_reply` is 1 while the customer had the last public word; a ticket needs a response while it also is not closed.
-- `version` grows with every change of the ticket itself (not of the names it shows): what If-Match compares.
-- The last five columns are copies of ticket_agent, ticket_label, ticket_field and customer, kept by triggers, so that a ticket
-- is read whole from one place in the file.
CREATE TABLE ticket (
  id             INTEGER PRIMARY KEY AUTOINCREMENT,
  reference_id   TEXT    NOT NULL UNIQUE,
  title          TEXT    NOT NULL CHECK (length(title) BETWEEN 1 AND 500),
  content        TEXT    NOT NULL CHECK (length(content) BETWEEN 1 AND 100000),
  status         TEXT    NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'in_progress', 'on_hold', 'closed')),
  priority       TEXT    NOT NULL CHECK (priority IN ('low', 'medium', 'high', 'critical')),
  department_id  INTEGER REFERENCES department (id) ON DELETE SET NULL,
  category_id    INTEGER REFERENCES category (id) ON DELETE SET NULL,
  product_id     INTEGER REFERENCES product (id) ON DELETE SET NULL,
  customer_id    INTEGER NOT NULL REFERENCES customer (id) ON DELETE RESTRICT,
  assigned_to    INTEGER REFERENCES agent (id) ON DELETE SET NULL,
  is_resolved    INTEGER NOT NULL DEFAULT 0 CHECK (is_resolved IN (0, 1)),
  is_locked      INTEGER NOT NULL DEFAULT 0 CHECK (is_locked IN (0, 1)),
  awaits_reply   INTEGER NOT NULL DEFAULT 1 CHECK (awaits_reply IN (0, 1)),
  last_reply_at  INTEGER,                           -- the last public message, whoever's
  closed_at      INTEGER,
  version        INTEGER NOT NULL DEFAULT 1,
  created_at     INTEGER NOT NULL,
  updated_at     INTEGER NOT NULL,
  agent_ids      TEXT    NOT NULL DEFAULT '',       -- ',3,5,': who is on it, in the order of the ids
  label_ids      TEXT    NOT NULL DEFAULT '',       -- the same of its labels
  field_values   TEXT    NOT NULL DEFAULT '[]',     -- '[[1,"4.2"]]': custom field ids and values
  customer_name  TEXT    NOT NULL DEFAULT '',
  customer_email TEXT    NOT NULL DEFAULT '',
  CHECK ((status = 'closed') = (closed_at IS NOT NULL))
) STRICT;
CREATE INDEX ticket_created ON ticket (created_at DESC, id DESC, status, priority, department_id);
CREATE INDEX ticket_status ON ticket (status, created_at DESC, id DESC, priority, department_id);
CREATE INDEX ticket_department ON ticket (department_id, created_at DESC, id DESC, status, priority);
CREATE INDEX ticket_customer ON ticket (customer_id, created_at DESC, id DESC);
CREATE INDEX ticket_lead ON ticket (assigned_to, created_at DESC, id DESC, status);
-- The whole desk in its other orders; the columns behind are what a filter needs to know. Priorities both ways, because their
-- many ties go by the newest id whichever way the list goes: both are walked from the end.
CREATE INDEX ticket_updated ON ticket (updated_at, id, status, priority, department_id);
CREATE INDEX ticket_last_reply ON ticket (last_reply_at, id, status, priority, department_id);
CREATE INDEX ticket_urgent ON ticket (CASE priority WHEN 'low' THEN 1 WHEN 'medium' THEN 2 WHEN 'high' THEN 3 ELSE 4 END, id, status, priority, department_id);
CREATE INDEX ticket_patient ON ticket (CASE priority WHEN 'low' THEN 4 WHEN 'medium' THEN 3 WHEN 'high' THEN 2 ELSE 1 END, id, status, priority, department_id);
-- What was closed today in an agent's departments.
CREATE INDEX ticket_closed ON ticket (department_id, closed_at) WHERE closed_at IS NOT NULL;
-- How many tickets each agent leads that are not closed: what auto-assign asks.
CREATE INDEX ticket_lead_open ON ticket (assigned_to) WHERE status <> 'closed';
CREATE INDEX ticket_category ON ticket (category_id) WHERE category_id IS NOT NULL;
CREATE INDEX ticket_product ON ticket (product_id) WHERE product_id IS NOT NULL;
-- What auto-close looks for: tickets that wait for nobody but the customer, longest untouched first.
CREATE INDEX ticket_idle ON ticket (updated_at) WHERE status <> 'closed' AND awaits_reply = 0;

-- The references of deleted tickets: none is ever used again, not even under another prefix.
CREATE TABLE retired_reference (
  reference_id  TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
CREATE TRIGGER ticket_reference_retired AFTER DELETE ON ticket
BEGIN INSERT INTO retired_reference VALUES (OLD.reference_id) ON CONFLICT DO NOTHING; END;

-- Who is on a ticket; the lead (ticket.assigned_to) is always among them. This is what an agent sees, so what a list
-- filters and sorts by stands here too, copied by the trigger ticket_agent_copy: one agent's page is then one walk
-- along one index, however many tickets the desk has.
CREATE TABLE ticket_agent (
  ticket_id      INTEGER NOT NULL REFERENCES ticket (id) ON DELETE CASCADE,
  agent_id       INTEGER NOT NULL REFERENCES agent (id) ON DELETE CASCADE,
  status         TEXT    NOT NULL,
  priority       TEXT    NOT NULL,
  department_id  INTEGER,
  awaits_reply   INTEGER NOT NULL,
  created_at     INTEGER NOT NULL,
  updated_at     INTEGER NOT NULL,
  last_reply_at  INTEGER,
  closed_at      INTEGER,
  PRIMARY KEY (ticket_id, agent_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX ticket_agent_created ON ticket_agent (agent_id, created_at DESC, ticket_id DESC, status, priority, department_id);
CREATE INDEX ticket_agent_status ON ticket_agent (agent_id, status, created_at DESC, ticket_id DESC, priority, department_id);
CREATE INDEX ticket_agent_department ON ticket_agent (agent_id, department_id, created_at DESC, ticket_id DESC, status, priority);
CREATE INDEX ticket_agent_closed ON ticket_agent (agent_id, closed_at) WHERE closed_at IS NOT NULL;

-- How many tickets there are of each kind, for each agent and (agent_id 0) for the whole desk; department_id 0 is
-- none. Kept by triggers, so that a list's total and the dashboard cost the same at ten tickets and ten million.
CREATE TABLE ticket_count (
  agent_id       INTEGER NOT NULL,
  department_id  INTEGER NOT NULL,
  status         TEXT    NOT NULL,
  priority       TEXT    NOT NULL,
  awaits_reply   INTEGER NOT NULL,
  n              INTEGER NOT NULL CHECK (n >= 0),
  PRIMARY KEY (agent_id, department_id, status, priority, awaits_reply)
) STRICT, WITHOUT ROWID;

-- What an agent's dashboard shows of these, kept by triggers on them: an agent of many tickets has a hundred counters and
-- more to add up, one of few a dozen.
CREATE TABLE ticket_sum (
  agent_id     INTEGER PRIMARY KEY,
  open         INTEGER NOT NULL CHECK (open >= 0),
  in_progress  INTEGER NOT NULL CHECK (in_progress >= 0),
  awaiting     INTEGER NOT NULL CHECK (awaiting >= 0)  -- and not closed
) STRICT;

CREATE TABLE ticket_label (
  ticket_id  INTEGER NOT NULL REFERENCES ticket (id) ON DELETE CASCADE,
  label_id   INTEGER NOT NULL REFERENCES label (id) ON DELETE CASCADE,
  PRIMARY KEY (ticket_id, label_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX ticket_label_label ON ticket_label (label_id);

-- The value a ticket has for a custom field, as the text it was given as.
CREATE TABLE ticket_field (
  ticket_id        INTEGER NOT NULL REFERENCES ticket (id) ON DELETE CASCADE,
  custom_field_id  INTEGER NOT NULL REFERENCES custom_field (id) ON DELETE CASCADE,
  value            TEXT    NOT NULL CHECK (length(value) BETWEEN 1 AND 100000),
  PRIMARY KEY (ticket_id, custom_field_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX ticket_field_field ON ticket_field (custom_field_id);

-- What happened to a ticket, for the reports: who led it and where it was at the time, and how many seconds after its
-- creation. Facts are written as they happen and never recomputed.
CREATE TABLE ticket_event (
  id             INTEGER PRIMARY KEY,
  ticket_id      INTEGER NOT NULL REFERENCES ticket (id) ON DELETE CASCADE,
  kind           TEXT    NOT NULL CHECK (kind IN ('created', 'first_response', 'closed', 'reopened')),
  at             INTEGER NOT NULL,
  agent_id       INTEGER REFERENCES agent (id) ON DELETE SET NULL,
  department_id  INTEGER REFERENCES department (id) ON DELETE SET NULL,
  seconds        INTEGER NOT NULL CHECK (seconds >= 0)
) STRICT;
CREATE INDEX ticket_event_ticket ON ticket_event (ticket_id, kind, at);
CREATE INDEX ticket_event_kind ON ticket_event (kind, at, ticket_id, agent_id, department_id, seconds);
CREATE INDEX ticket_event_agent ON ticket_event (agent_id) WHERE agent_id IS NOT NULL;
CREATE INDEX ticket_event_department ON ticket_event (department_id) WHERE department_id IS NOT NULL;

-- What a ticket is found by, folded: its title, opening text, reference, customer's name and e-mail, one line each. Words of
-- three characters and more are found in ticket_search (trigrams), two-character words in ticket_bigram, and words of one
-- character are looked for in the text itself.
-- Both indexes hold a ticket once for each agent on it, under the rowid agent_id << 40 | ticket_id: an agent's tickets lie
-- side by side there, and a search reads those and no others. A ticket that nobody is on is in there under kept_under: nobody (0),
-- or the deleted agent who was the last on it, because so many tickets cannot all be moved at once. So every ticket is in there
-- at least once. A ticket's id has 40 bits and an agent's 23; AUTOINCREMENT does not get there in the life of a desk.
CREATE TABLE ticket_text (
  ticket_id   INTEGER PRIMARY KEY REFERENCES ticket (id) ON DELETE CASCADE CHECK (ticket_id < 1 << 40),
  kept_under  INTEGER NOT NULL DEFAULT 0 CHECK (kept_under BETWEEN 0 AND 8388607),
  body        TEXT    NOT NULL
) STRICT;
CREATE VIRTUAL TABLE ticket_search USING fts5 (body, tokenize = 'trigram case_sensitive 1', content = '', contentless_delete = 1);
CREATE VIRTUAL TABLE ticket_bigram USING fts5 (body, tokenize = 'ascii', content = '', contentless_delete = 1, detail = 'none');

-- ---------------------------------------------------------------- conversations

-- A message under a ticket. The sender is exactly one of: an agent, a customer, a user (an internal key), the system.
CREATE TABLE message (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  ticket_id    INTEGER NOT NULL REFERENCES ticket (id) ON DELETE CASCADE,
  content      TEXT    NOT NULL CHECK (length(content) BETWEEN 1 AND 100000),
  is_internal  INTEGER NOT NULL DEFAULT 0 CHECK (is_internal IN (0, 1)),
  sender_type  TEXT    NOT NULL CHECK (sender_type IN ('agent', 'customer', 'user', 'system')),
  agent_id     INTEGER REFERENCES agent (id) ON DELETE RESTRICT,
  customer_id  INTEGER REFERENCES customer (id) ON DELETE RESTRICT,
  api_key_id   INTEGER REFERENCES api_key (id) ON DELETE RESTRICT,
  likes_count  INTEGER NOT NULL DEFAULT 0 CHECK (likes_count >= 0),
  created_at   INTEGER NOT NULL,
  updated_at   INTEGER NOT NULL,
  CHECK ((sender_type = 'agent') = (agent_id IS NOT NULL)),
  CHECK ((sender_type = 'customer') = (customer_id IS NOT NULL)),
  CHECK ((sender_type = 'user') = (api_key_id IS NOT NULL))
) STRICT;
CREATE INDEX message_ticket ON message (ticket_id, id);
CREATE INDEX message_agent ON message (agent_id) WHERE agent_id IS NOT NULL;
CREATE INDEX message_customer ON message (customer_id) WHERE customer_id IS NOT NULL;
CREATE INDEX message_api_key ON message (api_key_id) WHERE api_key_id IS NOT NULL;

CREATE TABLE message_like (
  message_id  INTEGER NOT NULL REFERENCES message (id) ON DELETE CASCADE,
  agent_id    INTEGER NOT NULL REFERENCES agent (id) ON DELETE CASCADE,
  PRIMARY KEY (message_id, agent_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX message_like_agent ON message_like (agent_id);

-- ---------------------------------------------------------------- notifications

-- What an agent is told. Title and message hold the reference and the sender's name, never a ticket's text.
CREATE TABLE notification (
  id             INTEGER PRIMARY KEY AUTOINCREMENT,
  agent_id       INTEGER NOT NULL REFERENCES agent (id) ON DELETE CASCADE,
  type           TEXT    NOT NULL CHECK (type IN ('ticket_reply', 'ticket_assigned', 'ticket_status', 'ticket_note')),
  title          TEXT    NOT NULL,
  message        TEXT    NOT NULL,
  ticket_id      INTEGER NOT NULL REFERENCES ticket (id) ON DELETE CASCADE,
  sender_name    TEXT,
  sender_avatar  TEXT,
  is_read        INTEGER NOT NULL DEFAULT 0 CHECK (is_read IN (0, 1)),
  created_at     INTEGER NOT NULL
) STRICT;
CREATE INDEX notification_agent ON notification (agent_id, id DESC);
CREATE INDEX notification_unread ON notification (agent_id, id DESC) WHERE is_read = 0;
CREATE INDEX notification_ticket ON notification (ticket_id, agent_id);

-- How many notifications an agent has, kept by triggers.
CREATE TABLE notification_count (
  agent_id  INTEGER PRIMARY KEY REFERENCES agent (id) ON DELETE CASCADE,
  total     INTEGER NOT NULL DEFAULT 0 CHECK (total >= 0),
  unread    INTEGER NOT NULL DEFAULT 0 CHECK (unread >= 0)
) STRICT;

-- ---------------------------------------------------------------- knowledge base

CREATE TABLE knowledge_category (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  name         TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 250),
  name_fold    TEXT    NOT NULL,
  description  TEXT    CHECK (length(description) <= 1000),
  icon         TEXT    CHECK (length(icon) <= 100),
  status       TEXT    NOT NULL DEFAULT 'published' CHECK (status IN ('published', 'draft')),
  sort_order   INTEGER NOT NULL DEFAULT 0 CHECK (sort_order BETWEEN 0 AND 2147483647),
  created_at   INTEGER NOT NULL,
  updated_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX knowledge_category_order ON knowledge_category (sort_order, id);

CREATE TABLE knowledge_article (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  title        TEXT    NOT NULL CHECK (length(title) BETWEEN 1 AND 250),
  slug         TEXT    NOT NULL UNIQUE CHECK (length(slug) BETWEEN 1 AND 250),
  excerpt      TEXT    CHECK (length(excerpt) <= 500),
  content      TEXT    NOT NULL CHECK (length(content) <= 100000),
  category_id  INTEGER REFERENCES knowledge_category (id) ON DELETE SET NULL,
  views        INTEGER NOT NULL DEFAULT 0 CHECK (views >= 0),
  status       TEXT    NOT NULL DEFAULT 'published' CHECK (status IN ('published', 'draft')),
  created_at   INTEGER NOT NULL,
  updated_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX knowledge_article_created ON knowledge_article (created_at DESC, id DESC);
CREATE INDEX knowledge_article_category ON knowledge_article (category_id, status);

-- Search over published articles only: drafts are not in here, so no query can leak one. Folded text. Titles and excerpts are in
-- an index of their own once more, because most hits are in the contents and the best must be found without going through them.
CREATE VIRTUAL TABLE knowledge_search USING fts5 (title, excerpt, content, tokenize = 'trigram case_sensitive 1', columnsize = 0);
CREATE VIRTUAL TABLE knowledge_head USING fts5 (title, excerpt, tokenize = 'trigram case_sensitive 1', content = '', contentless_delete = 1);
CREATE VIRTUAL TABLE knowledge_bigram USING fts5 (title, excerpt, content, tokenize = 'ascii', content = '', contentless_delete = 1, detail = 'column');

-- ---------------------------------------------------------------- records

-- Who changed what, when, from where. Append-only; survives its subject, so nothing in it is a foreign key.
CREATE TABLE activity (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  action        TEXT    NOT NULL,
  description   TEXT    NOT NULL,
  actor_type    TEXT    NOT NULL CHECK (actor_type IN ('agent', 'user', 'system', 'cli')),
  actor_id      INTEGER,
  actor_name    TEXT    NOT NULL,
  subject_type  TEXT    NOT NULL,
  subject_id    INTEGER,
  ticket_id     INTEGER,
  changes       TEXT    NOT NULL DEFAULT '{}' CHECK (json_valid(changes)),
  ip_address    TEXT,
  created_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX activity_ticket ON activity (ticket_id, id DESC) WHERE ticket_id IS NOT NULL;
CREATE INDEX activity_agent ON activity (actor_id, id DESC) WHERE actor_type = 'agent';
CREATE INDEX activity_created ON activity (created_at, id);
CREATE TRIGGER activity_is_append_only BEFORE UPDATE ON activity
WHEN NOT EXISTS (SELECT 1 FROM sample)
BEGIN SELECT raise(ABORT, 'the activity log is append-only'); END;
CREATE TRIGGER activity_is_never_deleted BEFORE DELETE ON activity
BEGIN SELECT raise(ABORT, 'the activity log is append-only'); END;

-- The answer to a POST that carried an Idempotency-Key, kept for 24 hours and written in the transaction it protects.
CREATE TABLE idempotency (
  api_key_id   INTEGER NOT NULL REFERENCES api_key (id) ON DELETE CASCADE,
  path         TEXT    NOT NULL,
  key          TEXT    NOT NULL,
  fingerprint  BLOB    NOT NULL,                    -- SHA-256 of the raw body, of one with a password without it
  status       INTEGER NOT NULL,
  location     TEXT,
  body         BLOB    NOT NULL,
  created_at   INTEGER NOT NULL,
  PRIMARY KEY (api_key_id, path, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_created ON idempotency (created_at);
CREATE INDEX idempotency_path ON idempotency (path);
CREATE INDEX idempotency_location ON idempotency (location) WHERE location IS NOT NULL;

-- ---------------------------------------------------------------- triggers: copies and counters

-- The whole desk's counters, and the copies in ticket_agent.
CREATE TRIGGER ticket_count_insert AFTER INSERT ON ticket BEGIN
  INSERT INTO ticket_count VALUES (0, ifnull(NEW.department_id, 0), NEW.status, NEW.priority, NEW.awaits_reply, 1)
  ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER ticket_count_delete AFTER DELETE ON ticket BEGIN
  UPDATE ticket_count SET n = n - 1 WHERE agent_id = 0 AND department_id = ifnull(OLD.department_id, 0)
    AND status = OLD.status AND priority = OLD.priority AND awaits_reply = OLD.awaits_reply;
END;
CREATE TRIGGER ticket_count_update AFTER UPDATE OF department_id, status, priority, awaits_reply ON ticket
WHEN (OLD.department_id, OLD.status, OLD.priority, OLD.awaits_reply) IS NOT (NEW.department_id, NEW.status, NEW.priority, NEW.awaits_reply)
BEGIN
  UPDATE ticket_count SET n = n - 1 WHERE agent_id = 0 AND department_id = ifnull(OLD.department_id, 0)
    AND status = OLD.status AND priority = OLD.priority AND awaits_reply = OLD.awaits_reply;
  INSERT INTO ticket_count VALUES (0, ifnull(NEW.department_id, 0), NEW.status, NEW.priority, NEW.awaits_reply, 1)
  ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER ticket_agent_copy
AFTER UPDATE OF status, priority, department_id, awaits_reply, created_at, updated_at, last_reply_at, closed_at ON ticket BEGIN
  UPDATE ticket_agent SET status = NEW.status, priority = NEW.priority, department_id = NEW.department_id,
    awaits_reply = NEW.awaits_reply, created_at = NEW.created_at, updated_at = NEW.updated_at,
    last_reply_at = NEW.last_reply_at, closed_at = NEW.closed_at
  WHERE ticket_id = NEW.id;
END;

-- What a ticket shows of its customer.
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
END;

-- What a ticket shows of the rows under it. Of a ticket that is being deleted nothing is left to be kept.
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
END;

-- Each agent's counters.
CREATE TRIGGER ticket_agent_count_insert AFTER INSERT ON ticket_agent BEGIN
  INSERT INTO ticket_count VALUES (NEW.agent_id, ifnull(NEW.department_id, 0), NEW.status, NEW.priority, NEW.awaits_reply, 1)
  ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER ticket_agent_count_delete AFTER DELETE ON ticket_agent BEGIN
  UPDATE ticket_count SET n = n - 1 WHERE agent_id = OLD.agent_id AND department_id = ifnull(OLD.department_id, 0)
    AND status = OLD.status AND priority = OLD.priority AND awaits_reply = OLD.awaits_reply;
END;
CREATE TRIGGER ticket_agent_count_update AFTER UPDATE OF department_id, status, priority, awaits_reply ON ticket_agent
WHEN (OLD.department_id, OLD.status, OLD.priority, OLD.awaits_reply) IS NOT (NEW.department_id, NEW.status, NEW.priority, NEW.awaits_reply)
BEGIN
  UPDATE ticket_count SET n = n - 1 WHERE agent_id = OLD.agent_id AND department_id = ifnull(OLD.department_id, 0)
    AND status = OLD.status AND priority = OLD.priority AND awaits_reply = OLD.awaits_reply;
  INSERT INTO ticket_count VALUES (NEW.agent_id, ifnull(NEW.department_id, 0), NEW.status, NEW.priority, NEW.awaits_reply, 1)
  ON CONFLICT DO UPDATE SET n = n + 1;
END;

-- Each agent's sums of its counters.
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
END;

CREATE TRIGGER message_like_insert AFTER INSERT ON message_like BEGIN
  UPDATE message SET likes_count = likes_count + 1 WHERE id = NEW.message_id;
END;
CREATE TRIGGER message_like_delete AFTER DELETE ON message_like BEGIN
  UPDATE message SET likes_count = likes_count - 1 WHERE id = OLD.message_id;
END;

CREATE TRIGGER notification_insert AFTER INSERT ON notification BEGIN
  INSERT INTO notification_count VALUES (NEW.agent_id, 1, 1 - NEW.is_read)
  ON CONFLICT DO UPDATE SET total = total + 1, unread = unread + 1 - NEW.is_read;
END;
CREATE TRIGGER notification_delete AFTER DELETE ON notification BEGIN
  UPDATE notification_count SET total = total - 1, unread = unread - 1 + OLD.is_read WHERE agent_id = OLD.agent_id;
END;
CREATE TRIGGER notification_update AFTER UPDATE OF is_read ON notification WHEN OLD.is_read <> NEW.is_read BEGIN
  UPDATE notification_count SET unread = unread + OLD.is_read - NEW.is_read WHERE agent_id = NEW.agent_id;
END;

-- ---------------------------------------------------------------- triggers: epochs

-- Names that a ticket shows.
CREATE TRIGGER department_names AFTER UPDATE OF name ON department WHEN OLD.name <> NEW.name
BEGIN UPDATE epoch SET names = names + 1; END;
CREATE TRIGGER category_names AFTER UPDATE OF name ON category WHEN OLD.name <> NEW.name
BEGIN UPDATE epoch SET names = names + 1; END;
CREATE TRIGGER product_names AFTER UPDATE OF name ON product WHEN OLD.name <> NEW.name
BEGIN UPDATE epoch SET names = names + 1; END;
CREATE TRIGGER customer_names AFTER UPDATE OF name, email ON customer WHEN OLD.name <> NEW.name OR OLD.email <> NEW.email
BEGIN UPDATE epoch SET names = names + 1; END;
CREATE TRIGGER label_names AFTER UPDATE OF name, color, sort_order ON label
WHEN OLD.name <> NEW.name OR OLD.color <> NEW.color OR OLD.sort_order <> NEW.sort_order
BEGIN UPDATE epoch SET names = names + 1; END;
CREATE TRIGGER custom_field_names AFTER UPDATE OF label, type, sort_order ON custom_field
WHEN OLD.label <> NEW.label OR OLD.type <> NEW.type OR OLD.sort_order <> NEW.sort_order
BEGIN UPDATE epoch SET names = names + 1; END;
CREATE TRIGGER agent_names AFTER UPDATE OF name ON agent WHEN OLD.name <> NEW.name
BEGIN UPDATE epoch SET names = names + 1; END;

-- What a deletion takes away from tickets, or from the look of them.
CREATE TRIGGER department_gone AFTER DELETE ON department BEGIN UPDATE epoch SET names = names + 1; END;
CREATE TRIGGER category_gone AFTER DELETE ON category BEGIN UPDATE epoch SET names = names + 1; END;
CREATE TRIGGER product_gone AFTER DELETE ON product BEGIN UPDATE epoch SET names = names + 1; END;
CREATE TRIGGER label_gone AFTER DELETE ON label BEGIN UPDATE epoch SET names = names + 1; END;
CREATE TRIGGER custom_field_gone AFTER DELETE ON custom_field BEGIN UPDATE epoch SET names = names + 1; END;
CREATE TRIGGER agent_gone AFTER UPDATE OF deleted_at ON agent BEGIN UPDATE epoch SET names = names + 1; END;

-- Who may do what.
CREATE TRIGGER agent_access AFTER UPDATE OF name, avatar_url, is_active, deleted_at ON agent BEGIN UPDATE epoch SET access = access + 1; END;
CREATE TRIGGER agent_department_access_insert AFTER INSERT ON agent_department BEGIN UPDATE epoch SET access = access + 1; END;
CREATE TRIGGER agent_department_access_delete AFTER DELETE ON agent_department BEGIN UPDATE epoch SET access = access + 1; END;
CREATE TRIGGER api_key_access_insert AFTER INSERT ON api_key BEGIN UPDATE epoch SET access = access + 1; END;
CREATE TRIGGER api_key_access_update AFTER UPDATE OF type, hash, scopes, special, agent_id, expires_at, revoked_at, name ON api_key
BEGIN UPDATE epoch SET access = access + 1; END;
CREATE TRIGGER setting_access AFTER UPDATE OF default_department_id, default_priority, auto_close_days, tickets_per_page,
  customer_max_tickets_per_day, auto_assign, department_visibility, time_zone, ticket_prefix ON setting
BEGIN UPDATE epoch SET access = access + 1; END;

-- ---------------------------------------------------------------- the rows that are always there

INSERT INTO setting (id) VALUES (1);
INSERT INTO epoch (id) VALUES (1);
