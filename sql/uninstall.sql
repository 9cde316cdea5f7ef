-- Takes away what install.sql made in this database. `walden init --uninstall` runs this file in one transaction, as a
-- superuser. What is not there is passed over.

-- First, so that no table ever is published without an identity.
DROP PUBLICATION IF EXISTS walden;

-- Before anything else changes the schema.
DROP EVENT TRIGGER IF EXISTS walden_ddl;
DROP EVENT TRIGGER IF EXISTS walden_drop;
DROP EVENT TRIGGER IF EXISTS walden_start;

-- Puts the replica identities back that Walden set to FULL, unless somebody has changed them since.
DO $do$
DECLARE
    candidate record;
BEGIN
    IF pg_catalog.to_regclass('walden.replica_identity') IS NULL THEN
        RETURN;
    END IF;
    FOR candidate IN
        SELECT n.nspname AS schema_name, c.relname AS table_name, r.previous
        FROM walden.replica_identity r
        JOIN pg_catalog.pg_class c ON c.oid = r.relation
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relreplident = 'f' AND c.relkind = 'r'
    LOOP
        EXECUTE pg_catalog.format(
            'ALTER TABLE %I.%I REPLICA IDENTITY %s', candidate.schema_name, candidate.table_name,
            CASE candidate.previous WHEN 'n' THEN 'NOTHING' ELSE 'DEFAULT' END);
    END LOOP;
END
$do$;

-- The functions, the view and the table.
DROP SCHEMA IF EXISTS walden CASCADE;

-- The role, if `walden init` made it and no other database or object needs it any more.
DO $do$
BEGIN
    IF EXISTS (
        SELECT FROM pg_catalog.pg_roles
        WHERE rolname = 'walden'
        AND pg_catalog.shobj_description(oid, 'pg_authid') = 'made by walden init'
    ) THEN
        EXECUTE pg_catalog.format('REVOKE CONNECT ON DATABASE %I FROM walden', pg_catalog.current_database());
        DROP ROLE walden;
    END IF;
EXCEPTION
    WHEN dependent_objects_still_exist OR object_in_use THEN
        RAISE NOTICE 'the role walden stays: %', SQLERRM;
END
$do$;
