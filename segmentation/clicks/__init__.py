"""What clicks mean: the features and constraints they give, and how a mask is refined by them."""
