"""What one could pick instead, each given the same rules and visitors in its own process.

`forms` says the rules in each library's own form and needs no library; `bench_<library>` runs them
with the library, under the same three names: `label`, `prepare` and `decide`.
"""
