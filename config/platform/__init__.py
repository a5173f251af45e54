"""The installation itself: API keys, audit trail, idempotency records, number sequences and admin base classes."""
