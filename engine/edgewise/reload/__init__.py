"""Rules that change while they are served: found, built aside, and swapped in one step."""
