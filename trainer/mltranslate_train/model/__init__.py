"""Model families; `transformer` is the one that packs are made of."""
