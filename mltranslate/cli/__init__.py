"""The command line: one module a sub-command, results on stdout, everything else on stderr."""
