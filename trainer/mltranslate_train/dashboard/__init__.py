"""The live dashboard of runs; only this package of the trainer may import Textual."""
