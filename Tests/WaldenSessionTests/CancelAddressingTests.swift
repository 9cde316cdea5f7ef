import Testing
import WaldenSession
import WaldenWire

@Suite struct CancelAddressingTests {
    private func request(_ processID: Int32, _ secret: [UInt8] = [1, 2, 3, 4]) -> CancelRequest {
        CancelRequest(processID: processID, secret: secret)
    }

    @Test func oneInstanceTakesAllRequestsAsTheyAre() {
        let only = CancelAddressing()
        #expect(only.processID(random: .max) == .max)
        #expect(only.processID(random: 0) == 1)
        for number in [1, .max, -1, .min] as [Int32] {
            #expect(only.destination(of: request(number)) == .here(request(number)))
        }
    }

    @Test(arguments: [1, 2, 127])
    func aKeyLeadsToTheInstanceThatGaveIt(instance: Int) {
        let owner = CancelAddressing(instance: instance)
        let other = CancelAddressing(instance: 99)
        for random in [0, 1, 0x00FF_FFFF, 0x7F00_0000, .max] as [UInt32] {
            for secret in [[1, 2, 3, 4], Array(repeating: 7, count: 32)] as [[UInt8]] {
                let key = request(owner.processID(random: random), secret)
                #expect(key.processID > 0)
                #expect(owner.destination(of: key) == .here(key))
                guard case .instance(instance, let passed) = other.destination(of: key) else {
                    Issue.record("\(other.destination(of: key))")
                    continue
                }
                // It arrives as if it had come from the client.
                #expect(owner.destination(of: passed) == .here(key))
                #expect(passed.secret == secret)
            }
        }
    }

    /// Two instances that take each other for a third: the second hop is none.
    @Test func aRequestIsPassedOnOnce() {
        let key = request(CancelAddressing(instance: 3).processID(random: 5))
        guard case .instance(3, let passed) = CancelAddressing(instance: 1).destination(of: key) else {
            Issue.record("it was not passed on")
            return
        }
        #expect(CancelAddressing(instance: 2).destination(of: passed) == .nowhere)
        #expect(CancelAddressing(instance: 1).destination(of: passed) == .nowhere)
    }

    @Test func numbersThatNoInstanceHasLeadNowhere() {
        let instance = CancelAddressing(instance: 1)
        for number in [0, 5, 0x00FF_FFFF, .min, .min + 5] as [Int32] {
            #expect(instance.destination(of: request(number)) == .nowhere)
        }
    }

    @Test func numbersOutOfRangeAreBroughtIntoIt() {
        #expect(CancelAddressing(instance: 0).instance == 1)
        #expect(CancelAddressing(instance: 500).instance == 127)
    }
}
