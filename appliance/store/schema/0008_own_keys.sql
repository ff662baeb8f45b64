-- owner: store/own_keys.py; this appliance's own public keys, oldest first; a row a renewal.
-- No row: the keys of the enrollment. The private halves are files and never stand here.
CREATE TABLE own_keys (
  leaf    INTEGER PRIMARY KEY CHECK (leaf >= -1), -- the evidence leaf that named them, -1 the enrollment
  ed25519 BLOB NOT NULL UNIQUE CHECK (length(ed25519) = 32),
  x25519  BLOB CHECK (length(x25519) = 32 OR leaf = -1),
  at_s    INTEGER NOT NULL -- when, by that leaf; 0 for the enrollment
) STRICT;
