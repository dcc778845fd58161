"""The calls about news: everyone reads, admins write."""

from bilten.articles import actions, queries
from bilten.articles.errors import ArticleNotFound, SearchQueryRequired, SlugTaken
from bilten.articles.schemas import (
    Article,
    ArticleAnswer,
    ArticleCategory,
    ArticleChange,
    ArticleData,
    ArticleDetail,
    ArticleDetailAnswer,
    ArticlePath,
    ArticlesAnswer,
    ArticleSearchAnswer,
    ArticleSearchQuery,
    ArticlesPage,
    ArticlesQuery,
    Categories,
    CategoriesAnswer,
    FoundArticles,
    NewArticle,
)
from bilten.context import Principal
from bilten.db.paging import Listing, Sort, total
from bilten.services import Services
from bilten.web.answers import MessageAnswer
from bilten.web.endpoint import endpoint
from bilten.web.lists import Pager
from bilten.web.pagination import PageQuery
from bilten.web.text import chosen


async def _page(services: Services, query: PageQuery, listed: Listing, sort: Sort) -> ArticlesPage:
    pager = Pager(services.cursors, "articles", sort, query)
    found = await queries.page(services.db, listed, sort, pager.window)
    rows, pagination = await pager.describe(found, lambda: total(services.db, listed))
    return ArticlesPage(articles=[Article.of(row) for row in rows], pagination=pagination)


@endpoint("GET", "/articles", summary="List articles", tier="M")
async def list_articles(services: Services, query: ArticlesQuery) -> ArticlesAnswer:
    """The newest first, unless asked for another order."""
    listed = queries.listing(category=chosen(query.category), text=(query.search or "").strip())
    page = await _page(services, query, listed, queries.order(query.sort_by, query.sort_order))
    return ArticlesAnswer(data=page)


@endpoint("GET", "/articles/categories", summary="The categories of articles", tier="F")
async def article_categories(services: Services) -> CategoriesAnswer:
    """The largest first. `id` is the name in lower case; both are taken as a filter."""
    rows = await queries.categories(services.db)
    return CategoriesAnswer(data=Categories(categories=[ArticleCategory.model_validate(dict(row)) for row in rows]))


@endpoint("GET", "/articles/search", summary="Search articles", tier="F", errors=[SearchQueryRequired()])
async def search_articles(services: Services, query: ArticleSearchQuery) -> ArticleSearchAnswer:
    """Words in title or excerpt, in any case; the newest first."""
    text = (query.q or "").strip()
    if not text:
        raise SearchQueryRequired
    page = await _page(services, query, queries.listing(text=text), queries.order(None, None))
    found = FoundArticles(articles=page.articles, pagination=page.pagination, search_query=text)
    return ArticleSearchAnswer(data=found)


@endpoint("GET", "/articles/{article_id}", summary="One article", tier="M", errors=[ArticleNotFound()])
async def get_article(services: Services, path: ArticlePath) -> ArticleDetailAnswer:
    """With up to three others of its category. Each read counts as a view."""
    article, related = await actions.look_at(services, path.article_id)
    detail = ArticleDetail(article=Article.of(article), relatedArticles=[Article.of(row) for row in related])
    return ArticleDetailAnswer(data=detail)


@endpoint(
    "POST", "/articles", summary="Publish an article", auth="admin", tier="F", status=201, creates=True,
    errors=[SlugTaken()],
)  # fmt: skip
async def create_article(services: Services, body: NewArticle, principal: Principal) -> ArticleAnswer:
    """Its slug is made from the title."""
    article = Article.of(await actions.create(services, principal, body))
    return ArticleAnswer(message="Article created", data=ArticleData(article=article))


@endpoint(
    "PUT", "/articles/{article_id}", summary="Change an article", auth="admin", tier="F", errors=[ArticleNotFound()]
)
async def update_article(
    services: Services, path: ArticlePath, body: ArticleChange, principal: Principal, if_match: str | None
) -> ArticleAnswer:
    """Changes the fields that are sent. The slug stays, and with it every link."""
    article = Article.of(await actions.change(services, principal, path.article_id, body, if_match))
    return ArticleAnswer(message="Article updated", data=ArticleData(article=article))


@endpoint(
    "DELETE", "/articles/{article_id}", summary="Delete an article", auth="admin", tier="F", errors=[ArticleNotFound()]
)
async def delete_article(
    services: Services, path: ArticlePath, principal: Principal, if_match: str | None
) -> MessageAnswer:
    """The article is gone for everyone."""
    await actions.remove(services, principal, path.article_id, if_match)
    return MessageAnswer(message="Article deleted")
