"""The one error of the embedded database: it cannot run here, and the message says what a person can do about it."""

INSTEAD = "Set DATABASE_URL to use a PostgreSQL server of your own instead."


class LocalDatabaseError(Exception):
    """The embedded PostgreSQL cannot be set up, started or stopped."""
