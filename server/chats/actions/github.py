"""GitHub's API, as much as chats need of it: a branch's pull request, and its diff."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from server.chats.model.accounts import GitAccount
from server.chats.model.diff import PullRequest, PullState, Repository
from server.kit.asking import AnswerTooLarge, ask

TIMEOUT: Final = httpx.Timeout(10.0)
LARGEST_ANSWER: Final = 8 * 2**20
LARGEST_DIFF: Final = 3 * 2**20
JSON: Final = "application/vnd.github+json"
DIFF: Final = "application/vnd.github.diff"
OK: Final = 200


class ProviderFailed(Exception):
    """The provider did not answer, or in a way we do not understand. ``status`` is 0 without one.

    The text is a sentence and holds no token.
    """

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class _Shape(BaseModel):
    model_config = ConfigDict(extra="ignore", defer_build=True)


class _User(_Shape):
    login: str = ""
    avatar_url: str = ""


class _Branch(_Shape):
    ref: str = ""


class _Listed(_Shape):
    number: int
    state: str = "open"


class _Pull(_Shape):
    html_url: str
    number: int
    state: Literal["open", "closed"]
    merged: bool = False
    draft: bool | None = False
    title: str = ""
    additions: int = 0
    deletions: int = 0
    changed_files: int = 0
    commits: int = 0
    user: _User | None = None
    base: _Branch = Field(default_factory=_Branch)
    head: _Branch = Field(default_factory=_Branch)


class _Review(_Shape):
    state: str
    user: _User | None = None


class _Named(_Shape):
    name: str
    owner: _User


class _Origin(_Shape):
    parent: _Named | None = None


_LISTED: Final = TypeAdapter(list[_Listed])
_REVIEWS: Final = TypeAdapter(list[_Review])
_ONE: Final = TypeAdapter(_Pull)
_ORIGIN: Final = TypeAdapter(_Origin)


@dataclass(frozen=True, slots=True)
class GitHub:
    """GitHub or GitHub Enterprise. ``client`` is everybody's, the token is the account's."""

    client: httpx.AsyncClient
    account: GitAccount

    async def pull_request(self, repository: Repository, branch: str) -> PullRequest | None:
        """Return the pull request of a branch: an open one, else the newest; None without any.

        One in the repository that this one was forked from counts, too.

        Raises:
            ProviderFailed: GitHub refused, or does not answer.
        """
        head = f"{repository.owner}:{branch}"
        found = await self._newest(repository, head)
        if found is None:
            parent = await self._parent(repository)
            repository = parent or repository
            found = await self._newest(repository, head) if parent else None
        return None if found is None else await self._details(repository, found)

    async def diff(self, repository: Repository, number: int) -> str:
        """Return a pull request's diff, or a sentence instead of one that is over 3 MiB.

        Raises:
            ProviderFailed: GitHub refused, or does not answer.
        """
        answer = await self._get(f"{self._at(repository)}/pulls/{number}", accept=DIFF)
        if len(answer) > LARGEST_DIFF:
            return f"The diff is larger than {LARGEST_DIFF >> 20} MiB and is not shown.\n"
        return answer.decode(errors="replace")

    async def _newest(self, repository: Repository, head: str) -> int | None:
        query = {
            "head": head,
            "state": "all",
            "sort": "created",
            "direction": "desc",
            "per_page": "20",
        }
        body = await self._get(f"{self._at(repository)}/pulls", query)
        listed = _read(_LISTED, body)
        for one in (*(pull for pull in listed if pull.state == "open"), *listed):
            return one.number
        return None

    async def _parent(self, repository: Repository) -> Repository | None:
        parent = _read(_ORIGIN, await self._get(self._at(repository))).parent
        return Repository(repository.host, parent.owner.login, parent.name) if parent else None

    async def _details(self, repository: Repository, number: int) -> PullRequest:
        at = f"{self._at(repository)}/pulls/{number}"
        pull = _read(_ONE, await self._get(at))
        reviews = _read(_REVIEWS, await self._get(f"{at}/reviews", {"per_page": "100"}))
        return _pull_request(pull, reviews)

    def _at(self, repository: Repository) -> str:
        owner, name = quote(repository.owner, safe=""), quote(repository.name, safe="")
        return f"{self._base(repository)}/repos/{owner}/{name}"

    def _base(self, repository: Repository) -> str:
        if self.account.api_url:
            return self.account.api_url.rstrip("/")
        if repository.host == "github.com":
            return "https://api.github.com"
        return f"https://{repository.host}/api/v3"

    async def _get(
        self, url: str, query: Mapping[str, str] | None = None, *, accept: str = JSON
    ) -> bytes:
        headers = {
            "Authorization": f"Bearer {self.account.token}",
            "Accept": accept,
            "X-GitHub-Api-Version": "2022-11-28",
            "User-Agent": "coder",
        }
        asked = self.client.build_request(
            "GET", url, params=query, headers=headers, timeout=TIMEOUT
        )
        try:
            status, body = await ask(self.client, asked, LARGEST_ANSWER)
        except AnswerTooLarge as error:
            reason = f"GitHub's answer is larger than {LARGEST_ANSWER >> 20} MiB."
            raise ProviderFailed(reason) from error
        except httpx.HTTPError as error:
            raise ProviderFailed(f"GitHub does not answer: {type(error).__name__}.") from error
        if status != OK:
            raise ProviderFailed(f"GitHub answered {status} to {asked.url.path}.", status)
        return body


def _read(shape: TypeAdapter[Any], body: bytes) -> Any:
    try:
        return shape.validate_json(body)
    except ValidationError as error:
        raise ProviderFailed("GitHub's answer has not the shape that is documented.") from error


def _pull_request(pull: _Pull, reviews: Sequence[_Review]) -> PullRequest:
    # A person's last word counts; comments are no word, but make them a reviewer.
    words: dict[str, str] = {}
    reviewers: set[str] = set()
    for review in reviews:
        login = review.user.login if review.user else ""
        reviewers.add(login)
        if review.state in ("APPROVED", "CHANGES_REQUESTED", "DISMISSED"):
            words[login] = review.state
    user = pull.user or _User()
    state = PullState.MERGED if pull.merged else PullState(pull.state)
    return PullRequest(
        url=pull.html_url,
        number=pull.number,
        state=state,
        title=pull.title,
        draft=bool(pull.draft),
        changes_requested="CHANGES_REQUESTED" in words.values(),
        approved="APPROVED" in words.values() and "CHANGES_REQUESTED" not in words.values(),
        reviewer_count=len(reviewers),
        additions=pull.additions,
        deletions=pull.deletions,
        changed_files=pull.changed_files,
        commits=pull.commits,
        author_login=user.login,
        author_avatar_url=user.avatar_url,
        base_branch=pull.base.ref,
        head_branch=pull.head.ref,
    )
