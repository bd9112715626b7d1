"""Trains the English reader that ships as `agent/readers/reader-en.onnx`. See the README above."""
