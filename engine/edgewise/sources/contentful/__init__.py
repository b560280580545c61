"""Rules from Contentful: an export of a space, or the delivery API with its changes."""
