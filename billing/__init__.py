"""What is owed, when and why: subscriptions, usage events, rating and billing runs."""
