"""Sub-commands of `mltranslate-export`, one module each."""
