"""A model in service: as ONNX without torch, and behind HTTP."""
