import unittest
from types import SimpleNamespace

try:
    from job import await_commit
except ImportError as error:
    raise unittest.SkipTest("pyspark is not installed") from error


class Query(SimpleNamespace):
    """A query whose trigger is active for so many looks."""

    isActive = True

    @property
    def status(self):
        self.looks -= 1
        return {"isTriggerActive": self.looks >= 0}


class AwaitCommit(unittest.TestCase):
    def test_lasts_as_long_as_the_batch(self):
        query = Query(looks=2)
        await_commit(query, 60)
        self.assertEqual(query.looks, -1)

    def test_has_a_limit(self):
        query = Query(looks=10_000)
        await_commit(query, 0.2)
        self.assertGreater(query.looks, 9_000)

    def test_ends_with_the_query(self):
        query = Query(looks=10_000, isActive=False)
        await_commit(query, 60)
        self.assertEqual(query.looks, 10_000)


if __name__ == "__main__":
    unittest.main()
