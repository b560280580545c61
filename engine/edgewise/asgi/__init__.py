"""The HTTP face: a thin ASGI application."""
