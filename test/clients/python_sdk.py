"""The Python SDK against a server: lists, calls, reads, prompts, completes, asks the user and cancels.

MCP_URL and MCP_TOKEN say where the server is. HOLDING_URL is that of the proxy before its
Django, which keeps back what is asked for with a limit of 99 and says when that has begun
and ended. Every way of agreeing on a revision is tried.
"""

import os
from contextlib import asynccontextmanager
from importlib.metadata import version

import anyio
import httpx2
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp.types import ElicitResult, PromptReference

URL = os.environ["MCP_URL"]
TOKEN = os.environ["MCP_TOKEN"]
HOLDING_URL = os.environ["HOLDING_URL"]
DELETABLE = int(os.environ["DELETABLE_ID"])

MODERN = "2026-07-28"
MODES = {"legacy": "2025-11-25", "auto": MODERN, MODERN: MODERN}

# Seconds that anything may take.
PATIENCE = 30


@asynccontextmanager
async def connect(mode, token=TOKEN, **options):
    async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE) as http:
        async with Client(streamable_http_client(URL, http_client=http), mode=mode, **options) as client:
            yield client


def causes(error):
    """The errors that a group holds, or the error itself."""
    for cause in getattr(error, "exceptions", [error]):
        yield from [cause] if cause is error else causes(cause)


async def check_everything(client):
    tools = await client.list_tools()
    assert [tool.name for tool in tools.tools] == ["delete_opportunity", "get_opportunities", "pipeline_report", "shout"], tools

    won = await client.call_tool("get_opportunities", {"status": "won", "limit": 2})
    assert not won.is_error and won.structured_content["total"] == 81, won
    wrong = await client.call_tool("get_opportunities", {"status": "open"})
    assert wrong.is_error and "status: " in wrong.content[0].text, wrong

    heard = []

    async def hear(progress, total, message):
        heard.append((progress, total, message))

    loud = await client.call_tool("shout", {"word": "さくら ok"}, progress_callback=hear)
    assert loud.content[0].text == "さくら OK", loud
    assert heard == [(1, 2, "listening")], heard

    templates = await client.list_resource_templates()
    assert [template.uri_template for template in templates.resource_templates] == ["client://{client_id}"], templates
    assert (await client.list_resources()).resources == []
    details = await client.read_resource("client://2")
    assert details.contents[0].text.startswith("Client Details: さくら物流\n"), details

    prompts = await client.list_prompts()
    assert [prompt.name for prompt in prompts.prompts] == ["summarize_client"], prompts
    prompt = await client.get_prompt("summarize_client", {"client": "さくら物流"})
    assert "client://2" in prompt.messages[0].content.text, prompt

    reference = PromptReference(type="ref/prompt", name="summarize_client")
    completed = await client.complete(reference, {"name": "client", "value": "さくら"})
    assert completed.completion.values == ["さくら物流"], completed


async def check_refusals(mode, client):
    try:
        await client.read_resource("client://999999")
    except MCPError as error:
        assert error.code == (-32602 if MODES[mode] == MODERN else -32002), error
    else:
        raise AssertionError("a resource that does not exist was read")
    try:
        async with connect(mode, token="nonsense") as stranger:
            await stranger.list_tools()
    except Exception as error:
        assert any(isinstance(cause, MCPError) for cause in causes(error)), repr(error)
    else:
        raise AssertionError("a token that is none was taken")


async def check_cancelling(client):
    """Give up a call and see its request to Django end."""
    async with httpx2.AsyncClient(base_url=HOLDING_URL, timeout=PATIENCE) as holding:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.call_tool, "get_opportunities", {"limit": 99})
            (await holding.get("/-/held")).raise_for_status()
            tasks.cancel_scope.cancel()
        (await holding.get("/-/ended")).raise_for_status()
    assert (await client.call_tool("get_opportunities", {"limit": 1})).structured_content["count"] == 1


async def check_asking(mode):
    """Decline to delete; who cannot be asked is handed the question instead."""
    questions = []

    async def decline(context, params):
        questions.append(params.message)
        return ElicitResult(action="decline")

    async with connect(mode, elicitation_callback=decline) as client:
        answer = await client.call_tool("delete_opportunity", {"opportunity_id": DELETABLE})
    if MODES[mode] == MODERN:
        assert answer.structured_content["deleted"] is False, answer
        assert len(questions) == 1 and f"(id {DELETABLE})" in questions[0], questions
    else:
        assert answer.is_error and "confirmation_token" in answer.content[0].text, answer
        assert questions == []


async def main():
    print("mcp", version("mcp"))
    for mode, revision in MODES.items():
        with anyio.fail_after(4 * PATIENCE):
            async with connect(mode) as client:
                assert client.protocol_version == revision, client.protocol_version
                await check_everything(client)
                await check_refusals(mode, client)
                await check_cancelling(client)
            await check_asking(mode)
        print("ok", mode)


anyio.run(main)
