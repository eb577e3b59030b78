"""Image services that paint the wallpaper with a diffusion model; the wall is ours, the rest stays the photo."""
