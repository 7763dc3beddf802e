"""Proves that an exported pack behaves like the model that was trained."""
