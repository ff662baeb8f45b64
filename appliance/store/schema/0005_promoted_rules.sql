-- owner: store/promoted_rules.py; promoted rules that an order took up, one a rule; at most ROWS_MAX
CREATE TABLE promoted_rules (
  rule      TEXT PRIMARY KEY,
  sha256    TEXT NOT NULL CHECK (length(sha256) = 64), -- of the file, as the signed set lists it
  order_sid TEXT NOT NULL CHECK (length(order_sid) = 64),
  taken_ms  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
