"""The installation: settings, URLs, task application, server entry points. It composes the apps.

None of them imports it back. It imports nothing itself: the pure kernel below it must stay cheap to import.
"""
