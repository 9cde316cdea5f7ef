import WaldenCore

extension SplitMix64 {
    mutating func below(_ bound: Int) -> Int {
        Int.random(in: 0..<bound, using: &self)
    }

    mutating func chance(_ percent: Int) -> Bool {
        below(100) < percent
    }
}
