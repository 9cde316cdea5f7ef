import java.io.ByteArrayOutputStream;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.sql.*;
import java.util.ArrayList;
import java.util.Properties;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.postgresql.PGStatement;
import org.postgresql.copy.CopyManager;

/** What pgjdbc does on the wire, case by case. Prints name, passed or failed, and what came back. argv: the URL. */
public class Jdbc {
    interface Case {
        Object run(Connection connection) throws Exception;
    }

    static String url;

    static Connection open(String... settings) throws SQLException {
        Properties properties = new Properties();
        for (int i = 0; i < settings.length; i += 2) properties.setProperty(settings[i], settings[i + 1]);
        return DriverManager.getConnection(url, properties);
    }

    static void test(String name, Case body, String... settings) {
        String outcome;
        try (Connection connection = open(settings)) {
            outcome = "passed\t" + body.run(connection);
        } catch (SQLException error) {
            outcome = "failed\t" + error.getSQLState() + " " + error.getMessage();
        } catch (Throwable error) {
            outcome = "failed\t" + error;
        }
        System.out.println(name + "\t" + outcome.replace('\n', ' '));
    }

    static String rows(ResultSet result) throws SQLException {
        StringBuilder text = new StringBuilder();
        int columns = result.getMetaData().getColumnCount();
        while (result.next()) {
            for (int i = 1; i <= columns; i++) text.append(i == 1 ? "" : ",").append(result.getString(i));
            text.append(';');
        }
        return text.toString();
    }

