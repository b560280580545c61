"""Audience rules: text → condition tree → predicate."""
