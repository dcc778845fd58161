"""The operator: runs one Bilten for every `BiltenInstance` in a cluster."""
