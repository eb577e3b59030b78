"""What the networks say of walls: the wall network, the head on SAM, the click network."""
