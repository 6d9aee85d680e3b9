"""A small GitHub: repositories, their pull requests and reviews, behind its REST API."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import JSONResponse

from tests.support.serving import served

TOKEN = "gho_of_ann"
API = "/api/v2"
"""Where ``served`` has it; GitHub's own is at the root of its host."""


@dataclass
class Pull:
    """A pull request."""

    number: int
    head: str
    """As GitHub's filter spells it: ``owner:branch``."""
    state: str = "open"
    merged: bool = False
    title: str = "A change"
    draft: bool = False
    reviews: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    diff: str = "diff --git a/x b/x\n"


@dataclass
class Repo:
    """A repository, by its full name; ``parent`` is what it was forked from."""

    name: str
    parent: str = ""
    pulls: list[Pull] = field(default_factory=list[Pull])


@dataclass
class GitHub:
    """What people did at GitHub, and who asked for what."""

    address: str = ""
    repos: dict[str, Repo] = field(default_factory=dict[str, Repo])
    asked: list[str] = field(default_factory=list[str])
    status: int = 0
    """Answer everything with this, when it is set."""
    garbage: bool = False

    @property
    def api(self) -> str:
        return f"http://{self.address}"

    def repo(self, name: str, *pulls: Pull, parent: str = "") -> Repo:
        """Make a repository."""
        self.repos[name] = Repo(name, parent, list(pulls))
        return self.repos[name]

    def routes(self) -> APIRouter:
        """Return the API."""
        routes = APIRouter(prefix=API)
        at = "/repos/{owner}/{name}"

        @routes.get(at)
        async def repository(request: Request, owner: str, name: str) -> Response:
            return self.answer(request, owner, name, self.repository)

        @routes.get(at + "/pulls")
        async def pulls(request: Request, owner: str, name: str) -> Response:
            return self.answer(request, owner, name, self.pulls)

        @routes.get(at + "/pulls/{number}")
        async def pull(request: Request, owner: str, name: str) -> Response:
            return self.answer(request, owner, name, self.pull)

        @routes.get(at + "/pulls/{number}/reviews")
        async def reviews(request: Request, owner: str, name: str) -> Response:
            return self.answer(request, owner, name, self.reviews)

        return routes

    def answer(self, request: Request, owner: str, name: str, read: Any) -> Response:
        """Answer as GitHub does: strangers learn nothing, not even what there is."""
        self.asked.append(request.url.path.removeprefix(API))
        if self.status:
            return JSONResponse({"message": "no"}, self.status)
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return JSONResponse({"message": "Bad credentials"}, 401)
        repo = self.repos.get(f"{owner}/{name}")
        if repo is None:
            return JSONResponse({"message": "Not Found"}, 404)
        if self.garbage:
            return JSONResponse({"surprise": 1})
        return read(request, repo)

    def repository(self, request: Request, repo: Repo) -> Response:
        owner, _, name = repo.parent.partition("/")
        parent = {"name": name, "owner": {"login": owner}} if owner else None
        return JSONResponse({"full_name": repo.name, "parent": parent})

    def pulls(self, request: Request, repo: Repo) -> Response:
        head = request.query_params["head"]
        assert request.query_params["state"] == "all"
        found = [pull for pull in repo.pulls if pull.head == head]
        found.sort(key=lambda pull: -pull.number)
        return JSONResponse([self.shape(repo, pull) for pull in found])

    def pull(self, request: Request, repo: Repo) -> Response:
        number = int(request.path_params["number"])
        pull = next(one for one in repo.pulls if one.number == number)
        if request.headers["Accept"] == "application/vnd.github.diff":
            return Response(pull.diff, media_type="text/plain")
        return JSONResponse({**self.shape(repo, pull), **self.size(pull)})

    def reviews(self, request: Request, repo: Repo) -> Response:
        number = int(request.path_params["number"])
        pull = next(one for one in repo.pulls if one.number == number)
        return JSONResponse(
            [{"state": state, "user": {"login": login}} for login, state in pull.reviews]
        )

    def shape(self, repo: Repo, pull: Pull) -> dict[str, Any]:
        return {
            "html_url": f"https://github.com/{repo.name}/pull/{pull.number}",
            "number": pull.number,
            "state": pull.state,
            "title": pull.title,
            "draft": pull.draft,
            "user": {"login": "ann", "avatar_url": "https://github.com/ann.png"},
            "base": {"ref": "main"},
            "head": {"ref": pull.head.partition(":")[2]},
        }

    def size(self, pull: Pull) -> dict[str, Any]:
        return {
            "merged": pull.merged,
            "additions": 5,
            "deletions": 2,
            "changed_files": 1,
            "commits": 3,
        }


@asynccontextmanager
async def github() -> AsyncGenerator[GitHub]:
    """Yield a GitHub on a port of this machine."""
    made = GitHub()
    app = FastAPI()
    app.include_router(made.routes())
    async with served(app) as address:
        made.address = address
        yield made
