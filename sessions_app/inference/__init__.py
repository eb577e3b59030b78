"""The model in this process: embeddings, and how much is computed at once."""
