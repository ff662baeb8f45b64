-- Times are milliseconds since the epoch (_ms) unless a statement's own seconds are kept.
-- Each table names the module that owns and bounds it.

-- owner: store/meta.py; a fixed set of keys
CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- owner: store/devices.py; at most DEVICES_MAX rows, unseen ones go first
CREATE TABLE devices (
  id         TEXT PRIMARY KEY,
  class      TEXT NOT NULL,
  off_limits INTEGER NOT NULL DEFAULT 0 CHECK (off_limits IN (0, 1)), -- never connected to: looked at by sweep only
  because    TEXT NOT NULL DEFAULT '',
  label      TEXT NOT NULL DEFAULT '',
  first_ms   INTEGER NOT NULL,
  last_ms    INTEGER NOT NULL,
  full_ms    INTEGER NOT NULL DEFAULT 0 -- when its findings were last written to evidence in full
) STRICT, WITHOUT ROWID;

-- owner: store/devices.py; dated attributes find a device, none of them is its identity
CREATE TABLE device_attributes (
  device   TEXT NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
  kind     TEXT NOT NULL CHECK (kind IN ('mac', 'host_key', 'address', 'name', 'vendor')),
  value    TEXT NOT NULL,
  first_ms INTEGER NOT NULL,
  last_ms  INTEGER NOT NULL,
  PRIMARY KEY (device, kind, value)
) STRICT, WITHOUT ROWID;
CREATE INDEX device_attributes_find ON device_attributes (kind, value, last_ms);

-- owner: store/conflicts.py; attributes that point at different devices wait here for a person;
-- a settled one stays, so that the same disagreement is not asked again
CREATE TABLE device_conflicts (
  id         INTEGER PRIMARY KEY,
  device     TEXT NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
  other      TEXT NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
  kind       TEXT NOT NULL,
  value      TEXT NOT NULL,
  at_ms      INTEGER NOT NULL,
  settled_ms INTEGER,
  UNIQUE (device, other, kind, value)
) STRICT;

-- owner: store/decisions.py; what people decided about a device, who, when and why
CREATE TABLE device_decisions (
  device  TEXT NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
  n       INTEGER NOT NULL,
  kind    TEXT NOT NULL CHECK (kind IN ('off_limits', 'released', 'settled')),
  account TEXT NOT NULL,
  reason  TEXT NOT NULL,
  about   TEXT NOT NULL, -- JSON: what was known when it was decided
  at_ms   INTEGER NOT NULL,
  PRIMARY KEY (device, n)
) STRICT, WITHOUT ROWID;

-- owner: store/devices.py; at most 20 rows a device
CREATE TABLE device_ports (
  device  TEXT NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
  port    INTEGER NOT NULL CHECK (port BETWEEN 1 AND 65535),
  open    INTEGER NOT NULL CHECK (open IN (0, 1)),
  seen_ms INTEGER NOT NULL,
  PRIMARY KEY (device, port)
) STRICT, WITHOUT ROWID;

-- owner: store/targets.py; one a device
CREATE TABLE targets (
  id          TEXT PRIMARY KEY REFERENCES devices (id),
  platform    TEXT NOT NULL,
  address     TEXT NOT NULL,
  port        INTEGER NOT NULL CHECK (port BETWEEN 1 AND 65535),
  login       TEXT NOT NULL,
  sudo        TEXT NOT NULL CHECK (sudo IN ('none', 'nopasswd', 'ask')),
  host_key    TEXT NOT NULL,
  os          TEXT NOT NULL,
  os_version  TEXT NOT NULL,
  added_ms    INTEGER NOT NULL,
  removed_ms  INTEGER
) STRICT, WITHOUT ROWID;

-- owner: store/targets.py; sealed with the appliance's key, never readable as stored
CREATE TABLE credentials (
  target TEXT NOT NULL REFERENCES targets (id) ON DELETE CASCADE,
  kind   TEXT NOT NULL CHECK (kind IN ('private_key', 'password', 'sudo_password')),
  sealed BLOB NOT NULL,
  PRIMARY KEY (target, kind)
) STRICT, WITHOUT ROWID;

-- owner: store/findings.py; the current finding of each check on each target
CREATE TABLE findings (
  target       TEXT NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
  check_id     TEXT NOT NULL,
  verdict      TEXT NOT NULL CHECK (verdict IN ('compliant', 'drifted', 'not_applicable', 'unknown')),
  reason       TEXT CHECK ((verdict = 'unknown') = (reason IS NOT NULL)),
  seen         TEXT NOT NULL, -- JSON object of the reported fields
  at_ms        INTEGER NOT NULL,
  vantage      TEXT NOT NULL,
  content      TEXT NOT NULL,
  since_ms     INTEGER NOT NULL, -- since when this verdict and reason hold
  reported     TEXT NOT NULL DEFAULT '', -- what the last scan leaf said, to write only changes
  PRIMARY KEY (target, check_id)
) STRICT, WITHOUT ROWID;

