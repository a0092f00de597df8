"""The heads φ: on top of the encoder, one a task."""
