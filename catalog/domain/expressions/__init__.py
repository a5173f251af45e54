"""The language in which a metric computes a property from an event. Owns its grammar and its meaning, and runs no code.

value      number · 'text' ('' is a quote) · event.code · event.timestamp · event.properties.name · ( expression )
functions  CONCAT(value, …) · ROUND, CEIL, FLOOR(value[, digits]) · LEAST, GREATEST(value, …)
operators  - value, then * and /, then + and -, each from left to right
"""
