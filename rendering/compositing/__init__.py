"""The wall's edge and the camera's noise."""
