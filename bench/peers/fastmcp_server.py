"""FastMCP in front of an API, as its page on OpenAPI shows it: OPENAPI file, API base URL, port."""

import json
import sys

import httpx2 as httpx
import yaml
from fastmcp import FastMCP

path, base_url, port = sys.argv[1:]
with open(path) as file:
    spec = json.load(file) if path.endswith(".json") else yaml.safe_load(file)
client = httpx.AsyncClient(base_url=base_url, headers={"Authorization": "Api-Key bench.0123456789abcdef"})
mcp = FastMCP.from_openapi(openapi_spec=spec, client=client, name="bench")

if __name__ == "__main__":
    mcp.run(transport="http", host="127.0.0.1", port=int(port))
