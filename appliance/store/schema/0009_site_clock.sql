-- owner: store/order_state.py; the people's time that was counted last, so that lowering lasts, and
-- the trust root that was seen last
ALTER TABLE order_state ADD COLUMN people_s INTEGER NOT NULL DEFAULT 0;
ALTER TABLE order_state ADD COLUMN root_version INTEGER NOT NULL DEFAULT 0;

-- owner: store/clock_sets.py; who set the floor clock, and why; the newest ROWS_MAX
CREATE TABLE clock_sets (
  leaf    INTEGER PRIMARY KEY, -- the receipt in the evidence log
  at_ms   INTEGER NOT NULL,
  account TEXT NOT NULL,
  was_s   INTEGER NOT NULL,
  to_s    INTEGER NOT NULL,
  reason  TEXT NOT NULL,
  salt    BLOB NOT NULL -- with the reason it opens the receipt's commitment
) STRICT;
