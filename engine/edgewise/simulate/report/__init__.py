"""A result as one page: charts and tables in a single file that asks for nothing else.

The charts need the packages altair and vl-convert-python of the extra `edgewise[report]`.
"""
