-- owner: store/limits.py; rule_fires, breakers and these go by the running clock, which nobody sets:
-- it began as the clock on the wall and counts only while the appliance runs (core/run_clock.py)
ALTER TABLE repairs ADD COLUMN fired_ms INTEGER NOT NULL DEFAULT 0;
UPDATE repairs SET fired_ms = at_ms;
ALTER TABLE targets ADD COLUMN fresh_ms INTEGER; -- when it was added; NULL where it is long since
