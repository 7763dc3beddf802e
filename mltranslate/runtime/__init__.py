"""Inference sessions and the truth about the devices they run on; the only user of onnxruntime."""
