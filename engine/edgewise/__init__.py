"""Edgewise: a self-hosted personalization decision engine that speaks the Experience API."""

__version__ = "0.1.0"
