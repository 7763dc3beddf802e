"""Translation models: `build` makes them, `seq2seq` says what all of them offer."""
