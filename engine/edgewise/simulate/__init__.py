"""Replay of recorded events through the engine that serves, and what it tells about the rules."""