    static String query(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement(); ResultSet result = statement.executeQuery(sql)) {
            return rows(result);
        }
    }

    static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** The same prepared statement beyond its threshold, interleaved with writes, so that each result is known. */
    static Object prepared(Connection connection) throws SQLException {
        StringBuilder seen = new StringBuilder();
        try (PreparedStatement read = connection.prepareStatement("SELECT id, name FROM jdbc WHERE id = ?");
                PreparedStatement write = connection.prepareStatement("UPDATE jdbc SET name = ? WHERE id = ?")) {
            for (int i = 1; i <= 20; i++) {
                write.setString(1, "round " + i);
                write.setInt(2, 1 + i % 3);
                seen.append(write.executeUpdate());
                read.setInt(1, 1 + i % 3);
                seen.append(rows(read.executeQuery()));
            }
            seen.append(read.unwrap(PGStatement.class).isUseServerPrepare());
        }
        return seen;
    }

    static Object fetch(Connection connection) throws SQLException {
        connection.setAutoCommit(false);
        long sum = 0;
        try (PreparedStatement read = connection.prepareStatement("SELECT generate_series(1, ?)");
                Statement other = connection.createStatement()) {
            read.setFetchSize(7);
            read.setInt(1, 1000);
            ResultSet result = read.executeQuery();
            while (result.next()) {
                sum += result.getInt(1);
                if (result.getInt(1) % 100 == 0) rows(other.executeQuery("SELECT count(*) FROM jdbc"));
            }
        }
        connection.commit();
        return sum;
    }

    static Object batch(Connection connection) throws SQLException {
        execute(connection, "CREATE TABLE batched (id int PRIMARY KEY, name text)");
        StringBuilder seen = new StringBuilder();
        try (PreparedStatement write = connection.prepareStatement("INSERT INTO batched VALUES (?, ?)")) {
            for (int i = 0; i < 600; i++) {
                write.setInt(1, i);
                write.setString(2, "n" + i);
                write.addBatch();
            }
            seen.append(write.executeBatch().length);
            write.setInt(1, 1000);
            write.setString(2, "good");
            write.addBatch();
            write.setInt(1, 5);
            write.addBatch();
            write.executeBatch();
        } catch (BatchUpdateException error) {
            seen.append(' ').append(error.getSQLState()).append(' ').append(error.getUpdateCounts().length);
        }
        seen.append(' ').append(query(connection, "SELECT count(*), max(id) FROM batched"));
        execute(connection, "DROP TABLE batched");
        return seen;
    }

    static Object copy(Connection connection) throws Exception {
        execute(connection, "CREATE TABLE copied (id int, name text)");
        CopyManager manager = connection.unwrap(PGConnection.class).getCopyAPI();
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < 20000; i++) lines.append(i).append("\tname ").append(i).append('\n');
        long in = manager.copyIn("COPY copied FROM STDIN", new StringReader(lines.toString()));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        long back = manager.copyOut("COPY (SELECT * FROM copied ORDER BY id) TO STDOUT", out);
        String bad;
        try {
            manager.copyIn("COPY copied FROM STDIN", new StringReader("x\ty\n"));
            bad = "no error";
        } catch (SQLException error) {
            bad = error.getSQLState();
        }
        boolean same = out.toString(StandardCharsets.UTF_8).equals(lines.toString());
        String after = query(connection, "SELECT count(*) FROM copied");
        execute(connection, "DROP TABLE copied");
        return in + " " + back + " " + same + " " + bad + " " + after;
    }

    static Object listen(Connection connection) throws Exception {
        execute(connection, "LISTEN news");
        try (Connection other = open()) {
            for (int i = 0; i < 3; i++) execute(other, "NOTIFY news, 'number " + i + "'");
        }
        ArrayList<String> told = new ArrayList<>();
        PGConnection listener = connection.unwrap(PGConnection.class);
        while (told.size() < 3) {
            PGNotification[] arrived = listener.getNotifications(20_000);
            if (arrived == null || arrived.length == 0) break;
            for (PGNotification one : arrived) told.add(one.getName() + "=" + one.getParameter());
        }
        execute(connection, "UNLISTEN *");
        return told;
    }

    /** A query that only a cancel ends in time; the cancel is sent again until it hits. */
    static Object cancel(Connection connection) throws Exception {
        try (Statement statement = connection.createStatement()) {
            Thread canceller = new Thread(() -> {
                try {
                    while (!Thread.interrupted()) {
                        statement.cancel();
                        TimeUnit.MILLISECONDS.sleep(50);
                    }
                } catch (SQLException | InterruptedException ended) {
                    return;
                }
            });
            canceller.start();
            try {
                statement.execute("SELECT pg_sleep(30)");
                return "not cancelled";
            } catch (SQLException error) {
                canceller.interrupt();
                canceller.join();
                return error.getSQLState();
            }
        }
    }

    static Object timeout(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.setQueryTimeout(1);
            statement.execute("SELECT pg_sleep(30)");
            return "no timeout";
        } catch (SQLException error) {
            return error.getSQLState() + " " + query(connection, "SELECT 1");
        }
    }

    static Object metadata(Connection connection) throws SQLException {
        DatabaseMetaData data = connection.getMetaData();
        String columns = rows(data.getColumns(null, "public", "jdbc", "%"));
        return data.getDatabaseProductVersion() + columns + rows(data.getPrimaryKeys(null, "public", "jdbc"))
            + rows(data.getTables(null, "public", "%", null))
            + rows(data.getIndexInfo(null, "public", "jdbc", true, true))
            + rows(data.getTypeInfo()).length();
    }

    static Object savepoints(Connection connection) throws SQLException {
        execute(connection, "DELETE FROM jdbc WHERE id = 100");
        connection.setAutoCommit(false);
        execute(connection, "INSERT INTO jdbc VALUES (100, 'kept')");
        Savepoint point = connection.setSavepoint();
        String state = "";
        try {
            execute(connection, "INSERT INTO jdbc VALUES (100, 'twice')");
        } catch (SQLException error) {
            state = error.getSQLState();
            connection.rollback(point);
        }
        connection.commit();
        return state + query(connection, "SELECT * FROM jdbc WHERE id = 100");
    }

    /** A table changed under a statement that is prepared: the driver prepares it again, as PostgreSQL tells it to. */
    static Object changed(Connection connection) throws SQLException {
        execute(connection, "CREATE TABLE changing (a int)");
        StringBuilder seen = new StringBuilder();
        try (PreparedStatement read = connection.prepareStatement("SELECT * FROM changing")) {
            for (int i = 0; i < 10; i++) {
                if (i == 7) execute(connection, "ALTER TABLE changing ADD b text DEFAULT 'b'");
                if (i % 4 == 0) execute(connection, "INSERT INTO changing VALUES (" + i + ")");
                seen.append(rows(read.executeQuery())).append('|');
            }
        } finally {
            execute(connection, "DROP TABLE changing");
        }
        return seen;
    }

    static Object settings(Connection connection) throws SQLException {
        connection.setSchema("pg_catalog");
        connection.setReadOnly(true);
        connection.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
        connection.setClientInfo("ApplicationName", "one");
        connection.setAutoCommit(false);
        String seen = query(connection, "SELECT current_setting('search_path'), current_setting('application_name'), "
            + "current_setting('transaction_isolation'), current_setting('transaction_read_only')");
        connection.commit();
        return seen;
    }

    static Object several(Connection connection) throws SQLException {
        StringBuilder seen = new StringBuilder();
        try (Statement statement = connection.createStatement()) {
            boolean isResult = statement.execute(
                "SELECT 1; UPDATE jdbc SET name = name WHERE id < 4; SELECT count(*) FROM jdbc");
            while (isResult || statement.getUpdateCount() != -1) {
                seen.append(isResult ? rows(statement.getResultSet()) : statement.getUpdateCount() + " ");
                isResult = statement.getMoreResults();
            }
        }
        return seen;
    }

    /** What the server says to something that it must refuse. */
    static Object refusal(Callable<Object> attempt) throws Exception {
        try {
            return "not refused: " + attempt.call();
        } catch (SQLException error) {
            return error.getSQLState() + " " + error.getMessage();
        }
    }

    static Object largeObjects(Connection connection) throws Exception {
        connection.setAutoCommit(false);
        var api = connection.unwrap(PGConnection.class).getLargeObjectAPI();
        long oid = api.createLO();
        try (var object = api.open(oid)) {
            object.write(new byte[100_000]);
            object.seek(0);
            return object.read(200_000).length;
        } finally {
            api.delete(oid);
            connection.commit();
        }
    }

    static Object types(Connection connection) throws SQLException {
        String sql = "SELECT ?::int8, ?::numeric, ?::bytea, ?::timestamptz, ?::text[], ?::bool, ?::uuid";
        try (PreparedStatement read = connection.prepareStatement(sql)) {
            StringBuilder seen = new StringBuilder();
            for (int i = 0; i < 8; i++) {
                read.setLong(1, Long.MIN_VALUE + i);
                read.setBigDecimal(2, new java.math.BigDecimal("1234567890.0123456789"));
                read.setBytes(3, new byte[] {0, (byte) 255, (byte) i});
                read.setObject(4, java.time.OffsetDateTime.parse("2024-02-29T12:00:00Z"));
                read.setArray(5, connection.createArrayOf("text", new String[] {"a", null, "\"" + i}));
                read.setBoolean(6, i % 2 == 0);
                read.setObject(7, java.util.UUID.fromString("00000000-0000-0000-0000-00000000000" + i));
                seen.append(rows(read.executeQuery()));
            }
            return seen;
        }
    }

    public static void main(String[] arguments) throws Exception {
        url = arguments[0];
        try (Connection connection = open()) {
            execute(connection, "CREATE TABLE jdbc (id int PRIMARY KEY, name text)");
            execute(connection, "INSERT INTO jdbc SELECT i, 'name ' || i FROM generate_series(1, 10) AS i");
        }
        test("simple protocol", c -> prepared(c), "preferQueryMode", "simple");
        test("extended protocol", c -> prepared(c));
        test("prepared from the first", c -> prepared(c), "prepareThreshold", "1");
        test("binary from the first", c -> prepared(c), "prepareThreshold", "-1");
        test("never prepared", c -> prepared(c), "prepareThreshold", "0");
        test("extended for prepared", c -> prepared(c), "preferQueryMode", "extendedForPrepared");
        test("everything cached", c -> prepared(c), "preferQueryMode", "extendedCacheEverything");
        test("few statements kept", c -> prepared(c), "prepareThreshold", "1", "preparedStatementCacheQueries", "1");
        test("several statements", c -> several(c));
        test("several statements, simple", c -> several(c), "preferQueryMode", "simple");
        test("fetch size", c -> fetch(c));
        test("batch", c -> batch(c));
        test("batch rewritten", c -> batch(c), "reWriteBatchedInserts", "true");
        test("copy", c -> copy(c));
        test("listen", c -> listen(c));
        test("cancel", c -> cancel(c));
        test("query timeout", c -> timeout(c));
        test("metadata", c -> metadata(c));
        test("savepoints", c -> savepoints(c));
        test("autosave", c -> savepoints(c), "autosave", "always");
        test("changed table", c -> changed(c), "prepareThreshold", "1");
        test("changed table, autosave", c -> changed(c), "prepareThreshold", "1", "autosave", "conservative");
        test("settings", c -> settings(c));
        test("large objects", c -> largeObjects(c));
        test("types", c -> types(c), "prepareThreshold", "3");
        test("syntax error", c -> refusal(() -> query(c, "SELEC 1")));
        test("wrong database", c -> refusal(() -> DriverManager.getConnection(url.replaceAll("/[a-z]+[?]", "/none?"))));
        test("options", c -> query(c, "SHOW work_mem"), "options", "-c work_mem=1234kB");
    }
}
