"""pg_dump and its restores: what is dumped of the copy is what was dumped of the original."""
import shutil

from world import DATABASE

CONTENT = """
CREATE SCHEMA shop;
SET search_path = shop;
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE TABLE things (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text COLLATE "C" NOT NULL, mood mood, amount positive,
    data bytea, tags text[], facts jsonb, twice integer GENERATED ALWAYS AS (amount * 2) STORED);
CREATE TABLE parts (id bigint REFERENCES things ON DELETE CASCADE, at timestamptz, PRIMARY KEY (id, at))
    PARTITION BY RANGE (at);
CREATE TABLE parts_2024 PARTITION OF parts FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE parts_later PARTITION OF parts DEFAULT;
INSERT INTO things (name, mood, amount, data, tags, facts)
    SELECT E'line\\n\\t\\\\' || i, CASE WHEN i % 3 = 0 THEN 'ok'::mood END, i, decode(md5(i::text), 'hex'),
        ARRAY['a', NULL, i::text], jsonb_build_object('i', i) FROM generate_series(1, 5000) AS i;
INSERT INTO parts SELECT id, '2024-06-01'::timestamptz + id * interval '1 hour' FROM things;
CREATE INDEX ON things (lower(name)) WHERE mood IS NOT NULL;
CREATE VIEW happy AS SELECT id, name FROM things WHERE mood = 'ok';
CREATE MATERIALIZED VIEW totals AS SELECT mood, sum(amount) FROM things GROUP BY mood;
CREATE FUNCTION total() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT sum(amount) FROM shop.things';
SELECT lo_from_bytea(0, decode(repeat('00ff', 5000), 'hex'));
"""
# Walden's own objects are made by `walden init`, not restored.
PARTS = ["--schema=shop", "--blobs", "--no-publications"]


def text(dump):
    """Without the lines that bear a key of chance, by which psql is restricted to what pg_dump wrote."""
    return [line for line in dump.read_text().splitlines() if not line.startswith(("\\restrict ", "\\unrestrict "))]


def pg_dump(run):
    """Each format dumped and restored through the address, the directory one by four connections with one snapshot."""
    bin = run.world.server.bin
    run.world.server.sql(CONTENT)
    original = run.folder / "original.sql"
    found = {}

    def tell(name, passed, detail=""):
        found[name] = f"{'passed' if passed else 'failed'}\t{detail}"

    status = run.call([bin / "pg_dump", *PARTS, "-f", original, DATABASE], run.folder)
    tell("dump", status == 0, f"exit={status} bytes={original.stat().st_size if original.exists() else 0}")
    for form, options in {"plain": [], "inserts": ["--rows-per-insert=100"], "custom": ["-Fc"],
                          "directory": ["-Fd", "-j4"]}.items():
        archive = run.folder / f"archive-{form}"
        shutil.rmtree(archive, ignore_errors=True)
        archive.unlink(missing_ok=True)
        copy = f"copy_{form}"
        steps = [
            [bin / "pg_dump", *PARTS, *options, "-f", archive, DATABASE],
            [bin / "createdb", "-T", "template0", copy],
            [bin / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", archive, copy] if form in ("plain", "inserts")
            else [bin / "pg_restore", "-e", *(options[1:]), "-d", copy, archive],
            [bin / "pg_dump", *PARTS, "-f", run.folder / f"{form}.sql", copy],
        ]
        statuses = [run.call(step, run.folder) for step in steps]
        same = statuses == [0] * len(steps) and text(original) == text(run.folder / f"{form}.sql")
        tell(f"restore {form}", same, f"exits={statuses} same={same}")
    return found
