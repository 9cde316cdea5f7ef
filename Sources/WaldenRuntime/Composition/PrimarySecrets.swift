import WaldenAuth
import WaldenPostgres
import WaldenProxy

/// Users' secrets as the primary keeps them, for the proxy.
final class PrimarySecrets: SecretSource {
    private let roles: RoleSecrets

    init(_ roles: RoleSecrets) {
        self.roles = roles
    }

    func secret(of user: String) throws(SecretLookupFailure) -> StoredSecret? {
        do throws(PostgresError) {
            guard let text = try roles.secret(of: user) else { return nil }
            return StoredSecret(text.utf8)
        } catch {
            // The function is missing, or Walden's role may not call it.
            let isOurs = error.sqlState == "42883" || error.sqlState == "3F000" || error.sqlState == "42501"
            let cure = isOurs ? "; run walden init again, as a superuser" : ""
            throw SecretLookupFailure(reason: "auth.query: \(error.message)\(cure)")
        }
    }

    func primaryChanged(_ dsn: DSN) {
        roles.moved(to: dsn)
    }

    func stop() {
        roles.stop()
    }
}
