-- owner: store/ordered.py; what orders set, each with its end; ended ones go after 90 days
CREATE TABLE ordered_settings (
  id        INTEGER PRIMARY KEY,
  matter    TEXT NOT NULL CHECK (matter IN ('autonomy', 'healing', 'waiver')),
  check_id  TEXT NOT NULL, -- 'all' for every check
  target    TEXT NOT NULL, -- 'all' for every target
  autonomy  TEXT CHECK ((matter = 'autonomy') = (autonomy IS NOT NULL)),
  order_sid TEXT NOT NULL CHECK (length(order_sid) = 64),
  made_ms   INTEGER NOT NULL,
  until_ms  INTEGER NOT NULL,
  ended_ms  INTEGER, -- when an order ended it before its time
  ended_by  TEXT NOT NULL DEFAULT '' -- the sid of that order
) STRICT;
CREATE INDEX ordered_settings_find ON ordered_settings (matter, check_id, target);

-- owner: store/lan_rules.py; targets that nothing changes; ended ones go after 90 days
CREATE TABLE protected_hosts (
  id         INTEGER PRIMARY KEY,
  target     TEXT NOT NULL,
  reason     TEXT NOT NULL,
  account    TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  ended_ms   INTEGER,
  ended_by   TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE UNIQUE INDEX protected_hosts_one ON protected_hosts (target) WHERE ended_ms IS NULL;

-- owner: store/lan_rules.py; at most WINDOWS_MAX rows
CREATE TABLE maintenance_windows (
  id         INTEGER PRIMARY KEY,
  days       TEXT NOT NULL, -- digits, Monday is 0
  start_min  INTEGER NOT NULL CHECK (start_min BETWEEN 0 AND 1439),
  length_min INTEGER NOT NULL CHECK (length_min BETWEEN 15 AND 1440),
  account    TEXT NOT NULL,
  created_ms INTEGER NOT NULL
) STRICT;

-- owner: store/journal.py; the order that a repair carried out, NULL for a rule's own
ALTER TABLE repairs ADD COLUMN order_sid TEXT;
CREATE INDEX repairs_by_time ON repairs (at_ms);
