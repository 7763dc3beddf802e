"""Word alignments over piece ids: learnt from the shards, stored beside them, scored."""
