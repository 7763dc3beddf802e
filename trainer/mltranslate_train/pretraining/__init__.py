"""Learning from text in one language, and from pairs without translating them.

Masked pre-training (BERT, and its translation language modelling) and language models.
"""
