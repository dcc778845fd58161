"""The types of `bilten.io/v1alpha1`: what a platform engineer writes and reads. No input or output."""
