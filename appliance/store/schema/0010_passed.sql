-- owner: store/order_state.py; a time that has surely passed: what people signed last, and how long
-- this appliance has run since. No clock that somebody set back, and no root, makes it earlier
ALTER TABLE order_state ADD COLUMN passed_s INTEGER NOT NULL DEFAULT 0;
