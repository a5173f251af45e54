"""The embedded PostgreSQL: a real server from a Python wheel, used as long as `DATABASE_URL` names no other.

`base` is the Django backend, `server` starts and stops, `home` knows where a server's files lie and who owns them,
`programs` finds the wheel's programs, `tuning` writes its configuration. It listens on a Unix socket only, outlives the
process that started it, and recovers by itself after a kill.
"""
