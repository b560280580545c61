"""Events in the forms of other systems, translated into those of the engine."""
