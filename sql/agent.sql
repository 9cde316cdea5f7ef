-- The role by which agents reach the primary for a rejoin: pg_rewind, pg_basebackup, and the agents' own look. Run as a
-- superuser at the primary, once; it is replicated. Needs PostgreSQL 15 (pg_checkpoint); on 14 leave that line out and make
-- sure that a checkpoint follows each promotion.
CREATE ROLE walden_agent LOGIN REPLICATION;

-- pg_rewind reads the source's files by these.
GRANT EXECUTE ON FUNCTION pg_catalog.pg_ls_dir(text, boolean, boolean) TO walden_agent;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_stat_file(text, boolean) TO walden_agent;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_read_binary_file(text) TO walden_agent;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_read_binary_file(text, bigint, bigint, boolean) TO walden_agent;

-- Sizes of databases, to see beforehand whether a copy has room.
GRANT pg_read_all_stats TO walden_agent;

-- After a promotion pg_rewind reads the timeline from the last checkpoint.
GRANT pg_checkpoint TO walden_agent;
