"""Text into lossless spans, sentences and pieces; no model and no third-party import."""
