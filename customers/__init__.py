"""Whom we bill and on which terms: billing entities (sellers) and customers. Knows no invoice."""
