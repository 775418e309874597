"""The parts of the PaDiM submission: settings, the model, its scores, and the pictures of them."""
