"""Settings for Django's own tests, on databases that are there already, and a runner that tells each test's outcome."""
import os

from django.test.runner import DiscoverRunner


def database(name):
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": "postgres",
        "HOST": os.environ["PGHOST"],
        "PORT": os.environ["PGPORT"],
        "TEST": {"NAME": name},
    }


DATABASES = {"default": database(os.environ["PGDATABASE"]), "other": database("other")}
SECRET_KEY = "none"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
USE_TZ = False


class Runner(DiscoverRunner):
    def get_resultclass(self):
        # Django's own classes choose theirs here too, for --debug-sql.
        import unittest

        class Result(unittest.TextTestResult):
            def tell(self, test, outcome):
                with open(os.environ["OUTCOMES"], "a") as file:
                    file.write(f"{test.id()}\t{outcome}\n")

            def addSuccess(self, test):
                super().addSuccess(test)
                self.tell(test, "passed")

            def addExpectedFailure(self, test, error):
                super().addExpectedFailure(test, error)
                self.tell(test, "passed")

            def addUnexpectedSuccess(self, test):
                super().addUnexpectedSuccess(test)
                self.tell(test, "failed")

            def addSkip(self, test, reason):
                super().addSkip(test, reason)
                self.tell(test, "skipped")

            def addError(self, test, error):
                super().addError(test, error)
                self.tell(test, "failed")

            def addFailure(self, test, error):
                super().addFailure(test, error)
                self.tell(test, "failed")

            def addSubTest(self, test, subtest, error):
                super().addSubTest(test, subtest, error)
                if error is not None:
                    self.tell(test, "failed")

        return Result


TEST_RUNNER = "django_settings.Runner"
