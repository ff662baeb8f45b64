-- owner: store/order_state.py; the appliance's own clock as a process last saw it: by it the uses of
-- an hour's budget keep their age over a start
ALTER TABLE order_state ADD COLUMN seen_s INTEGER;
-- since when the newest hold that people cleared had been in force: no later one begins at it again
ALTER TABLE order_state ADD COLUMN cleared_s INTEGER NOT NULL DEFAULT 0;

-- owner: store/opinions.py; why a person on the LAN vetoed, which stays here, and the salt of the
-- commitment to it in the signed veto
ALTER TABLE order_opinions ADD COLUMN reason TEXT NOT NULL DEFAULT '';
ALTER TABLE order_opinions ADD COLUMN salt BLOB;
