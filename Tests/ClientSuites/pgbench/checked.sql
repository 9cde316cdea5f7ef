-- Reads its own write back inside its transaction and after it; a wrong read divides by zero and fails the run.
\set account random(1, 100000 * :scale)
BEGIN;
SELECT abalance AS before FROM pgbench_accounts WHERE aid = :account FOR UPDATE \gset
UPDATE pgbench_accounts SET abalance = abalance + 0 WHERE aid = :account;
SELECT 1 / (abalance = :before)::int FROM pgbench_accounts WHERE aid = :account;
COMMIT;
SELECT count(*) AS tellers FROM pgbench_tellers \gset
SELECT 1 / (:tellers = 10 * :scale)::int;
