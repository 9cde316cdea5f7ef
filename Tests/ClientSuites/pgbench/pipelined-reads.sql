-- Several reads, hits and misses, in one pipeline.
\set one random(1, 20)
\set other random(1, 100000 * :scale)
\startpipeline
SELECT tbalance FROM pgbench_tellers WHERE tid = :one;
SELECT abalance FROM pgbench_accounts WHERE aid = :other;
SELECT count(*) FROM pgbench_tellers;
SELECT tbalance FROM pgbench_tellers WHERE tid = :one;
\endpipeline
