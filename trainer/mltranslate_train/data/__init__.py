"""From text files to token batches."""
