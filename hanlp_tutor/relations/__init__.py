"""The relation between two entities of a text: a class of the text with both of them marked."""
