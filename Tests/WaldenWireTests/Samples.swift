import Testing
import WaldenCore
import WaldenWire

/// One whole message and the decoder of its kind, with the type erased so that tables can hold all of them.
struct Sample: Sendable {
    let name: String
    let tag: UInt8
    let bytes: [UInt8]
    /// Whether the body reads back as the same value; throws what the decoder throws.
    let decodesBack: @Sendable ([UInt8]) throws(WireError) -> Bool
    /// Reads a body that lies between other bytes.
    let decodesBackInside: @Sendable ([UInt8], Range<Int>) throws(WireError) -> Bool

    init<M: Message>(_ message: M) {
        name = "\(M.self)"
        tag = M.tagByte
        bytes = message.encoded()
        decodesBack = { (body: [UInt8]) throws(WireError) in try M(decoding: body.span.bytes) == message }
        decodesBackInside = { (bytes: [UInt8], body: Range<Int>) throws(WireError) in
            try M(in: bytes.span.bytes, body: body) == message
        }
    }
}

extension Sample: CustomTestStringConvertible {
    var testDescription: String { name }
}

let frontendSamples: [Sample] = [
    Sample(Query("SELECT 1")),
    Sample(Query("")),
    Sample(Parse(name: "s1", query: "SELECT $1", parameterTypes: [.int4, .unspecified, .text])),
    Sample(Parse(query: "")),
    Sample(
        Bind(
            portal: "p", statement: "s1", parameterFormats: [.text, .binary, .text],
            values: [ascii("7"), [0, 0, 0, 9], nil], resultFormats: [.binary]
        )
    ),
    Sample(Bind(parameterFormats: [.binary], values: [[], nil, [0]], resultFormats: [.text, .binary])),
    Sample(Bind()),
    Sample(Describe(.statement, name: "s1")),
    Sample(Describe(.portal)),
    Sample(Execute(portal: "p", maxRows: 50)),
    Sample(Execute()),
    Sample(Close(.statement, name: "s1")),
    Sample(Close(.portal, name: "p")),
    Sample(Sync()),
    Sample(Flush()),
    Sample(Terminate()),
    Sample(
        FunctionCall(function: 1299, argumentFormats: [.text], arguments: [ascii("1"), nil], resultFormat: .binary)),
    Sample(FunctionCall(function: 1299)),
    Sample(CopyData([0, 1, 2, 0])),
    Sample(CopyData([])),
    Sample(CopyDone()),
    Sample(CopyFail(reason: "no more")),
    Sample(PasswordMessage(ascii("secret"))),
    Sample(SASLInitialResponse(mechanism: "SCRAM-SHA-256", data: ascii("n,,n=,r=abc"))),
    Sample(SASLInitialResponse(mechanism: "EXTERNAL", data: nil)),
    Sample(SASLResponse(data: ascii("c=biws,r=abc"))),
]

let backendSamples: [Sample] = [
    Sample(Authentication.ok),
    Sample(Authentication.cleartextPassword),
    Sample(Authentication.md5Password(salt: [1, 2, 0, 4])),
    Sample(Authentication.sasl(mechanisms: ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"])),
    Sample(Authentication.sasl(mechanisms: [])),
    Sample(Authentication.saslContinue(data: ascii("r=abcdef,s=c2FsdA==,i=4096"))),
    Sample(Authentication.saslFinal(data: ascii("v=cHJvb2Y="))),
    Sample(Authentication.other(code: 7, data: [])),
    Sample(Authentication.other(code: 8, data: [9, 9])),
    Sample(ParameterStatus(name: "client_encoding", value: "UTF8")),
    Sample(ParameterStatus(name: "application_name", value: "")),
    Sample(BackendKeyData(processID: -5, secret: [1, 2, 3, 4])),
    Sample(BackendKeyData(processID: 4711, secret: Array(repeating: 0xAB, count: 256))),
    Sample(ReadyForQuery(.idle)),
    Sample(ReadyForQuery(.inTransaction)),
    Sample(ReadyForQuery(.failed)),
    Sample(
        RowDescription([
            RowDescription.Column(
                name: "id", relation: RelationID(16_384), attributeNumber: 1, type: .int4, typeSize: 4, format: .binary
            ),
            RowDescription.Column(name: "?column?", type: .text, typeSize: -1, typeModifier: 14),
        ])
    ),
    Sample(RowDescription([])),
    Sample(DataRow([ascii("1"), nil, []])),
    Sample(DataRow([])),
    Sample(CommandComplete("INSERT 0 1")),
    Sample(EmptyQueryResponse()),
    Sample(
        ErrorResponse(
            severity: .fatal, sqlState: .adminShutdown, message: "terminating connection", detail: "d", hint: "h"
        )
    ),
    Sample(ErrorResponse(ResponseFields(fields: []))),
    Sample(NoticeResponse(sqlState: .successfulCompletion, message: "relation exists, skipping")),
    Sample(ParseComplete()),
    Sample(BindComplete()),
    Sample(CloseComplete()),
    Sample(NoData()),
    Sample(PortalSuspended()),
    Sample(ParameterDescription([.int4, .text])),
    Sample(ParameterDescription([])),
    Sample(CopyInResponse(CopyFormats(overall: .text, columns: [.text, .text]))),
    Sample(CopyOutResponse(CopyFormats(overall: .binary, columns: [.binary]))),
    Sample(CopyBothResponse(CopyFormats(overall: .text, columns: []))),
    Sample(NotificationResponse(processID: 12, channel: "jobs", payload: "")),
    Sample(FunctionCallResponse(ascii("42"))),
    Sample(FunctionCallResponse(nil)),
    Sample(NegotiateProtocolVersion(version: .latest, unrecognizedOptions: ["_pq_.x", "_pq_.y"])),
    Sample(NegotiateProtocolVersion(version: .earliest, unrecognizedOptions: [])),
]

let allSamples = frontendSamples + backendSamples
