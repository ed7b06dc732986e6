#!/usr/bin/env python3
"""llama.cpp's server for Python, with the one form of a schema that it lacks: `cargo xtask test-fallback` runs it.

    server.py MODEL.gguf PORT

OpenAI, vLLM, ollama and llama.cpp's own server take `{"type": "json_schema", "json_schema": {"schema": …}}`; this one takes
`{"type": "json_object", "schema": …}` alone. Needs `llama-cpp-python[server]`.
"""

import json
import sys

import uvicorn
from llama_cpp.server.app import create_app
from llama_cpp.server.settings import ModelSettings, ServerSettings


def with_known_schema(body: bytes) -> bytes:
    request = json.loads(body or b"{}")
    form = request.get("response_format") or {}
    if form.get("type") == "json_schema":
        request["response_format"] = {"type": "json_object", "schema": form["json_schema"]["schema"]}
    return json.dumps(request).encode()


class KnownSchema:
    """Gives requests the form that the server knows."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http" or scope["method"] != "POST":
            return await self.app(scope, receive, send)
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        messages = [{"type": "http.request", "body": with_known_schema(body)}]

        async def received():
            return messages.pop() if messages else await receive()

        headers = [(name, value) for name, value in scope["headers"] if name != b"content-length"]
        await self.app({**scope, "headers": headers}, received, send)


if __name__ == "__main__":
    model, port = sys.argv[1:]
    settings = ModelSettings(model=model, model_alias="big", n_ctx=8192, verbose=False)
    app = create_app(server_settings=ServerSettings(), model_settings=[settings])
    uvicorn.run(KnownSchema(app), host="127.0.0.1", port=int(port), log_level="warning")
