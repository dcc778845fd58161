"""What a handler may use: made once by `bilten.app`, handed to every endpoint that asks for `services`."""

from dataclasses import dataclass, field

from bilten.accounts.passwords import PasswordHasher
from bilten.accounts.tokens import TokenIssuer
from bilten.db.counters import ViewCounter
from bilten.db.database import Database
from bilten.mail.compose import Mailer
from bilten.settings import Settings
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
    #: Which failed sign-ins are still written down.
    login_failures: Limiter = field(default_factory=Limiter)
