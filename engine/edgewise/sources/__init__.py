"""Where rulesets come from."""
