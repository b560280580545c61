"""Benchmarks: what a decision costs, next to floors and peers of the same run."""
