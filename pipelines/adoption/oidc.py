"""The account's identity provider for the tokens of GitHub Actions."""

from pipelines.adoption.account import Account

HOST = "token.actions.githubusercontent.com"


def find_provider(account: Account) -> str | None:
    """Return the provider's ARN; an account can have one of each host, which all its projects share."""
    listed = account.client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"]
    return next((each["Arn"] for each in listed if each["Arn"].endswith(f"oidc-provider/{HOST}")), None)
