/// Sessions of PostgreSQL 15.18's own clients with its server, as they went over the wire.
enum Recordings {
    /// psql -c "SELECT 7 AS n, NULL::text, 'é'" with SCRAM; the server answered the SSLRequest with N.
    static let startup = #"""
        F 0000000804d2162f
        = SSLRequest
        F 00000040000300007573657200616c6963650064617461626173650073686f70006170706c69636174696f6e5f6e616d650077616c6465
          6e2074657374730000
        = StartupMessage 3.0 user=alice database=shop application_name=walden tests
        B 52000000170000000a534352414d2d5348412d3235360000
        = Authentication SASL ["SCRAM-SHA-256"]
        F 7000000036534352414d2d5348412d32353600000000206e2c2c6e3d2c723d757a6a504468582f6d2b757134466a794f7844305a426e6a
        = SASLInitialResponse SCRAM-SHA-256 n,,n=,r=uzjPDhX/m+uq4FjyOxD0ZBnj
        B 520000005c0000000b723d757a6a504468582f6d2b757134466a794f7844305a426e6a6a5869476241416f7a7448435630723865305155
          434478482c733d2f67323670674a6832325256774634694c756e6648413d3d2c693d34303936
        = Authentication SASLContinue
          r=uzjPDhX/m+uq4FjyOxD0ZBnjjXiGbAAoztHCV0r8e0QUCDxH,s=/g26pgJh22RVwF4iLunfHA==,i=4096
        F 700000006c633d626977732c723d757a6a504468582f6d2b757134466a794f7844305a426e6a6a5869476241416f7a7448435630723865
          305155434478482c703d76356b546c6b64454f446b754f3344514f4c385538772b4938392b5664537a30734a4d78446832743779493d
        = SASLResponse
          c=biws,r=uzjPDhX/m+uq4FjyOxD0ZBnjjXiGbAAoztHCV0r8e0QUCDxH,p=v5kTlkdEODkuO3DQOL8U8w+I89+VdSz0sJMxDh2t7yI=
        B 52000000360000000c763d717037764834547738357568644c4e69475836374f306b325a6a2b597076454f5335396c37652b30426b303d
        = Authentication SASLFinal v=qp7vH4Tw85uhdLNiGX67O0k2Zj+YpvEOS59l7e+0Bk0=
        B 520000000800000000
        = Authentication ok
        B 53000000226170706c69636174696f6e5f6e616d650077616c64656e20746573747300
        = ParameterStatus application_name=walden tests
        B 5300000019636c69656e745f656e636f64696e67005554463800
        = ParameterStatus client_encoding=UTF8
        B 5300000017446174655374796c650049534f2c204d445900
        = ParameterStatus DateStyle=ISO, MDY
        B 530000002664656661756c745f7472616e73616374696f6e5f726561645f6f6e6c79006f666600
        = ParameterStatus default_transaction_read_only=off
        B 5300000017696e5f686f745f7374616e646279006f666600
        = ParameterStatus in_hot_standby=off
        B 5300000019696e74656765725f6461746574696d6573006f6e00
        = ParameterStatus integer_datetimes=on
        B 530000001b496e74657276616c5374796c6500706f73746772657300
        = ParameterStatus IntervalStyle=postgres
        B 530000001469735f737570657275736572006f6e00
        = ParameterStatus is_superuser=on
        B 53000000197365727665725f656e636f64696e67005554463800
        = ParameterStatus server_encoding=UTF8
        B 53000000327365727665725f76657273696f6e0031352e3138202844656269616e2031352e31382d302b646562313275312900
        = ParameterStatus server_version=15.18 (Debian 15.18-0+deb12u1)
        B 530000002073657373696f6e5f617574686f72697a6174696f6e00616c69636500
        = ParameterStatus session_authorization=alice
        B 53000000237374616e646172645f636f6e666f726d696e675f737472696e6773006f6e00
        = ParameterStatus standard_conforming_strings=on
        B 530000001554696d655a6f6e65004574632f55544300
        = ParameterStatus TimeZone=Etc/UTC
        B 4b0000000c00005ac53d497ea3
        = BackendKeyData 23237 [61, 73, 126, 163]
        B 5a0000000549
        = ReadyForQuery idle
        F 510000002453454c4543542037204153206e2c204e554c4c3a3a746578742c2027c3a92700
        = Query SELECT 7 AS n, NULL::text, 'é'
        B 540000004c00036e00000000000000000000170004ffffffff0000746578740000000000000000000019ffffffffffff00003f636f6c75
          6d6e3f0000000000000000000019ffffffffffff0000
        = RowDescription n relation 0 attribute 0 type 23 size 4 modifier -1 text; text relation 0 attribute 0 type 25
          size -1 modifier -1 text; ?column? relation 0 attribute 0 type 25 size -1 modifier -1 text
        B 440000001500030000000137ffffffff00000002c3a9
        = DataRow [7, null, é]
        B 430000000d53454c454354203100
        = CommandComplete SELECT 1
        B 5a0000000549
        = ReadyForQuery idle
        F 5800000004
        = Terminate
        """#

    /// A script in psql: a failed transaction, an empty query, COPY in and out, a notice and a notification.
    static let script = #"""
        F 510000000b424547494e3b00
        = Query BEGIN;
        B 430000000a424547494e00
        = CommandComplete BEGIN
        B 5a0000000554
        = ReadyForQuery inTransaction
        F 510000001153454c454354206e6f70653b00
        = Query SELECT nope;
        B 4500000067534552524f5200564552524f5200433432373033004d636f6c756d6e20226e6f70652220646f6573206e6f74206578697374
          005038004670617273655f72656c6174696f6e2e63004c3336363500526572726f724d697373696e67436f6c756d6e0000
        = ErrorResponse ERROR 42703 column "nope" does not exist
        B 5a0000000545
        = ReadyForQuery failed
        F 510000000e524f4c4c4241434b3b00
        = Query ROLLBACK;
        B 430000000d524f4c4c4241434b00
        = CommandComplete ROLLBACK
        B 5a0000000549
        = ReadyForQuery idle
        F 51000000063b00
        = Query ;
        B 4900000004
        = EmptyQueryResponse
        B 5a0000000549
        = ReadyForQuery idle
        F 5100000045435245415445205441424c45204946204e4f5420455849535453206974656d2028696420696e74205052494d415259204b45
          592c206e616d652074657874293b00
        = Query CREATE TABLE IF NOT EXISTS item (id int PRIMARY KEY, name text);
        B 4300000011435245415445205441424c4500
        = CommandComplete CREATE TABLE
        B 5a0000000549
        = ReadyForQuery idle
        F 510000001a434f5059206974656d2046524f4d20535444494e3b00
        = Query COPY item FROM STDIN;
        B 470000000b00000200000000
        = CopyInResponse text [text, text]
        F 64000000133109706561720a32095c4e0a5c2e0a
        = CopyData 0x3109706561720a32095c4e0a5c2e0a
        F 6300000004
        = CopyDone
        B 430000000b434f5059203200
        = CommandComplete COPY 2
        B 5a0000000549
        = ReadyForQuery idle
        F 5100000019434f5059206974656d20544f205354444f55543b00
        = Query COPY item TO STDOUT;
        B 480000000b00000200000000
        = CopyOutResponse text [text, text]
        B 640000000b3109706561720a
        = CopyData 0x3109706561720a
        B 640000000932095c4e0a
        = CopyData 0x32095c4e0a
        B 6300000004
        = CopyDone
        B 430000000b434f5059203200
        = CommandComplete COPY 2
        B 5a0000000549
        = ReadyForQuery idle
        F 510000001f44524f50205441424c4520494620455849535453206e6f70653b00
        = Query DROP TABLE IF EXISTS nope;
        B 4e0000006f534e4f5449434500564e4f5449434500433030303030004d7461626c6520226e6f70652220646f6573206e6f742065786973
          742c20736b697070696e6700467461626c65636d64732e63004c31333130005244726f704572726f724d73674e6f6e4578697374656e74
          0000
        = NoticeResponse NOTICE 00000 table "nope" does not exist, skipping
        B 430000000f44524f50205441424c4500
        = CommandComplete DROP TABLE
        B 5a0000000549
        = ReadyForQuery idle
        F 51000000114c495354454e206a6f62733b00
        = Query LISTEN jobs;
        B 430000000b4c495354454e00
        = CommandComplete LISTEN
        B 5a0000000549
        = ReadyForQuery idle
        F 51000000174e4f54494659206a6f62732c2027676f273b00
        = Query NOTIFY jobs, 'go';
        B 430000000b4e4f5449465900
        = CommandComplete NOTIFY
        B 410000001000005acb6a6f627300676f00
        = NotificationResponse from 23243 on jobs: go
        B 5a0000000549
        = ReadyForQuery idle
        F 5800000004
        = Terminate
        """#

    /// pgbench -M prepared -t 2: Parse, then Bind, Describe, Execute and Sync twice.
    static let prepared = #"""
        F 500000002f505f300053454c454354206e616d652046524f4d206974656d205748455245206964203d2024313b000000
        = Parse P_0: SELECT name FROM item WHERE id = $1; types []
        F 5300000004
        = Sync
        B 3100000004
        = ParseComplete
        B 5a0000000549
        = ReadyForQuery idle
        F 420000001600505f300000000001000000013100010000
        = Bind portal '' to P_0: formats [] values [1] results [text]
        F 44000000065000
        = Describe portal ''
        F 45000000090000000000
        = Execute '' rows 0
        F 5300000004
        = Sync
        B 3200000004
        = BindComplete
        B 540000001d00016e616d650000004002000200000019ffffffffffff0000
        = RowDescription name relation 16386 attribute 2 type 25 size -1 modifier -1 text
        B 440000000e00010000000470656172
        = DataRow [pear]
        B 430000000d53454c454354203100
        = CommandComplete SELECT 1
        B 5a0000000549
        = ReadyForQuery idle
        F 420000001600505f300000000001000000013100010000
        = Bind portal '' to P_0: formats [] values [1] results [text]
        F 44000000065000
        = Describe portal ''
        F 45000000090000000000
        = Execute '' rows 0
        F 5300000004
        = Sync
        B 3200000004
        = BindComplete
        B 540000001d00016e616d650000004002000200000019ffffffffffff0000
        = RowDescription name relation 16386 attribute 2 type 25 size -1 modifier -1 text
        B 440000000e00010000000470656172
        = DataRow [pear]
        B 430000000d53454c454354203100
        = CommandComplete SELECT 1
        B 5a0000000549
        = ReadyForQuery idle
        F 5800000004
        = Terminate
        """#

    /// psql's \\lo_import, which uses FunctionCall.
    static let largeObject = #"""
        F 4600000018000003bd00010001000100000004000600000001
        = FunctionCall 957: formats [binary] arguments [0x00060000] result binary
        B 560000000c0000000400004009
        = FunctionCallResponse [0x00004009]
        B 5a0000000554
        = ReadyForQuery inTransaction
        F 4600000020000003b8000100010002000000040000400900000004000200000001
        = FunctionCall 952: formats [binary] arguments [0x00004009, 0x00020000] result binary
        B 560000000c0000000400000000
        = FunctionCallResponse [0x00000000]
        B 5a0000000554
        = ReadyForQuery inTransaction
        F 460000004c000003bb0001000100020000000400000000000000305c73657420696420310a53454c454354206e616d652046524f4d2069
          74656d205748455245206964203d203a69643b0a0001
        = FunctionCall 955: formats [binary] arguments [0x00000000,
          0x5c73657420696420310a53454c454354206e616d652046524f4d206974656d205748455245206964203d203a69643b0a] result
          binary
        B 560000000c0000000400000030
        = FunctionCallResponse [0x00000030]
        B 5a0000000554
        = ReadyForQuery inTransaction
        F 4600000018000003b900010001000100000004000000000001
        = FunctionCall 953: formats [binary] arguments [0x00000000] result binary
        B 560000000c0000000400000000
        = FunctionCallResponse [0x00000000]
        B 5a0000000554
        = ReadyForQuery inTransaction
        F 510000000b434f4d4d495400
        = Query COMMIT
        B 430000000b434f4d4d495400
        = CommandComplete COMMIT
        B 5a0000000549
        = ReadyForQuery idle
        F 5800000004
        = Terminate
        """#

    /// A query cancelled from psql.
    static let canceled = #"""
        F 510000001753454c4543542070675f736c65657028352900
        = Query SELECT pg_sleep(5)
        B 5400000021000170675f736c65657000000000000000000008e60004ffffffff0000
        = RowDescription pg_sleep relation 0 attribute 0 type 2278 size 4 modifier -1 text
        B 4500000068534552524f5200564552524f5200433537303134004d63616e63656c696e672073746174656d656e742064756520746f2075
          73657220726571756573740046706f7374677265732e63004c33333439005250726f63657373496e74657272757074730000
        = ErrorResponse ERROR 57014 canceling statement due to user request
        B 5a0000000549
        = ReadyForQuery idle
        F 5800000004
        = Terminate
        """#

    /// The connection that asked for it.
    static let cancelRequest = #"""
        F 0000001004d2162e00005adb4565ebfe
        = CancelRequest 23259 [69, 101, 235, 254]
        """#

    /// A wrong password.
    static let refused = #"""
        F 00000038000300007573657200616c6963650064617461626173650073686f70006170706c69636174696f6e5f6e616d65007073716c00
          00
        = StartupMessage 3.0 user=alice database=shop application_name=psql
        B 52000000170000000a534352414d2d5348412d3235360000
        = Authentication SASL ["SCRAM-SHA-256"]
        F 7000000036534352414d2d5348412d32353600000000206e2c2c6e3d2c723d6e51706849505a4844435a69656a4c58323349494d71736c
        = SASLInitialResponse SCRAM-SHA-256 n,,n=,r=nQphIPZHDCZiejLX23IIMqsl
        B 520000005c0000000b723d6e51706849505a4844435a69656a4c58323349494d71736c36774b70763172596b664a55652b544d694b732b
          686876372c733d2f67323670674a6832325256774634694c756e6648413d3d2c693d34303936
        = Authentication SASLContinue
          r=nQphIPZHDCZiejLX23IIMqsl6wKpv1rYkfJUe+TMiKs+hhv7,s=/g26pgJh22RVwF4iLunfHA==,i=4096
        F 700000006c633d626977732c723d6e51706849505a4844435a69656a4c58323349494d71736c36774b70763172596b664a55652b544d69
          4b732b686876372c703d67757265712f486c534c59487a397650705838486e42466c497641474b6c6f4e34463678767144696b66553d
        = SASLResponse
          c=biws,r=nQphIPZHDCZiejLX23IIMqsl6wKpv1rYkfJUe+TMiKs+hhv7,p=gureq/HlSLYHz9vPpX8HnBFlIvAGKloN4F6xvqDikfU=
        B 450000006553464154414c0056464154414c00433238503031004d70617373776f72642061757468656e7469636174696f6e206661696c
          656420666f7220757365722022616c696365220046617574682e63004c3333340052617574685f6661696c65640000
        = ErrorResponse FATAL 28P01 password authentication failed for user "alice"
        """#
}
