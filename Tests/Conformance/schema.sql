-- What the scripts find. They leave it as it is.
CREATE ROLE reader LOGIN;
CREATE ROLE writer LOGIN;
CREATE SCHEMA dirt;
CREATE TABLE items (id int PRIMARY KEY, name text, price numeric(10, 2), at timestamptz);
INSERT INTO items SELECT n, 'item ' || n, n * 1.5, '2024-01-01 00:00+00' FROM generate_series(1, 100) AS n;
CREATE TABLE dirt.items (id int PRIMARY KEY, name text, price numeric(10, 2), at timestamptz);
INSERT INTO dirt.items SELECT n, 'dirt', 0, '2000-01-01 00:00+00' FROM generate_series(1, 100) AS n;
CREATE TABLE kinds (
    id int PRIMARY KEY, b boolean, i2 smallint, i8 bigint, f4 real, f8 double precision, n numeric, t text, v varchar(9),
    c char(5), bytes bytea, d date, ts timestamp, tz timestamptz, iv interval, u uuid, j json, jb jsonb, ia int[], ta text[]
);
INSERT INTO kinds VALUES
    (1, true, 1, 1, 1.5, 2.5, 3.50, 'text', 'varchar', 'abc', '\x00ff', '2024-02-29', '2024-02-29 12:34:56.789',
     '2024-02-29 12:34:56.789+02', '1 year 2 mons 3 days 04:05:06', '00000000-0000-0000-0000-000000000001',
     '{"a": 1}', '{"a": 1}', '{1,2,3}', '{a,NULL,"b c"}'),
    (2, false, -32768, -9223372036854775808, 'NaN', '-Infinity', 'NaN', '', '', '', '', '-infinity', 'infinity',
     '-infinity', '-1 days', 'ffffffff-ffff-ffff-ffff-ffffffffffff', 'null', '[]', '{}', '{}'),
    (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (4, true, 7, 7, 7, 7, 7, 'žluťoučký 🐎 日本語', 'ě', 'é', '\xe29883', '0001-01-01 BC', '4713-01-01 BC', '2024-01-01',
     '0', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '"\u00e9"', '{"k": [1, {"x": null}]}', '{{1,2},{3,4}}', '{"\"","\\"}');
CREATE TABLE copied (a int, b text);
CREATE TABLE rows (id int PRIMARY KEY, n int);
CREATE TABLE secrets (id int PRIMARY KEY, owner text, word text);
INSERT INTO secrets VALUES (1, 'reader', 'swordfish'), (2, 'writer', 'open sesame');
ALTER TABLE secrets ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON secrets USING (owner = current_user);
GRANT SELECT ON items, kinds, secrets TO reader, writer;
GRANT ALL ON copied, rows TO reader, writer;
GRANT USAGE ON SCHEMA dirt TO reader, writer;
GRANT SELECT ON dirt.items TO reader, writer;
CREATE TABLE nothing ();
INSERT INTO nothing SELECT FROM generate_series(1, 3);
CREATE FUNCTION noisy(n int) RETURNS int LANGUAGE plpgsql AS
    $$ BEGIN RAISE NOTICE 'noise %', n; RETURN n; END $$;
CREATE FUNCTION set_inside(name text, value text) RETURNS void LANGUAGE plpgsql AS
    $$ BEGIN PERFORM set_config(name, value, false); END $$;
CREATE PROCEDURE commits() LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO copied VALUES (1, 'by procedure'); COMMIT; INSERT INTO copied VALUES (2, 'gone'); ROLLBACK; END $$;
