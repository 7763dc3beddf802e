"""Training data that a model makes: back-translation and sequence-level distillation.

Both write corpus files (docs/synthetic.md) in chunks, and go on after a kill where they were.
"""
