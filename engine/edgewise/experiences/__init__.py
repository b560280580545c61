"""Experience definitions: text → validated Experience."""
