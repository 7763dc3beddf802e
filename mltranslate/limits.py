"""Every bound in one place; a value beyond its bound is refused or split, never trusted."""

MAX_INPUT_CHARACTERS = 50_000_000
"""Largest text that one `translate` call accepts."""
MAX_MANIFEST_BYTES = 4 * 2**20
MAX_PACK_BYTES = 4 * 2**30
MAX_PACK_MEMBERS = 256
MAX_PACK_RATIO = 100
"""Most that an archive may grow when it is unpacked; weights hardly shrink when they are packed."""
MAX_GRAPH_BYTES = 64 * 2**20
"""Largest graph of a pack, without its weights, which have a file of their own."""
MAX_CARD_BYTES = 2**20
"""Largest model card of a pack that is shown."""
MAX_PHRASEBOOK_BYTES = 64 * 2**20
"""Largest phrasebook of a pack in one language, unpacked."""
MAX_GLOSSARY_BYTES = 16 * 2**20
MAX_TERM_CHARACTERS = 200
"""Longest term of a glossary, on either side."""
MAX_BEAM = 32
MAX_BATCH_TOKENS = {"cpu": 512, "cuda": 2048}
"""Source tokens, padding included, that are decoded together, by device; not measured on CUDA."""
LEAST_BATCH_TOKENS = 64
"""Batches are not made smaller than this only to keep another worker busy."""
DEFAULT_BEAM = 4
"""Beam of the command line and the app: better by 1 to 2 chrF2++ points (docs/quality.md)."""
DEFAULT_LENGTH_PENALTY = 1.25
"""Of beam search where the graphs take one: less of the source is left out (docs/quality.md)."""
MIN_LENGTH_PENALTY = 0.5
MAX_LENGTH_PENALTY = 2.0
"""Within these bounds finished sentences rank before cut ones, whose scores are off by 0.001."""
MAX_COVERAGE_PENALTY = 10.0
"""Wu et al. take 0.2; beyond this one it decides alone."""
MAX_TEMPERATURE = 2.0
"""Up to here, what only a sentence's neighbours may choose has no chance to be drawn."""
MAX_DEFAULT_THREADS = 4
"""More than this only when they are asked for: a small model cannot keep them busy."""
