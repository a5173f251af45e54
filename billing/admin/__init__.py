"""Admin pages: lists, process pages and verbs."""
