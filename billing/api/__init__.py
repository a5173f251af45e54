"""REST endpoints: parse, one service call or query, render."""
