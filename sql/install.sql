-- What Walden needs in a database. `walden init` runs this file in one transaction, as a superuser; running it again
-- repairs and upgrades what it finds. uninstall.sql takes all of it away. Plain SQL: psql runs it as well
-- (psql --single-transaction -v ON_ERROR_STOP=1 -f install.sql).

-- All objects that belong to a database live in this schema, but for the publication and the event triggers, which
-- have no schema.
CREATE SCHEMA IF NOT EXISTS walden;

-- The version of these objects, so that a newer Walden knows what it meets.
CREATE OR REPLACE FUNCTION walden.schema_version() RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS 'SELECT 3';

-- Tables whose replica identity Walden set to FULL, and what it was before, so that uninstalling can put it back.
CREATE TABLE IF NOT EXISTS walden.replica_identity (
    relation oid PRIMARY KEY,
    previous "char" NOT NULL
);

-- Permanent tables without a replica identity: no key that is valid and not deferrable, and not FULL. PostgreSQL
-- refuses UPDATE and DELETE on such a table as soon as a publication covers it.
CREATE OR REPLACE VIEW walden.tables_without_identity AS
SELECT c.oid AS relation, n.nspname AS schema_name, c.relname AS table_name, c.relreplident AS identity
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND c.oid >= 16384
AND c.relreplident <> 'f'
AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_index i
    WHERE i.indrelid = c.oid AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL
    AND ((c.relreplident = 'd' AND i.indisprimary) OR (c.relreplident = 'i' AND i.indisreplident))
);

-- Gives tables without a replica identity the identity FULL, all of them or one. A table that cannot be altered now
-- (another session has it locked for long) is reported by a warning and left to the next call.
CREATE OR REPLACE FUNCTION walden.keep_identities(only_relation oid DEFAULT NULL) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '5s'
AS $function$
DECLARE
    candidate record;
BEGIN
    FOR candidate IN
        SELECT * FROM walden.tables_without_identity t
        WHERE only_relation IS NULL OR t.relation = only_relation
    LOOP
        BEGIN
            EXECUTE format(
                'ALTER TABLE %I.%I REPLICA IDENTITY FULL', candidate.schema_name, candidate.table_name);
            INSERT INTO walden.replica_identity VALUES (candidate.relation, candidate.identity)
            ON CONFLICT (relation) DO UPDATE SET previous = excluded.previous;
        EXCEPTION WHEN OTHERS THEN
            RAISE WARNING 'walden: UPDATE and DELETE on %.% fail until it has a replica identity: %',
                candidate.schema_name, candidate.table_name, SQLERRM
                USING HINT = format(
                    'ALTER TABLE %I.%I REPLICA IDENTITY FULL', candidate.schema_name, candidate.table_name);
        END;
    END LOOP;
END
$function$;

-- Puts a table that Walden set to FULL back to DEFAULT once it has a primary key, as after restoring a dump, which
-- adds keys last.
CREATE OR REPLACE FUNCTION walden.release_identity(only_relation oid) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    candidate record;
BEGIN
    FOR candidate IN
        SELECT n.nspname AS schema_name, c.relname AS table_name
        FROM walden.replica_identity r
        JOIN pg_class c ON c.oid = r.relation
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE r.relation = only_relation AND r.previous = 'd' AND c.relreplident = 'f'
        AND EXISTS (
            SELECT FROM pg_index i
            WHERE i.indrelid = c.oid AND i.indisprimary AND i.indisvalid AND i.indimmediate
        )
    LOOP
        DELETE FROM walden.replica_identity WHERE relation = only_relation;
        EXECUTE format('ALTER TABLE %I.%I REPLICA IDENTITY DEFAULT', candidate.schema_name, candidate.table_name);
    END LOOP;
END
$function$;

-- A relation with its ancestors and descendants in inheritance or partitioning.
CREATE OR REPLACE FUNCTION walden.family(relation oid) RETURNS oid[]
LANGUAGE sql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $function$
    WITH RECURSIVE up (id) AS (
        SELECT relation UNION SELECT i.inhparent FROM pg_inherits i JOIN up ON i.inhrelid = up.id
    ), down (id) AS (
        SELECT relation UNION SELECT i.inhrelid FROM pg_inherits i JOIN down ON i.inhparent = down.id
    )
    SELECT array_agg(f.id) FROM (SELECT id FROM up UNION SELECT id FROM down) f
$function$;

-- Whether a command may have changed what names mean elsewhere: the relation was made, renamed, moved to another schema
-- or given away in this transaction (its row type changes along, which adding or dropping columns leaves alone), or
-- its row type serves in functions, columns or types.
CREATE OR REPLACE FUNCTION walden.reaches_beyond(relation oid) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT NOT EXISTS (SELECT FROM pg_type t WHERE t.typrelid = relation AND age(t.xmin) > 0)
    OR EXISTS (
        SELECT FROM pg_type t JOIN pg_depend d ON d.refobjid IN (t.oid, t.typarray)
        WHERE t.typrelid = relation AND d.refclassid = 'pg_type'::regclass AND d.deptype <> 'i'
    )
