"""The wallpaper as a texture: sampled in perspective, with its seams."""
