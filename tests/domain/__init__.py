"""Tests of rules without a database: values in, values out."""
