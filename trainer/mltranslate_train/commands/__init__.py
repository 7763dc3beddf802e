"""The sub-commands of `mltranslate-train`, one module each, with `add(commands)`."""
