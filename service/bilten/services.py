"""What a handler may use: made once by `bilten.app`, handed to every endpoint that asks for `services`."""

from dataclasses import dataclass, field

from bilten.accounts.passwords import PasswordHasher
from bilten.accounts.tokens import TokenIssuer
from bilten.db.counters import ViewCounter
from bilten.db.database import Database
from bilten.mail.compose import Mailer
from bilten.objects.cdn import Cdn
from bilten.objects.links import LinkSigner
from bilten.objects.store import ObjectStore
from bilten.scanning.workshop import Workshop
from bilten.settings import Settings
from bilten.web.errors import ServiceUnavailable
from bilten.web.limits import Limiter
from bilten.web.pagination import CursorCodec
from bilten.web.spool import Spool


@dataclass(frozen=True, kw_only=True)
class Services:
    """The process's tools; all of them are safe to share between requests."""

    settings: Settings
    db: Database
    cursors: CursorCodec
    passwords: PasswordHasher
    tokens: TokenIssuer
    views: ViewCounter
    mailer: Mailer
    spool: Spool
    workshop: Workshop
    links: LinkSigner
    cdn: Cdn
    #: None where the settings name none.
    object_store: ObjectStore | None
    #: Which failed sign-ins are still written down.
    login_failures: Limiter = field(default_factory=Limiter)

    @property
    def store(self) -> ObjectStore:
        """Where the bytes of files are. Raises `ServiceUnavailable` where there is none."""
        if self.object_store is None:
            raise ServiceUnavailable("No object store is set up for files: name one with BILTEN_S3_ENDPOINT.")
        return self.object_store
