"""From logits to masks: raster, edges, and how good they are."""
