"""Public checkpoints in local folders: read, mapped onto our own graphs, and made into packs."""
