"""Exporter: trained weights to a verified model pack with ONNX graphs."""
