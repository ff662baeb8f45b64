-- owner: store/accounts.py; when an account was shut out, NULL while it may sign in
ALTER TABLE accounts ADD COLUMN disabled_ms INTEGER;

-- owner: store/evidence.py; the size of the head that the hub co-signed last, 0 before the first
ALTER TABLE evidence_head ADD COLUMN cosigned_size INTEGER NOT NULL DEFAULT 0;
