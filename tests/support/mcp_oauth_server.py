"""An MCP server that takes calls with a token alone, and its authorization server: ``python mcp_oauth_server.py PORT``.

Both are the SDK's. Whoever asks for an authorization is granted one, as if a person had agreed in a browser.
"""

import importlib
import secrets
import sys
import time
from typing import Any

provider_module: Any = importlib.import_module("mcp.server.auth.provider")
settings: Any = importlib.import_module("mcp.server.auth.settings")
OAuthToken: Any = importlib.import_module("mcp.shared.auth").OAuthToken
PORT = int(sys.argv[1])
ADDRESS = f"http://127.0.0.1:{PORT}"


class Granting:
    """Grants every request, and keeps clients, codes and tokens in memory."""

    def __init__(self) -> None:
        self.clients: dict[str, Any] = {}
        self.codes: dict[str, Any] = {}
        self.access: dict[str, Any] = {}
        self.refresh: dict[str, Any] = {}

    async def get_client(self, client_id: str) -> Any:
        """The client of that id."""
        return self.clients.get(client_id)

    async def register_client(self, client_info: Any) -> None:
        """Take a new client."""
        self.clients[client_info.client_id] = client_info

    async def authorize(self, client: Any, params: Any) -> str:
        """Where the browser is sent: back to the client, with a code."""
        code = secrets.token_hex(16)
        self.codes[code] = provider_module.AuthorizationCode(
            code=code,
            scopes=params.scopes or [],
            expires_at=time.time() + 300,
            client_id=client.client_id,
            code_challenge=params.code_challenge,
            redirect_uri=params.redirect_uri,
            redirect_uri_provided_explicitly=params.redirect_uri_provided_explicitly,
            resource=params.resource,
        )
        return provider_module.construct_redirect_uri(str(params.redirect_uri), code=code, state=params.state)

    async def load_authorization_code(self, client: Any, authorization_code: str) -> Any:
        """The code, if it was given out."""
        return self.codes.get(authorization_code)

    async def exchange_authorization_code(self, client: Any, authorization_code: Any) -> Any:
        """Tokens for a code, which can be used once."""
        del self.codes[authorization_code.code]
        return self._tokens(client, authorization_code.scopes, authorization_code.resource)

    async def load_refresh_token(self, client: Any, refresh_token: str) -> Any:
        """The token, if it was given out."""
        return self.refresh.get(refresh_token)

    async def exchange_refresh_token(self, client: Any, refresh_token: Any, scopes: list[str]) -> Any:
        """New tokens for a token."""
        del self.refresh[refresh_token.token]
        return self._tokens(client, scopes, None)

    async def load_access_token(self, token: str) -> Any:
        """The token, if it was given out."""
        return self.access.get(token)

    async def revoke_token(self, token: Any) -> None:
        """Take a token back."""
        self.access.pop(token.token, None)

    def _tokens(self, client: Any, scopes: list[str], resource: str | None) -> Any:
        access, refresh = secrets.token_hex(16), secrets.token_hex(16)
        self.access[access] = provider_module.AccessToken(
            token=access, client_id=client.client_id, scopes=scopes, resource=resource
        )
        self.refresh[refresh] = provider_module.RefreshToken(token=refresh, client_id=client.client_id, scopes=scopes)
        return OAuthToken(access_token=access, refresh_token=refresh, expires_in=3600, scope=" ".join(scopes))


granting = Granting()
auth = settings.AuthSettings(
    issuer_url=ADDRESS,
    resource_server_url=f"{ADDRESS}/mcp",
    client_registration_options=settings.ClientRegistrationOptions(enabled=True, valid_scopes=["tools"]),
    required_scopes=["tools"],
)
try:
    mcpserver: Any = importlib.import_module("mcp.server.mcpserver")
    server: Any = mcpserver.MCPServer("guarded", auth_server_provider=granting, auth=auth)
    options = {"port": PORT}
except ModuleNotFoundError:  # version 1 of the SDK
    mcpserver = importlib.import_module("mcp.server.fastmcp")
    server = mcpserver.FastMCP("guarded", auth_server_provider=granting, auth=auth, port=PORT)
    options = {}


@server.tool()
def clients() -> int:
    """How many clients are registered."""
    return len(granting.clients)


@server.tool()
def forget() -> str:
    """Take all access tokens back."""
    granting.access.clear()
    return "forgotten"


if __name__ == "__main__":
    server.run("streamable-http", **options)
