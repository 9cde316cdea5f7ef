-- The transaction of tpcb-like as one pipeline.
\set account random(1, 100000 * :scale)
\set branch random(1, :scale)
\set teller random(1, 10 * :scale)
\set delta random(-5000, 5000)
\startpipeline
BEGIN;
UPDATE pgbench_accounts SET abalance = abalance + :delta WHERE aid = :account;
SELECT abalance FROM pgbench_accounts WHERE aid = :account;
UPDATE pgbench_tellers SET tbalance = tbalance + :delta WHERE tid = :teller;
UPDATE pgbench_branches SET bbalance = bbalance + :delta WHERE bid = :branch;
INSERT INTO pgbench_history (tid, bid, aid, delta, mtime)
    VALUES (:teller, :branch, :account, :delta, CURRENT_TIMESTAMP);
END;
\endpipeline
