"""What all tests share."""

from __future__ import annotations

import os

from hypothesis import settings

# The same examples on each run, and no test that fails because a machine is slow. To search for
# new counterexamples: HYPOTHESIS_PROFILE=explore.
settings.register_profile("repeatable", deadline=None, derandomize=True, database=None)
settings.register_profile("explore", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))
