"""How the servers inside `weed mini` know each other.

By themselves they obey whoever reaches their ports, and every user of the machine does: without any of the object
store's credentials they would hand out its objects and its credentials too. So their gRPC asks both sides for a
certificate that only this folder has, and the server that holds the data takes only writes that the others signed.
"""

import secrets
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from bilten.local.secretfile import write_secret

_COMPONENTS = ("MASTER", "VOLUME", "FILER", "S3", "ADMIN", "WORKER", "CLIENT")


def variables(folder: Path) -> dict[str, str]:
    """The settings of `weed`, as environment variables; the certificate is made once, in `folder`."""
    certificate, key = folder / "grpc.crt", folder / "grpc.key"
    if not certificate.exists():
        _make(certificate, key)
    made = {"WEED_GRPC_CA": str(certificate)}
    for component in _COMPONENTS:
        made |= {f"WEED_GRPC_{component}_CERT": str(certificate), f"WEED_GRPC_{component}_KEY": str(key)}
    # Signatures live for seconds, so each start may have keys of its own.
    return {
        **made,
        "WEED_JWT_SIGNING_KEY": secrets.token_urlsafe(32),
        "WEED_JWT_FILER_SIGNING_KEY": secrets.token_urlsafe(32),
    }


def _make(certificate: Path, key: Path) -> None:
    """A certificate that signs itself, for both sides. It is written last: where it is, the key is too."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Bilten's local object store")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        # No clock of a developer's machine is outside of these.
        .not_valid_before(datetime(2000, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2100, 1, 1, tzinfo=UTC))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(private, hashes.SHA256())
    )
    write_secret(key, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())
    write_secret(certificate, made.public_bytes(Encoding.PEM).decode())
