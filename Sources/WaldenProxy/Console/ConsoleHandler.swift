import NIOCore
import WaldenConsole
import WaldenCore
import WaldenWire

/// The client's end of a console session: moves bytes between channel and machine, and has the desk carry out what the
/// machine asks. It takes the place of the `ClientHandler` once the client has been let in.
final class ConsoleHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    /// Unread bytes above which the client is not read: more than the longest message.
    private static let inputLimit = 128 * 1_024

    private let desk: ConsoleDesk
    private let identity: ClientIdentity
    private let origin: ConnectionRow
    private let connectedAt: Instant
    private var machine: ConsoleMachine
    private var input: ByteBuffer
    private var channel: (any Channel)?
    private var request: Task<Void, Never>?
    private var isReading = true
    private var isDrainRequested = false
    private var requestedAt: Instant

    /// - Parameters:
    ///   - unread: What the client has sent since its startup message.
    ///   - admission: What the client has been told already.
    init(
        desk: ConsoleDesk, role: ConsoleRole, client: ProxyConnection, unread: ByteBuffer, admission: ConsoleAdmission
    ) {
        self.desk = desk
        identity = client.identity
        origin = client.origin
        connectedAt = client.connectedAt
        requestedAt = client.connectedAt
        input = unread
        machine = ConsoleMachine(role: role)
        switch admission {
        case .unasked: machine.greet()
        case .authenticated: machine.greet(knows: true)
        case .greeted: break
        }
    }

    func handlerAdded(context: ChannelHandlerContext) {
        channel = context.channel
        process()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        requestedAt = Instant(nanoseconds: NIODeadline.now().uptimeNanoseconds)
        input.writeBuffer(&bytes)
        process()
    }

    func channelInactive(context: ChannelHandlerContext) {
        request?.cancel()
        channel = nil
        desk.census.context.clientLeft()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is DrainEvent {
            isDrainRequested = true
            endIfDrained()
        }
    }

    /// Takes steps until more bytes are needed, or something is carried out.
    private func process() {
        while channel != nil {
            let step = input.withUnsafeReadableBytes { machine.nextStep($0.bytes) }
            switch step {
            case .needMore:
                input.discardReadBytes()
                send()
                adjustReading()
                return endIfDrained()
            case .handled(let byteCount): input.moveReaderIndex(forwardBy: byteCount)
            case .execute(let byteCount, let request):
                input.moveReaderIndex(forwardBy: byteCount)
                carryOut(request)
            case .close(let byteCount):
                input.moveReaderIndex(forwardBy: byteCount)
                return end(with: nil)
            }
        }
    }

    private func carryOut(_ asked: ConsoleRequest) {
        guard let loop = channel?.eventLoop else { return }
        let bound = NIOLoopBound(self, eventLoop: loop)
        let desk = desk
        request = Task {
            let outcome = await desk.answer(asked)
            loop.execute { bound.value.answered(outcome) }
        }
    }

    private func answered(_ outcome: ConsoleOutcome) {
        request = nil
        machine.answered(outcome)
        process()
    }

    private func send() {
        let output = machine.takeOutput()
        if !output.isEmpty { channel?.writeAndFlush(ByteBuffer(bytes: output), promise: nil) }
    }

    private func adjustReading() {
        let reads = input.readableBytes < Self.inputLimit
        guard reads != isReading else { return }
        isReading = reads
        try? channel?.syncOptions?.setOption(.autoRead, value: reads)
    }

    private func endIfDrained() {
        guard isDrainRequested, machine.isQuiescent, input.readableBytes == 0 else { return }
        end(with: .drained)
    }

    private func end(with error: ErrorResponse?) {
        send()
        if let error { channel?.writeAndFlush(ByteBuffer(bytes: error.encoded()), promise: nil) }
        channel?.close(promise: nil)
    }
}

extension ConsoleHandler: ClientEnd {
    func rows(_ clock: WallClock) -> (client: ConnectionRow, server: ConnectionRow?) {
        var row = origin
        row.connectedAt = clock.time(of: connectedAt)
        row.requestedAt = clock.time(of: requestedAt)
        row.closesSoon = isDrainRequested
        return (row, nil)
    }

    func kill(where condition: (ClientIdentity) -> Bool) -> Bool {
        guard channel != nil, condition(identity) else { return false }
        end(with: .killed)
        return true
    }

    func leavePrimary(_ node: NodeID) -> Bool { false }
}
