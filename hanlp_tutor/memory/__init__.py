"""Memory: how much a run will need, what to do when it runs out, and how it is given back."""
