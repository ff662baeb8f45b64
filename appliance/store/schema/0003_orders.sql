-- owner: store/order_log.py; the site's order log as mirrored: bytes of the newest leaves, at most
-- LEAVES_KEPT and BYTES_KEPT, and of all that is not settled
CREATE TABLE order_leaves (
  idx        INTEGER PRIMARY KEY,
  leaf       BLOB NOT NULL, -- the envelope exactly as logged
  fetched_ms INTEGER NOT NULL
) STRICT;

-- owner: store/order_log.py; the hash of every complete subtree; two a leaf, kept like the log itself
CREATE TABLE order_nodes (
  level INTEGER NOT NULL,
  idx   INTEGER NOT NULL,
  hash  BLOB NOT NULL CHECK (length(hash) = 32),
  PRIMARY KEY (level, idx)
) STRICT, WITHOUT ROWID;

-- owner: store/order_log.py; one row: the mirror's head, moved by compare-and-set
CREATE TABLE order_log (
  only        INTEGER PRIMARY KEY CHECK (only = 1),
  size        INTEGER NOT NULL,
  peaks       BLOB NOT NULL,
  head_size   INTEGER, -- of the newest verified checkpoint, which may be ahead of the leaves
  head_root   BLOB,
  checkpoint  BLOB, -- that checkpoint as the hub signed it
  enrolled_at INTEGER, -- the log's size when it was first seen here: what is before is history
  judged      INTEGER NOT NULL DEFAULT 0 -- the first leaf that was never judged
) STRICT;
INSERT INTO order_log (only, size, peaks) VALUES (1, 0, x'');

-- owner: store/order_state.py; one row: what orders are judged by that outlives a restart
CREATE TABLE order_state (
  only          INTEGER PRIMARY KEY CHECK (only = 1),
  floor_s       INTEGER NOT NULL, -- the highest signed time that was verified
  refusals      TEXT NOT NULL, -- times of the last security refusals, seconds, with commas
  held_since_s  INTEGER, -- since when those hold orders back
  receipt_prev  TEXT NOT NULL CHECK (length(receipt_prev) = 64), -- sid of the newest receipt
  is_recovering INTEGER NOT NULL -- behind its own acknowledged evidence: nothing is accepted
) STRICT;
INSERT INTO order_state VALUES (
  1, 0, '', NULL, '0000000000000000000000000000000000000000000000000000000000000000', 0
);

-- owner: store/orders.py; the ledger: what each leaf came to. The newest ROWS_KEPT rows, and all that
-- are not settled; more than the 4096 leaves in which an order can be used
CREATE TABLE orders (
  idx        INTEGER PRIMARY KEY,
  hash       BLOB NOT NULL CHECK (length(hash) = 32), -- of the leaf
  sid        TEXT, -- both NULL for bytes that could not be believed
  nonce      TEXT,
  state      TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'ended', 'refused')),
  since_s    INTEGER NOT NULL,
  type       TEXT, -- NULL where the body could not be read
  code       TEXT NOT NULL DEFAULT '', -- why it waits, or never runs
  detail     TEXT NOT NULL DEFAULT '', -- of that, for people on the site
  until_s    INTEGER, -- when a waiting one is judged again
  tier       INTEGER,
  grant_id   TEXT,
  is_change  INTEGER,
  targets    TEXT, -- JSON: the targets it changes
  accepted_s INTEGER,
  deadline_s INTEGER, -- when its run ends as unknown
  outcome    TEXT CHECK (outcome IN ('done', 'failed', 'unknown')),
  intent     INTEGER, -- evidence leaf of its intent receipt
  final      INTEGER, -- evidence leaf of its final receipt
  CHECK ((sid IS NULL) = (nonce IS NULL)),
  CHECK ((state = 'refused') = (sid IS NULL)),
  CHECK ((state = 'done') = (outcome IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX orders_sid ON orders (sid) WHERE sid IS NOT NULL;
CREATE UNIQUE INDEX orders_nonce ON orders (nonce) WHERE nonce IS NOT NULL;
CREATE INDEX orders_open ON orders (state) WHERE state IN ('waiting', 'running');
CREATE INDEX orders_accepted ON orders (accepted_s) WHERE accepted_s IS NOT NULL;

-- owner: store/opinions.py; what people and orders said of an order, newest ROWS_MAX rows
CREATE TABLE order_opinions (
  order_sid TEXT NOT NULL CHECK (length(order_sid) = 64),
  kind      TEXT NOT NULL CHECK (kind IN ('veto', 'consent', 'cancel')),
  by        TEXT NOT NULL, -- a person's code, or the sid of the cancelling order
  statement BLOB, -- the signed statement, NULL for a cancel: that is an order of the log
  at_s      INTEGER NOT NULL,
  PRIMARY KEY (order_sid, kind)
) STRICT, WITHOUT ROWID;

-- owner: store/opinions.py; sealed logins that orders of the log name, newest BOXES_MAX
CREATE TABLE order_boxes (
  sha256     TEXT PRIMARY KEY CHECK (length(sha256) = 64),
  box        BLOB NOT NULL,
  arrived_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
