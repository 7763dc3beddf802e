"""Training of the language identifier: data, sampling, model, loop."""
