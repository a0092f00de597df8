"""What lesson 19 alone uses."""
