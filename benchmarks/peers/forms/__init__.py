"""The rules of a workload, said in each library's own form: plain functions, no library needed."""
