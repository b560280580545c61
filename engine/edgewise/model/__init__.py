"""The nouns of the engine: msgspec Structs without behaviour."""
