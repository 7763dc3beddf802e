"""ONNX graphs built by hand: encoder, decoder step, and the searches that loop over it."""
