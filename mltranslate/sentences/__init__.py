"""Sentences through the decoder."""
