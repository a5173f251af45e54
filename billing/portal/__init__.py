"""This app's pages of the customer portal."""
