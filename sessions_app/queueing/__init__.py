"""Redis and the queue of generations."""
