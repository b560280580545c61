"""Where profiles live."""
