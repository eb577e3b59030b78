"""The light on the wall, and the colour of its paint."""
