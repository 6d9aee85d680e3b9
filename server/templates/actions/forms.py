"""Live forms: asked again with each answer, and asked once more when a build is ordered.

No unit of work is open while a form is evaluated.
"""

from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

from server import identity
from server.kit.authz import Actor
from server.kit.db import Database, Tx
from server.kit.errors import ApiError, TooEarly, Unavailable
from server.provisioning import State
from server.templates import policy
from server.templates.actions import read
from server.templates.errors import TooManyForms
from server.templates.model import answers
from server.templates.model.templates import Version
from server.templates.model.values import Values
from server.templates.store import content, forms, templates
from server.terraform import (
    Evaluator,
    Form,
    FormBusy,
    FormQuestion,
    FormSlice,
    NoForm,
    Owner,
    OwnerRole,
    Parameter,
    TemplateFacts,
)

MOST_OPEN = 20
"""Live forms of one user at a time."""
MOST_KEPT_BYTES = 32 << 20
_RENDERS = 3
NIL = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Asked:
    """A version whose form somebody asks for, with everything that is read for it."""

    version: Version
    owner: Owner
    parameters: Sequence[Parameter]
    variables: Mapping[str, str] = field(repr=False)
    form: FormSlice = field(repr=False)
    classic: bool
    """Its template keeps to the parameters as the import found them."""

    def question(
        self, access_url: str, inputs: Mapping[str, str], previous: Mapping[str, str]
    ) -> FormQuestion:
        """Return what the evaluator is asked."""
        of = self.version
        return FormQuestion(
            slice=self.form.content,
            variables=self.variables,
            owner=self.owner,
            template=TemplateFacts(of.template_id or NIL, of.template_name, of.name),
            access_url=access_url,
            inputs=inputs,
            previous=previous,
        )


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a build of a version runs with."""

    version_id: UUID
    values: Mapping[str, str]
    workspace_tags: Mapping[str, str]


@dataclass(slots=True)
class FormDesk:
    """Evaluates forms for the rooms above and for clients; one for each replica."""

    db: Database
    evaluator: Evaluator | None
    """None where this server may run no terraform itself."""
    access_url: str
    _open: Counter[UUID] = field(default_factory=Counter[UUID])
    _kept: dict[UUID, FormSlice] = field(default_factory=dict[UUID, FormSlice])

    @contextmanager
    def seat(self, user_id: UUID) -> Generator[None]:
        """Count one more live form of a user while it is open.

        Raises:
            TooManyForms: they have as many as they may.
        """
        if self._open[user_id] >= MOST_OPEN:
            raise TooManyForms(MOST_OPEN)
        self._open[user_id] += 1
        try:
            yield
        finally:
            self._open[user_id] -= 1
            if not self._open[user_id]:
                del self._open[user_id]

    async def show(
        self, actor: Actor, version_id: UUID, owner_id: UUID | None, inputs: Mapping[str, str]
    ) -> Form:
        """Return a version's form for an owner (the actor, if nobody is named) and some answers.

        Raises:
            NotFound: the version is hidden.
            TooEarly: its import has not ended.
        """
        async with self.db.tx(actor) as tx:
            version = await finished(tx, version_id)
            try:
                owner = await _owner(tx, version, owner_id or actor.user_id)
            except ApiError:
                return Form(notes=(answers.OWNER_NOT_FOUND,))
            asked = await self._read(tx, version, owner)
        return await self._evaluated(asked, inputs)

    async def resolve(
        self, actor: Actor, version_id: UUID, owner_id: UUID, values: Values
    ) -> Resolved | None:
        """Return what a build runs with, its form evaluated for these values.

        None tells that the version's form cannot be evaluated, so that ``resolve_parameters`` is
        the rule. The caller has asked whether the actor may build for the owner.

        Raises:
            NotFound: the version or the owner is gone, or hidden.
            BadParameters: with one FieldError for each value that is missing or refused.
            Unavailable: too many forms are being evaluated.
        """
        async with self.db.tx(actor) as tx:
            version = await read.version(tx, version_id)
            asked = await self._read(tx, version, await owner_of(tx, owner_id))
        if not version.imported or asked.classic:
            return None
        try:
            form, before = await self._settled(asked, values)
        except FormBusy:
            # The stored parameters may be other ones: better no build than a wrong one.
            raise Unavailable("Too many forms are being evaluated just now. Try again.") from None
        except NoForm:
            return None
        settled = answers.settle(form, values, before)
        return Resolved(version.id, settled, {**version.workspace_tags, **form.workspace_tags})

    async def _settled(self, asked: Asked, values: Values) -> tuple[Form, Form]:
        """Return the form for the merged values, and the one of the last build's own."""
        before = Form()
        if not values.first_build:
            before = await self._live(asked, values.previous, {})
        forgotten = answers.stale(before, values)
        form = Form()
        for _ in range(_RENDERS):
            inputs = answers.inputs(values, forgotten)
            form = await self._live(asked, inputs, values.previous)
            # An ephemeral parameter may appear only now; what it was last time does not count.
            if not (more := answers.stale(form, values) - forgotten):
                break
            forgotten |= more
        return form, before

    async def _evaluated(self, asked: Asked, inputs: Mapping[str, str]) -> Form:
        if asked.classic:
            return answers.stored_form(asked.parameters, inputs)
        try:
            return await self._live(asked, inputs, {})
        except NoForm as error:
            note = answers.not_live(str(error).rstrip("."))
            return answers.stored_form(asked.parameters, inputs, [note])

    async def _live(
        self, asked: Asked, inputs: Mapping[str, str], previous: Mapping[str, str]
    ) -> Form:
        if self.evaluator is None:
            raise NoForm("this server leaves Terraform to its provisioners")
        if asked.form.problem:
            raise NoForm(asked.form.problem)
        known = {parameter.name: parameter for parameter in asked.parameters}
        question = asked.question(self.access_url, inputs, previous)
        return await self.evaluator.evaluate(question, known)

    async def _read(self, tx: Tx, version: Version, owner: Owner) -> Asked:
        variables = await content.variables(tx, version.id)
        return Asked(
            version=version,
            owner=owner,
            parameters=await content.parameters(tx, version.id),
            # A default may be an expression; only what somebody gave is handed to terraform.
            variables={
                v.name: v.value for v in variables if v.required or v.value != v.default_value
            },
            form=await self._slice(tx, version),
            classic=await _is_classic(tx, version),
        )

    async def _slice(self, tx: Tx, version: Version) -> FormSlice:
        kept = self._kept.pop(version.id, None)
        if kept is None:
            kept = await forms.get(tx, version.id)
        if kept is None:
            return FormSlice(problem=_why_not(version))
        self._kept[version.id] = kept  # The one used last is last; it never changes.
        while sum(len(one.content) for one in self._kept.values()) > MOST_KEPT_BYTES:
            self._kept.pop(next(iter(self._kept)))
        return kept


