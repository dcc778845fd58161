"""The refusals of this domain, in the contract's own words."""

from bilten.web.errors import Conflict, NotFound, ValidationFailed


class ArticleNotFound(NotFound):
    """There is no such article."""

    message = "Article not found"


class SlugTaken(Conflict):
    """Several articles of one title were made at the same moment."""

    code = "SLUG_TAKEN"
    message = "Another article of this title was made a moment ago. Try again."


class SearchQueryRequired(ValidationFailed):
    """A search for nothing."""

    message = "Search query is required"

    def __init__(self) -> None:
        super().__init__(details=[{"field": "q", "code": "missing", "message": "Send what to search for as q"}])
