"""The course itself: its map, what a lesson costs, and how it is executed."""
