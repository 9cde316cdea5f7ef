import WaldenCore

/// Which steps of the present state were ordered, and what became of them.
struct OrderBook: Sendable {
    private enum Entry {
        case asked(id: UInt64, at: Instant)
        case done(at: Instant)
        case failed(String, at: Instant)
        case refused(String)
    }

    private var entries: [Step: Entry] = [:]
    private var lastID: UInt64 = 0

    /// Another state begins; late answers of the one before are ignored.
    mutating func clear() {
        entries.removeAll(keepingCapacity: true)
    }

    /// The id of a new try, unless the step is done, refused, under way, or failed just now.
    mutating func order(_ step: Step, at now: Instant, _ timings: FailoverTimings, waits: Duration?) -> UInt64? {
        switch entries[step] {
        case .done(let at)? where !step.mustShow || now.elapsed(since: at) < timings.stepTimeout: return nil
        case .refused?: return nil
        case .asked(_, let at)? where now.elapsed(since: at) < waits ?? timings.stepTimeout: return nil
        case .failed(_, let at)? where now.elapsed(since: at) < timings.stepRetry: return nil
        case .done?, .asked?, .failed?, nil: break
        }
        lastID &+= 1
        entries[step] = .asked(id: lastID, at: now)
        return lastID
    }

    /// The step that was answered; nil for an answer of another state or try.
    mutating func answered(_ id: UInt64, _ outcome: StepOutcome, at now: Instant) -> Step? {
        let found = entries.first { entry in
            if case .asked(id, _) = entry.value { true } else { false }
        }
        guard let step = found?.key else { return nil }
        switch outcome {
        case .done: entries[step] = .done(at: now)
        case .failed(let reason): entries[step] = .failed(reason, at: now)
        case .refused(let reason): entries[step] = .refused(reason)
        }
        return step
    }

    func isDone(_ step: Step) -> Bool {
        if case .done? = entries[step] { true } else { false }
    }

    func refusal(of step: Step) -> String? {
        if case .refused(let reason)? = entries[step] { reason } else { nil }
    }

    /// What went wrong, for people.
    var problems: [String] {
        entries.compactMap { step, entry in
            switch entry {
            case .failed(let reason, _), .refused(let reason): "\(step.name): \(reason)"
            case .asked, .done: nil
            }
        }.sorted()
    }
}

extension Step {
    /// Being told of is not enough: a server that dies between has forgotten it. So it is ordered until its effect is seen.
    fileprivate var mustShow: Bool {
        switch self {
        case .promote, .sever: true
        case .hold, .drain, .checkpoint, .follow, .raiseTerm, .closeConnections, .fenceHook, .setSynchronousNames,
            .createSlot, .beginEpoch, .release, .rejoin:
            false
        }
    }
}
