"""A result as one page: charts and tables in a single file that asks for nothing else."""
