"""Metrics of translations, with their signatures."""
