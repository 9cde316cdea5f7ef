-- What Walden's sentinel may do, and nothing more: to be run once on the primary, as a superuser, for PostgreSQL 15 and
-- later. The role reads no table. Give it a password, or let pg_hba.conf say how it is known:
-- psql -v ON_ERROR_STOP=1 --single-transaction -f sentinel.sql
CREATE ROLE walden_sentinel LOGIN;

-- Receivers, settings that only superusers see otherwise (primary_conninfo).
GRANT pg_monitor TO walden_sentinel;

-- Sever, follow, set the rule for commits.
GRANT ALTER SYSTEM ON PARAMETER primary_conninfo, synchronous_standby_names TO walden_sentinel;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_reload_conf() TO walden_sentinel;

-- Promote; then a checkpoint, without which the old primary cannot be rewound.
GRANT EXECUTE ON FUNCTION pg_catalog.pg_promote(boolean, integer) TO walden_sentinel;
GRANT pg_checkpoint TO walden_sentinel;
