"""Going on after an answer that the provider keeps (OpenAI Responses with ``store``)."""

from server.llm import ErrorKind, Message, ModelError, Provenance, Reasoning, Role, Text, ToolCall
from server.loop import Done, Failed, Layers
from tests.server.loop.world import Stage, asks, fails, says, system, tool, uses

GONE = ModelError(ErrorKind.CHAIN_BROKEN, "previous response not found")
SIGNED = Provenance("openai", {"encrypted_content": "x"})
HISTORY = [
    system("be good"),
    *asks("hi"),
    Message(Role.ASSISTANT, (Reasoning("hm", provenance=SIGNED), Text("hello")), provider="openai"),
    *asks("and now"),
]


def stage(*scenes: object, **turn: object) -> Stage:
    return Stage(
        *scenes,  # type: ignore[arg-type]
        history=HISTORY,
        provider="openai",
        tools=(tool("look"),),
        **{"stores": True, "chain_from": "resp_1", **turn},
    )


async def test_only_what_is_new_is_sent_after_an_answer_that_is_kept() -> None:
    chained = stage(uses(ToolCall("1", "look")), says("done"))
    assert await chained.run() == Done("done")
    first, second = chained.model.asked
    assert first.previous_response_id == "resp_1"
    assert [message.role for message in first.messages] == [Role.SYSTEM, Role.USER]
    # The chain ends with the first step: from there on everything is sent.
    assert second.previous_response_id == ""
    assert len(second.messages) == 6


async def test_edge_case_13_a_broken_chain_falls_back_to_a_full_replay_once() -> None:
    chained = stage(fails(GONE), says("done", response_id="resp_2"))
    assert await chained.run() == Done("done")
    assert chained.model.asked[1].previous_response_id == ""
    assert len(chained.model.asked[1].messages) == 4
    assert chained.ledger.rows[0].response_id == "resp_2"

    chained = stage(fails(GONE), fails(GONE))
    assert await chained.run() == Failed(GONE)


async def test_edge_case_13_reasoning_is_not_replayed_to_a_provider_that_stores() -> None:
    chained = stage(says("done"), chain_from="")
    await chained.run()
    sent = [part for message in chained.model.asked[0].messages for part in message.parts]
    assert not any(isinstance(part, Reasoning) for part in sent)


async def test_plans_are_made_with_the_whole_history() -> None:
    chained = stage(says("done"), layers=Layers(planning=True))
    await chained.run()
    assert chained.model.asked[0].previous_response_id == ""
