"""SAM itself: its files, its prompts, its decoder."""
