"""What an instance is made of: pure functions from its spec to Kubernetes manifests. No input or output."""
