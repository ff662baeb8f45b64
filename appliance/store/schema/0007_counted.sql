-- owner: store/orders.py; by what an hour's budget counts an order after a start; NULL while that is
-- when it was accepted, which is never changed
ALTER TABLE orders ADD COLUMN counted_s INTEGER;
DROP INDEX orders_accepted;
CREATE INDEX orders_counted ON orders (coalesce(counted_s, accepted_s));
