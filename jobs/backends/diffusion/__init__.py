"""Image services that go over the papered wall with a diffusion model."""
