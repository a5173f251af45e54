"""The kernel: what every app stands on. Owns money, dates, errors, events, jobs and database helpers; knows no app."""
