import WaldenFuzzing

/// What libFuzzer calls with each input. The target is chosen when this file is compiled (scripts/fuzz.sh).
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: bytes, count: count))
    #if FUZZ_CLIENT
    ClientFuzzer.run(input)
    #elseif FUZZ_SERVER
    ServerFuzzer.run(input)
    #elseif FUZZ_FRONT
    FrontFuzzer.run(input)
    #else
    #error("no target is chosen")
    #endif
    return 0
}