$function$;

-- The relations whose results a command can have changed: none, some, or NULL when it may have changed what any
-- statement means. A closed list: what is not on it counts as NULL.
CREATE OR REPLACE FUNCTION walden.confined_to(tag text, kind text, class oid, object oid) RETURNS oid[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    relation_kind "char";
    concerned oid;
BEGIN
    -- More rights on relations turn errors into results, and change no result.
    IF tag = 'GRANT' AND kind IN ('TABLE', 'SEQUENCE') THEN
        RETURN '{}';
    END IF;
    -- What a query returns depends on no trigger.
    IF class = 'pg_trigger'::regclass AND tag IN ('CREATE TRIGGER', 'ALTER TRIGGER') THEN
        RETURN '{}';
    END IF;
    IF class = 'pg_policy'::regclass AND tag IN ('CREATE POLICY', 'ALTER POLICY') THEN
        SELECT p.polrelid INTO concerned FROM pg_policy p WHERE p.oid = object;
    ELSIF class = 'pg_class'::regclass AND tag IN (
        'CREATE INDEX', 'ALTER INDEX', 'ALTER TABLE', 'ALTER VIEW', 'ALTER MATERIALIZED VIEW',
        'REFRESH MATERIALIZED VIEW')
    THEN
        SELECT c.relkind INTO relation_kind FROM pg_class c WHERE c.oid = object;
        IF relation_kind IN ('i', 'I') THEN
            -- An index changes no result, unless its name now hides a relation of another schema.
            RETURN CASE WHEN NOT EXISTS (
                SELECT FROM pg_class i JOIN pg_class c ON c.relname = i.relname AND c.oid <> i.oid
                WHERE i.oid = object
            ) THEN '{}'::oid[] END;
        END IF;
        IF relation_kind IN ('r', 'p', 'v', 'm') AND NOT walden.reaches_beyond(object) THEN
            concerned := object;
        END IF;
    END IF;
    IF concerned IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN (SELECT f FROM walden.family(concerned) f WHERE cardinality(f) <= 1000);
END
$function$;

-- After each schema change: sees to the identity of new and altered tables, then writes one message per object into
-- the log, in the transaction of the change, so that it reaches Walden in the order of commits. After an @ stand the
-- relations to which the change is confined; without it any result may be concerned. Temporary objects concern one
-- session, comments and statistics objects concern no result: they are left out. It runs with its owner's rights:
-- whoever may change the schema need not have any right on what Walden owns.
CREATE OR REPLACE FUNCTION walden.on_ddl() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    command record;
BEGIN
    FOR command IN
        SELECT command_tag, object_type, object_identity, classid, objid
        FROM pg_event_trigger_ddl_commands()
        WHERE schema_name IS DISTINCT FROM 'pg_temp'
        AND command_tag NOT IN ('COMMENT', 'CREATE STATISTICS', 'ALTER STATISTICS')
    LOOP
        IF command.object_type = 'table' THEN
            PERFORM walden.keep_identities(command.objid);
            PERFORM walden.release_identity(command.objid);
        END IF;
        PERFORM pg_logical_emit_message(
            true, 'walden',
            concat_ws(' ', 'ddl', '@' || array_to_string(walden.confined_to(
                command.command_tag, command.object_type, command.classid, command.objid), ','),
                command.command_tag, command.object_identity));
    END LOOP;
END
$function$;

-- ALTER TABLE … DETACH PARTITION … CONCURRENTLY hides the partition's rows in a first transaction, at whose end no event
-- trigger fires; so its beginning is told, in that transaction. It runs in no function and no block, so the client's
-- text names it.
CREATE OR REPLACE FUNCTION walden.on_start() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF current_query() ~* 'concurrently' THEN
        PERFORM pg_logical_emit_message(true, 'walden', concat_ws(' ', 'ddl', tg_tag));
    END IF;
END
$function$;

-- The same for what was dropped, with all that a cascade took along. A dropped index or constraint may have been a
-- table's identity. An index, a trigger or a statistics object leaves every result as it is; a policy concerns its
-- table; of columns, constraints and defaults that ALTER TABLE dropped walden_ddl tells.
CREATE OR REPLACE FUNCTION walden.on_drop() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    dropped record;
    concerned text;
    may_lack_identity boolean := false;
BEGIN
    FOR dropped IN
        SELECT object_type, object_identity, address_names
        FROM pg_event_trigger_dropped_objects()
        -- The rule of a temporary view does not count as temporary; its name tells.
        WHERE NOT is_temporary AND address_names[1] IS DISTINCT FROM 'pg_temp' AND (original OR normal)
    LOOP
        may_lack_identity := may_lack_identity
            OR dropped.object_type IN ('index', 'table constraint', 'table column');
        concerned := CASE
            WHEN dropped.object_type IN ('index', 'trigger', 'statistics object') THEN ''
            WHEN tg_tag = 'ALTER TABLE'
                AND dropped.object_type IN ('table column', 'table constraint', 'default value') THEN ''
            WHEN dropped.object_type = 'policy' THEN array_to_string(
                walden.family(to_regclass(format('%I.%I', dropped.address_names[1], dropped.address_names[2]))), ',')
        END;
        PERFORM pg_logical_emit_message(
            true, 'walden', concat_ws(' ', 'ddl', '@' || concerned, tg_tag, dropped.object_identity));
    END LOOP;
    IF may_lack_identity THEN
        PERFORM walden.keep_identities();
    END IF;
END
$function$;

-- What PostgreSQL keeps of the password of a role that may log in now; null for any other. Walden asks it where it
-- authenticates clients itself. It runs with its owner's rights, since pg_authid is open to superusers alone, and tells
-- Walden's role nothing of superusers: those log in by auth.user_file, or by a function of one's own as auth.query.
CREATE OR REPLACE FUNCTION walden.role_secret(role_name text) RETURNS text
LANGUAGE sql STABLE STRICT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT a.rolpassword
    FROM pg_catalog.pg_authid a
    WHERE a.rolname = role_name AND a.rolcanlogin AND NOT a.rolsuper
    AND (a.rolvaliduntil IS NULL OR a.rolvaliduntil > pg_catalog.clock_timestamp())
$function$;

-- For Walden's role alone; granted below, once the role is there.
REVOKE ALL ON FUNCTION walden.role_secret(text) FROM PUBLIC;

-- Nobody but the event triggers calls these.
REVOKE ALL ON FUNCTION
    walden.keep_identities(oid), walden.release_identity(oid), walden.on_ddl(), walden.on_drop(), walden.on_start(),
    walden.family(oid), walden.reaches_beyond(oid), walden.confined_to(text, text, oid, oid)
FROM PUBLIC;

-- Replaces the event triggers of an earlier installation.
DROP EVENT TRIGGER IF EXISTS walden_ddl;
DROP EVENT TRIGGER IF EXISTS walden_drop;
DROP EVENT TRIGGER IF EXISTS walden_start;

-- CREATE, ALTER, GRANT, REVOKE, REFRESH MATERIALIZED VIEW and the rest.
CREATE EVENT TRIGGER walden_ddl ON ddl_command_end EXECUTE FUNCTION walden.on_ddl();

-- DROP, and columns or constraints that ALTER TABLE dropped.
CREATE EVENT TRIGGER walden_drop ON sql_drop EXECUTE FUNCTION walden.on_drop();

-- The first half of what takes two transactions.
CREATE EVENT TRIGGER walden_start ON ddl_command_start WHEN TAG IN ('ALTER TABLE')
    EXECUTE FUNCTION walden.on_start();

-- Also in sessions that apply changes of another server (session_replication_role = replica).
ALTER EVENT TRIGGER walden_ddl ENABLE ALWAYS;
ALTER EVENT TRIGGER walden_drop ENABLE ALWAYS;
ALTER EVENT TRIGGER walden_start ENABLE ALWAYS;

-- Tables without a key get the replica identity FULL: without it the publication below would make PostgreSQL refuse
-- UPDATE and DELETE on them. Their changes then take more room in the log. uninstall.sql puts it back.
SELECT walden.keep_identities();

-- The changes of every table, also of tables made later. A publication of this name that is there already is left as
-- it is; `walden doctor` says which tables it does not cover.
DO $do$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_publication WHERE pubname = 'walden') THEN
        CREATE PUBLICATION walden FOR ALL TABLES;
    END IF;
END
$do$;

-- The role that `walden run` should use. REPLICATION is for the stream; the rest of what it reads (system catalogs,
-- snapshot and log position, pg_logical_emit_message) is open to every role. It has no password yet: set one with
-- \password walden, or let pg_hba.conf admit it another way.
DO $do$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'walden') THEN
        CREATE ROLE walden LOGIN REPLICATION;
        COMMENT ON ROLE walden IS 'made by walden init';
    END IF;
END
$do$;

-- CONNECT is PUBLIC's by default, and may have been revoked.
DO $do$
BEGIN
    EXECUTE pg_catalog.format('GRANT CONNECT ON DATABASE %I TO walden', pg_catalog.current_database());
END
$do$;

-- It may see what Walden installed, and change none of it.
GRANT USAGE ON SCHEMA walden TO walden;
GRANT SELECT ON walden.replica_identity, walden.tables_without_identity TO walden;
GRANT EXECUTE ON FUNCTION walden.role_secret(text) TO walden;
