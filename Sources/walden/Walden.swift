import ArgumentParser
@main struct Walden: AsyncParsableCommand {}
