"""Where the end-to-end tests put what."""

SYSTEM, FIRST, SECOND = "bilten-system", "bilten-e2e", "bilten-e2e-two"
HOST = "bilten.example.test"
FILES = f"files.{HOST}"
CRD = "bilteninstances.bilten.io"
