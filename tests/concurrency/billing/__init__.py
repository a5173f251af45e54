"""Subscriptions, usage and billing."""
