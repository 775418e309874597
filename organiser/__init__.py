"""For organisers, on a machine of their own: makes verified benchmarks of folders of pictures, and tries scorers."""