-- owner: store/incidents.py; closed ones are pruned after 90 days once their evidence is acknowledged
CREATE TABLE incidents (
  id            TEXT PRIMARY KEY,
  target        TEXT NOT NULL REFERENCES devices (id),
  check_id      TEXT NOT NULL,
  platform      TEXT NOT NULL,
  severity      TEXT NOT NULL,
  seen          TEXT NOT NULL,
  state         TEXT NOT NULL CHECK (state IN ('open', 'planned', 'executing', 'verifying', 'undoing',
                                               'healed', 'escalated', 'waived', 'closed')),
  attempt       INTEGER NOT NULL,
  opened_ms     INTEGER NOT NULL,
  updated_ms    INTEGER NOT NULL,
  decided_by    TEXT,
  decided_id    TEXT,
  losers        TEXT NOT NULL DEFAULT '[]',
  runbook       TEXT,
  params        TEXT,
  closed_ms     INTEGER,
  cause         TEXT,
  not_before_ms INTEGER NOT NULL DEFAULT 0,
  verify_tries  INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX incidents_one_live ON incidents (target, check_id) WHERE state <> 'closed';
CREATE UNIQUE INDEX incidents_one_change ON incidents (target)
  WHERE state IN ('planned', 'executing', 'verifying', 'undoing');
CREATE INDEX incidents_by_state ON incidents (state, updated_ms);

-- owner: store/incidents.py; the turns of an incident, for people; goes with its incident
CREATE TABLE turns (
  incident TEXT NOT NULL REFERENCES incidents (id) ON DELETE CASCADE,
  n        INTEGER NOT NULL,
  at_ms    INTEGER NOT NULL,
  state    TEXT NOT NULL,
  cause    TEXT,
  actor    TEXT NOT NULL,
  note     TEXT NOT NULL DEFAULT '',
  leaf     INTEGER, -- the evidence leaf that records this turn
  PRIMARY KEY (incident, n)
) STRICT, WITHOUT ROWID;

-- owner: store/journal.py; what a repair was going to do, frozen before its first step
CREATE TABLE repairs (
  incident TEXT NOT NULL REFERENCES incidents (id) ON DELETE CASCADE,
  run      INTEGER NOT NULL, -- counts every start of a repair, also one that never reached the target
  attempt  INTEGER NOT NULL,
  check_id TEXT NOT NULL,
  rule     TEXT NOT NULL,
  runbook  TEXT NOT NULL,
  plan     TEXT NOT NULL, -- JSON: scripts, params and facts as they were when planned
  content  TEXT NOT NULL,
  before   TEXT NOT NULL, -- JSON: verdict, reason, seen of the finding it answers
  captured TEXT,          -- JSON answer of the capture; undo gets it back
  after    TEXT,          -- JSON: verdict, reason, seen of the verify
  result   TEXT CHECK (result IN ('healed', 'undone', 'failed', 'unknown')),
  at_ms    INTEGER NOT NULL,
  done_ms  INTEGER,
  leaf     INTEGER,
  PRIMARY KEY (incident, run)
) STRICT, WITHOUT ROWID;

-- owner: store/journal.py; intent before (created, started), result after (done)
CREATE TABLE commands (
  id            INTEGER PRIMARY KEY,
  incident      TEXT NOT NULL REFERENCES incidents (id) ON DELETE CASCADE,
  run           INTEGER NOT NULL,
  kind          TEXT NOT NULL CHECK (kind IN ('capture', 'step', 'verify', 'undo')),
  step          INTEGER NOT NULL, -- index of the step, or number of the verify's try
  created_ms    INTEGER NOT NULL,
  not_before_ms INTEGER NOT NULL,
  started_ms    INTEGER,
  done_ms       INTEGER,
  outcome       TEXT CHECK (outcome IN ('done', 'failed', 'unknown')),
  changed       INTEGER CHECK (changed IN (0, 1)),
  why           TEXT,
  UNIQUE (incident, run, kind, step)
) STRICT;
CREATE INDEX commands_unfinished ON commands (incident) WHERE done_ms IS NULL;

-- owner: store/limits.py; a day is kept
CREATE TABLE rule_fires (
  rule   TEXT NOT NULL,
  target TEXT NOT NULL,
  at_ms  INTEGER NOT NULL,
  PRIMARY KEY (rule, target, at_ms)
) STRICT, WITHOUT ROWID;

-- owner: store/limits.py; one row a target and runbook that failed
CREATE TABLE breakers (
  target        TEXT NOT NULL,
  runbook       TEXT NOT NULL,
  failures      INTEGER NOT NULL,
  open_until_ms INTEGER NOT NULL,
  PRIMARY KEY (target, runbook)
) STRICT, WITHOUT ROWID;

-- owner: store/waivers.py; ended ones are pruned after 90 days
CREATE TABLE waivers (
  id         INTEGER PRIMARY KEY,
  target     TEXT NOT NULL,
  check_id   TEXT NOT NULL,
  reason     TEXT NOT NULL,
  account    TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  until_ms   INTEGER NOT NULL,
  ended_ms   INTEGER,
  ended_by   TEXT NOT NULL DEFAULT '' -- who ended it before its time
) STRICT;
CREATE INDEX waivers_find ON waivers (target, check_id);

-- owner: store/evidence.py; kept until acknowledged and 90 days; the last thing shed
CREATE TABLE evidence (
  idx      INTEGER PRIMARY KEY,
  leaf     BLOB, -- the envelope as signed; NULL once pruned
  hash     BLOB NOT NULL CHECK (length(hash) = 32),
  type     TEXT NOT NULL,
  at       INTEGER NOT NULL,
  target   TEXT,
  incident TEXT
) STRICT;
CREATE INDEX evidence_by_target ON evidence (target, idx);

-- owner: store/evidence.py; the openings of a leaf's commitments, erasable without touching the log
CREATE TABLE evidence_details (
  idx    INTEGER NOT NULL,
  part   TEXT NOT NULL,
  salt   BLOB NOT NULL,
  detail BLOB NOT NULL,
  PRIMARY KEY (idx, part)
) STRICT, WITHOUT ROWID;

-- owner: store/evidence.py; one row: the log's head, and what the hub acknowledged
CREATE TABLE evidence_head (
  only       INTEGER PRIMARY KEY CHECK (only = 1),
  size       INTEGER NOT NULL,
  peaks      BLOB NOT NULL, -- compact range: the hashes of the perfect subtrees, left to right
  acked_size INTEGER NOT NULL CHECK (acked_size <= size),
  cosigned   TEXT NOT NULL
) STRICT;
INSERT INTO evidence_head VALUES (1, 0, x'', 0, '');

-- owner: store/vault.py; the newest TOKENS_MAX values that tokens stand for, sealed
CREATE TABLE vault (
  seq    INTEGER PRIMARY KEY,
  kind   TEXT NOT NULL,
  body   TEXT NOT NULL UNIQUE CHECK (length(body) = 6), -- random, as in the token
  lookup BLOB NOT NULL UNIQUE CHECK (length(lookup) = 16), -- HMAC of class and normalised value
  sealed BLOB NOT NULL
) STRICT;

-- owner: store/vault.py; one row: the key of the lookups, sealed
CREATE TABLE vault_key (
  only   INTEGER PRIMARY KEY CHECK (only = 1),
  sealed BLOB NOT NULL
) STRICT;

-- owner: store/withheld.py; at most ROWS_MAX rows
CREATE TABLE withheld (
  source   TEXT NOT NULL,
  reason   TEXT NOT NULL,
  count    INTEGER NOT NULL CHECK (count > 0),
  first_ms INTEGER NOT NULL,
  last_ms  INTEGER NOT NULL,
  sha256   TEXT NOT NULL, -- of the last one
  PRIMARY KEY (source, reason)
) STRICT, WITHOUT ROWID;

-- owner: store/disclosures.py; kept six years, as 45 CFR 164.316(b)(2)(i) wants; at most ROWS_MAX rows
CREATE TABLE disclosures (
  leaf    INTEGER PRIMARY KEY, -- the evidence leaf that commits to this row's reason
  at_ms   INTEGER NOT NULL,
  account TEXT NOT NULL,
  act     TEXT NOT NULL CHECK (act IN ('revealed', 'forgotten')),
  class   TEXT, -- of the token revealed
  count   INTEGER NOT NULL, -- tokens revealed or forgotten
  salt    BLOB NOT NULL,
  detail  BLOB NOT NULL -- JSON: the reason; never the value
) STRICT;

-- owner: store/health.py; one row a condition that holds
CREATE TABLE health (
  code     TEXT PRIMARY KEY,
  since_ms INTEGER NOT NULL,
  detail   TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- owner: store/quarantine.py; what the last look stopped at the door, at most 100 pieces, sealed
CREATE TABLE quarantine (
  sha256     BLOB PRIMARY KEY CHECK (length(sha256) = 32),
  what       TEXT NOT NULL,
  forms      TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  sealed     BLOB NOT NULL,
  times      INTEGER NOT NULL,
  first_ms   INTEGER NOT NULL,
  last_ms    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- owner: store/accounts.py; made by the command line only
CREATE TABLE accounts (
  name          TEXT PRIMARY KEY,
  password_hash TEXT NOT NULL,
  created_ms    INTEGER NOT NULL,
  code          TEXT NOT NULL UNIQUE DEFAULT ('p-' || lower(hex(randomblob(5)))) -- its name in evidence
) STRICT, WITHOUT ROWID;

-- owner: store/accounts.py; expired ones are deleted at each sign-in
CREATE TABLE sessions (
  token_hash BLOB PRIMARY KEY,
  account    TEXT NOT NULL REFERENCES accounts (name) ON DELETE CASCADE,
  seen_ms    INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
