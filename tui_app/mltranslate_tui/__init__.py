"""The terminal app of mltranslate."""
