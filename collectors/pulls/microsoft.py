"""What Microsoft's services share: an application of the tenant that signs in with its secret.

Facts: Microsoft Learn, "OAuth 2.0 client credentials flow on the Microsoft identity platform".
"""

from typing import ClassVar

from pydantic import Field

from collectors.pulls.signin import ClientCredentials, OAuth, SignIn
from hinomi.config import Section
from hinomi.secret import Secret


class Application(Section):
    """tenant: directory id or domain; sign_in_url: of the national cloud, where it is another."""

    tenant: str = Field(pattern=r"^[A-Za-z0-9.-]+$")
    client_id: str
    client_secret: Secret
    sign_in_url: str = "https://login.microsoftonline.com"

    scope: ClassVar[str]

    def sign_in(self) -> SignIn:
        """See `Pull.sign_in`."""
        form = ClientCredentials(self.client_id, self.client_secret, {"scope": self.scope})
        return OAuth(f"{self.sign_in_url.rstrip('/')}/{self.tenant}/oauth2/v2.0/token", form)