def _why_not(version: Version) -> str:
    if not version.imported:
        return "its import has not succeeded"
    return "an older release imported it; push it again"


async def finished(tx: Tx, version_id: UUID) -> Version:
    """Return a version that the actor may see, once its import has ended.

    Raises:
        NotFound: there is none, or it is hidden.
        TooEarly: its import goes on.
    """
    version = await read.version(tx, version_id)
    if version.job_state == State.RUNNING:
        raise TooEarly("Template version job has not finished")
    return version


async def _owner(tx: Tx, version: Version, owner_id: UUID) -> Owner:
    """Return the owner that a form is asked for, as far as the actor may know of them."""
    policy.may_ask_for(tx.actor, owner_id, version)
    found = await identity.resolve_user(tx, str(owner_id))
    return await owner_of(tx, found.id)


async def owner_of(tx: Tx, owner_id: UUID) -> Owner:
    """Return what a form or a dry run may know of an owner: none of their secrets.

    Raises:
        NotFound: they are gone.
    """
    return as_owner(await identity.owner_facts(tx, owner_id))


def as_owner(facts: identity.OwnerFacts) -> Owner:
    """Return an owner as terraform is told of them, without any secret."""
    return Owner(
        id=facts.id,
        name=facts.username,
        full_name=facts.full_name,
        email=facts.email,
        groups=facts.groups,
        roles=tuple(OwnerRole(role.name, str(role.organization_id or "")) for role in facts.roles),
        login_type=facts.login_type,
        ssh_public_key=facts.ssh_public_key,
    )


async def _is_classic(tx: Tx, version: Version) -> bool:
    if version.template_id is None:
        return False
    of = await templates.unfiltered(tx, version.template_id)
    return of is not None and of.use_classic_parameter_flow
