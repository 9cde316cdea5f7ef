import WaldenTestKit

/// Choices that a seed repeats. Each part of a world (schema, one query, one change) has dice of its own, so that a
/// part can be replaced without changing the others.
struct Dice {
    private var generator: SeededGenerator

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
    }

    /// The dice of the part `stream`, number `index`, of what `seed` makes.
    init(seed: UInt64, _ stream: Stream, _ index: Int = 0, attempt: Int = 0) {
        var mixer = SeededGenerator(seed: seed)
        let mixed = mixer.next() ^ UInt64(stream.rawValue) << 56 ^ UInt64(attempt) << 32 ^ UInt64(index)
        generator = SeededGenerator(seed: mixed)
        _ = generator.next()
    }

    enum Stream: Int {
        case world = 1
        case schema, data, view, query, change
    }

    mutating func seed() -> UInt64 { generator.next() }

    mutating func roll(_ range: Range<Int>) -> Int { Int.random(in: range, using: &generator) }

    mutating func chance(_ percent: Int) -> Bool { roll(0..<100) < percent }

    /// One of `choices`, which must not be empty.
    mutating func pick<Choice>(_ choices: [Choice]) -> Choice { choices[roll(0..<choices.count)] }

    /// One of the choices, each as often as its weight says.
    mutating func weigh<Choice>(_ choices: [(Int, Choice)]) -> Choice {
        var rest = roll(0..<choices.reduce(0) { $0 + $1.0 })
        for (weight, choice) in choices {
            if rest < weight { return choice }
            rest -= weight
        }
        return choices[choices.count - 1].1
    }

    mutating func shuffled<Choice>(_ choices: [Choice]) -> [Choice] { choices.shuffled(using: &generator) }
}
