-- owner: store/accounts.py; when an account was shut out, NULL while it may sign in
ALTER TABLE accounts ADD COLUMN disabled_ms INTEGER;
