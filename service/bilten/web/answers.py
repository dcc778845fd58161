"""The bases of everything that is answered with a 2xx."""

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict


class Wire(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(frozen=True)


class Answer(Wire):
    """The envelope of every 2xx; derived models add `data`, and `message` where a page shows one (contract §1.3)."""

    #: Whether its reader may keep what has a tag, to ask about it again; not what is personal (OWASP ASVS 4.0, 8.2.1).
    may_be_kept: ClassVar[bool] = True

    success: Literal[True] = True

    def etag(self) -> str | None:
        """The entity tag of an answer that shows one thing (see `bilten.web.etags`); lists have none."""
        return None


class MessageAnswer(Answer):
    """Done, with a sentence a page can show."""

    message: str
