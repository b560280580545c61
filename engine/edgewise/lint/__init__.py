"""Warnings about rules that load, and yet hardly do what their author means."""
