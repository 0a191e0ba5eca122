"""The agents of the gateway: a few agents, their answers, and their stored records.

Source: the pages under ``docs.cloudbase.net/http-api/ai-bot``. A scenario is chosen as for a model,
with the agent's id in place of the model's name. An answer uses the scenario's text, reasoning,
finish reason, usage, errors and all fields about the wire; one event counts as one token.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from tests.gateway.answer import JSON
from tests.gateway.errors import Error
from tests.gateway.events import Ask, Saying
from tests.gateway.scenario import Scenario

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.gateway.gateway import Gateway
    from tests.gateway.log import Exchange

_PATH = re.compile(r"(?:/v1)?/aibot/bots(?:/(?P<bot>[^/]+)(?:/(?P<rest>.+))?)?")
_STREAMED = ("send-message", "recommend-questions")
_TIME = "2026-11-25T08:30:00.000Z"

SEARCH_RESULTS = [
    {"index": "【1】", "title": "Li Bai", "url": "https://example.com/li-bai"},
    {"index": "【2】", "title": "李白", "url": "https://example.com/libai"},
]
QUESTIONS = "Who was Du Fu?\n2. What is a quatrain?\n\n- 李白写过哪些诗？\n"


def _bot(bot_id: str, name: str, **more: Any) -> dict[str, Any]:
    return {
        "botId": bot_id,
        "name": name,
        "introduction": f"{name}, an agent of the tests",
        "agentSetting": "Answer as a poet.",
        "welcomeMessage": "你好",
        "avatar": "https://example.com/avatar.png",
        "isNeedRecommend": True,
        "initQuestions": ["Who are you?"],
        "type": "text",
        "searchEnable": False,
        "knowledgeBase": [],
        **more,
    }


@dataclass
class Agents:
    """The agents and their stored data; a test may change all of it."""

    bots: dict[str, dict[str, Any]] = field(
        default_factory=lambda: {
            bot["botId"]: bot
            for bot in (
                _bot("bot-poet", "Poet"),
                _bot("bot-reader", "Reader", searchEnable=True, knowledgeBase=["poems", "诗集"]),
                _bot("bot-third", "Third"),
            )
        }
    )
    records: list[dict[str, Any]] = field(default_factory=list)
    feedback: list[dict[str, Any]] = field(default_factory=list)
    conversations: list[dict[str, Any]] = field(default_factory=list)

    def owns(self, path: str) -> bool:
        """Return whether a path belongs to the agents."""
        return _PATH.fullmatch(path) is not None

    def decide(self, gateway: Gateway, exchange: Exchange) -> tuple[Scenario, Ask]:
        """Return the answer to a request, and store the messages or data that it sends."""
        match = _PATH.fullmatch(exchange.path)
        assert match is not None
        bot_id, rest = match["bot"], match["rest"] or ""
        chosen = gateway.choose(exchange.headers.get("x-gateway-scenario", bot_id or ""))
        if bot_id is not None and bot_id not in self.bots:
            return _refused(404, "BOT_NOT_FOUND", "The bot does not exist."), _NOBODY
        if chosen.body is not None or chosen.raw is not None or chosen.redirect is not None:
            return chosen, _NOBODY
        if chosen.error is not None and chosen.error_where != "event":
            return chosen, _NOBODY
        if bot_id and exchange.method == "POST" and rest in _STREAMED:
            return self._streamed(exchange, chosen, self.bots[bot_id], rest)
        value = self._value(exchange, bot_id, rest)
        if isinstance(value, Scenario):
            return value, _NOBODY
        text = json.dumps(value, ensure_ascii=False).encode()
        return chosen.but(body=text, content_type=chosen.content_type or JSON), _NOBODY

    def _streamed(
        self, exchange: Exchange, chosen: Scenario, bot: dict[str, Any], rest: str
    ) -> tuple[Scenario, Ask]:
        body = exchange.json
        msg = body.get("msg")
        if not isinstance(msg, str) or (not msg and rest == "send-message"):
            return _refused(400, "INVALID_PARAM", "msg is required."), _NOBODY
        if rest == "recommend-questions" and chosen.text is None and not chosen.echo:
            chosen = chosen.but(text=QUESTIONS)
        ask = Ask(True, bot["botId"], msg)
        record_id = f"record-{exchange.number:06d}"
        searches = bool(body.get("searchEnable")) and bot["searchEnable"]
        payloads = tuple(_events(chosen, ask, bot, record_id, searches=searches))
        if rest == "send-message":
            self._keep(body, bot["botId"], record_id, "".join(Saying.of(chosen, ask).content))
        if chosen.answer_as == "json":
            return chosen.but(body=payloads[0].encode(), content_type=JSON), ask
        ends = chosen.done and chosen.stop_after is None
        ends = ends and (chosen.error is None or chosen.after_error == "done")
        return chosen.but(payloads=payloads, done=ends, error=None), ask

    def _keep(self, body: dict[str, Any], bot_id: str, record_id: str, text: str) -> None:
        common = {
            "botId": bot_id,
            "conversation": body.get("conversationId", "user"),
            "type": "text",
            "image": "",
            "triggerSrc": "TCB",
            "createTime": _TIME,
        }
        asked = {"recordId": f"{record_id}-user", "role": "user", "content": body["msg"]}
        said = {"recordId": record_id, "role": "assistant", "content": text}
        self.records.append({**common, **asked, "replyTo": ""})
        self.records.append({**common, **said, "replyTo": asked["recordId"]})

    def _value(self, exchange: Exchange, bot_id: str | None, rest: str) -> Any:
        query = dict(parse_qsl(exchange.target.partition("?")[2]))
        method = exchange.method
        if bot_id is None and method == "GET":
            bots = [bot for bot in self.bots.values() if query.get("name", "") in bot["name"]]
            return _page("botList", bots, query)
        if bot_id is None:
            return Scenario(error=Error("METHOD_NOT_ALLOWED"))
        if method == "GET" and rest == "":
            return self.bots[bot_id]
        if method == "GET" and rest == "records":
            wanted = query.get("conversationId")
            found = [
                record
                for record in self.records
                if record["botId"] == bot_id and wanted in (None, record["conversation"])
            ]
            if query.get("sort") not in ("asc", "desc"):
                return _refused(400, "INVALID_PARAM", "sort must be asc or desc.")
            return _page("recordList", found if query["sort"] == "asc" else found[::-1], query)
        if rest == "feedback":
            return self._feedback(exchange, bot_id, query)
        if rest.startswith("conversation"):
            return self._conversation(exchange, bot_id, rest, query)
        return Scenario(error=Error("INVALID_PATH"))

    def _feedback(self, exchange: Exchange, bot_id: str, query: dict[str, str]) -> Any:
        if exchange.method == "POST":
            given = exchange.json
            if given.get("type") not in ("upvote", "downvote") or given.get("botId") != bot_id:
                return _refused(400, "INVALID_PARAM", "type or botId is wrong.")
            self.feedback.append(given)
            return {"status": "success"}
        kind = query.get("type")
        found = [
            one for one in self.feedback if one["botId"] == bot_id and kind in (None, one["type"])
        ]
        return _page("feedbackList", found, query)

    def _conversation(
        self, exchange: Exchange, bot_id: str, rest: str, query: dict[str, str]
    ) -> Any:
        mine = [one for one in self.conversations if one["botId"] == bot_id]
        if exchange.method == "POST" and rest == "conversation":
            new = {
                "botId": bot_id,
                "conversationId": f"conv-{len(self.conversations) + 1}",
                "title": exchange.json.get("title", "新会话"),
                "createTime": _TIME,
                "updateTime": _TIME,
            }
            self.conversations.append(new)
            return new
        if exchange.method == "GET" and rest == "conversation":
            offset, limit = int(query["offset"]), int(query["limit"])
            return {"data": mine[offset : offset + limit], "total": len(mine)}
        if exchange.method == "DELETE":
            gone = [one for one in mine if f"conversation/{one['conversationId']}" == rest]
            if not gone:
                return _refused(404, "CONVERSATION_NOT_FOUND", "No such conversation.")
            self.conversations.remove(gone[0])
            return {"status": "success"}
        return Scenario(error=Error("METHOD_NOT_ALLOWED"))


_NOBODY = Ask(False, "", "")


def _refused(status: int, code: str, message: str) -> Scenario:
    return Scenario(error=Error(code, status=status, message=message))


def _page(name: str, found: list[Any], query: dict[str, str]) -> dict[str, Any]:
    size, number = int(query.get("pageSize", 10)), int(query.get("pageNumber", 1))
    return {name: found[size * (number - 1) : size * number], "total": len(found)}


def _events(
    scenario: Scenario, ask: Ask, bot: dict[str, Any], record_id: str, *, searches: bool
) -> Iterator[str]:
    """Yield the data of every event of an answer except ``[DONE]``."""
    if scenario.payloads is not None:
        yield from scenario.payloads
        return
    saying = Saying.of(scenario, ask)
    sent = 0

    def event(kind: str, finish: str = "continue", **more: Any) -> str:
        value = {
            "created": "1790000000",
            "record_id": record_id,
            "model": "hunyuan",
            "version": "202407241700",
            "type": kind,
            "role": "assistant",
            "content": "",
            "finish_reason": finish,
            "reasoning_content": "",
            **more,
        }
        if scenario.usage != "absent":
            value["usage"] = {"promptTokens": 3, "completionTokens": sent, "totalTokens": 3 + sent}
        return json.dumps(value, ensure_ascii=scenario.ascii)

    if searches:
        yield event("search", search_info={"search_results": SEARCH_RESULTS})
    if bot["knowledgeBase"]:
        yield event("knowledge", knowledge_base=bot["knowledgeBase"])
    tokens = [("thinking", "reasoning_content", token) for token in saying.reasoning]
    tokens += [("text", "content", token) for token in saying.content]
    for kind, name, token in tokens:
        if scenario.error is not None and sent >= scenario.error_after:
            break
        if scenario.stop_after is not None and sent >= scenario.stop_after:
            return
        sent += 1
        yield event(kind, **{name: token})
    if scenario.error is not None:
        error = {"code": scenario.error.code, "message": scenario.error.message}
        yield (
            scenario.error.body("")
            if scenario.error.upstream
            else event("text", "error", error=error)
        )
        return
    yield event("text", scenario.finish_reason)
