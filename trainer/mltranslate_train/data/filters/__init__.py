"""What is dropped before training: rules, duplicates, near-duplicates, test sets, and why."""
