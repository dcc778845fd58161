"""Articles on the wire (contract §1.10)."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from bilten.articles.queries import Row
from bilten.web import etags
from bilten.web.answers import Answer, Wire
from bilten.web.pagination import PageQuery, Pagination
from bilten.web.spelling import Body, Path
from bilten.web.text import ImageUrl, Line

MAX_SEARCH = 200


class ArticlesQuery(PageQuery):
    """Filters and order of `GET /articles`."""

    category: str | None = Field(None, max_length=100, description="Upper and lower case are the same; `all` is any.")
    search: str | None = Field(
        None,
        max_length=MAX_SEARCH,
        description="Words that title or excerpt contain. One or two letters are looked for where a word begins.",
    )
    sort_by: str | None = Field(None, max_length=100, description="published_at, title; anything else: published_at.")
    sort_order: str | None = Field(None, max_length=100, description="`asc`; anything else means `desc`.")


class ArticleSearchQuery(PageQuery):
    """A search for articles."""

    # Optional only here: without it the answer is a sentence of the contract's own, not the validation's.
    model_config = ConfigDict(json_schema_extra={"required": ["q"]})

    # What `str.strip` takes off is more than `\s` of most regular expressions.
    q: Annotated[str, Field(json_schema_extra={"pattern": r"[^\s\u001c-\u001f\u0085]"})] | None = Field(
        None, max_length=MAX_SEARCH, description="Words that title or excerpt contain."
    )


class ArticlePath(Path):
    """Names an article."""

    article_id: str = Field(description="A UUID, the small integer that older clients know, or a slug.")


class Article(Wire):
    """A piece of news."""

    id: UUID
    slug: str
    title: str
    excerpt: str
    content: str = Field(description="Lines of light markdown: headings, and lists that begin with `- `.")
    category: str
    author: str
    published_at: datetime
    featured_image_url: str | None
    view_count: int
    read_time: int = Field(description="Minutes.")
    tags: list[str]
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: Row) -> Self:
        """The article of a row with the columns of `queries.COLUMNS`."""
        return cls.model_validate(dict(row))

    def etag(self, *others: "Article") -> str:
        """The tag of an answer that shows this article and others: views do not change it."""
        shown = [article.model_dump_json(exclude={"view_count"}) for article in (self, *others)]
        return etags.tag(self.updated_at, "\n".join(shown).encode())


class ArticlesPage(Wire):
    """One page of articles."""

    articles: list[Article]
    pagination: Pagination


class ArticlesAnswer(Answer):
    """`GET /articles`."""

    data: ArticlesPage


class FoundArticles(ArticlesPage):
    """One page of what a search found."""

    search_query: str


class ArticleSearchAnswer(Answer):
    """`GET /articles/search`."""

    data: FoundArticles


class ArticleDetail(Wire):
    """An article and others of its category."""

    article: Article
    relatedArticles: list[Article] = Field(max_length=3)


class ArticleDetailAnswer(Answer):
    """`GET /articles/{article_id}`."""

    data: ArticleDetail

    def etag(self) -> str:
        """The article's, and of what is related to it."""
        return self.data.article.etag(*self.data.relatedArticles)


class ArticleCategory(Wire):
    """A category and the number of its articles."""

    id: str
    name: str
    count: int


class Categories(Wire):
    """Every category, the largest first."""

    categories: list[ArticleCategory]


class CategoriesAnswer(Answer):
    """`GET /articles/categories`."""

    data: Categories


class ArticleData(Wire):
    """One article."""

    article: Article


class ArticleAnswer(Answer):
    """An article after a change."""

    message: str
    data: ArticleData

    def etag(self) -> str:
        """The article's."""
        return self.data.article.etag()


def _unique(tags: list[str]) -> list[str]:
    return list(dict.fromkeys(tags))


Title = Annotated[str, Line(at_most=255)]
# The pattern, because whitespace alone would pass the least length of a schema.
Content = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200_000, pattern=r"\S")]
Category = Annotated[str, Line(at_most=100)]
Author = Annotated[str, Line(at_most=200)]
Excerpt = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)]
Tags = Annotated[list[Annotated[str, Line(at_most=50)]], Field(max_length=50), AfterValidator(_unique)]


class NewArticle(Body):
    """A new article; it is published at once."""

    title: Title
    content: Content
    category: Category
    excerpt: Excerpt = ""
    author: Author | None = Field(None, description="Without it, the name of the admin.")
    featured_image_url: ImageUrl | None = None
    tags: Tags = Field(default_factory=list)


class ArticleChange(Body):
    """Changes the fields that are sent and leaves the others; null removes the image. The slug stays."""

    title: Title | None = None
    content: Content | None = None
    category: Category | None = None
    excerpt: Excerpt | None = None
    author: Author | None = None
    featured_image_url: ImageUrl | None = None
    tags: Tags | None = None
