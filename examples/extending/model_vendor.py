"""A vendor of models whose service speaks OpenAI's format: one entry in the registry.

With ACME_API_KEY set, and ACME_BASE_URL where the service runs elsewhere, the model is asked too.
"""

import asyncio

from symposia.core.models import TokenPrice, UserMessage
from symposia.ext.models.openai import OpenAIProfile, compatible_vendor
from symposia.ext.models.vendors import find_vendor, register_vendor

ACME = compatible_vendor(
    name="acme",
    title="Acme",
    base_url="https://models.acme.example/v1",
    address_variable="ACME_BASE_URL",
    key="ACME_API_KEY",
    models="anvil-",
    default_model="anvil-2",
    profiles={
        "anvil-2": OpenAIProfile(family="anvil", context=200_000, max_output=32_000, vision=False),
    },
    prices={"anvil-2": TokenPrice(prompt=0.4, completion=1.6)},  # US dollars for a million tokens
)


async def main() -> None:
    register_vendor(ACME)
    vendor, model = find_vendor("anvil-2-mini")  # or "acme/anvil-2-mini"
    print(f"{model} is a model of {vendor.title}, as is {vendor.default_model}")
    if problems := vendor.problems():
        print("It cannot be asked:", *problems)
    else:
        client = vendor.make_client(model)
        print((await client.create([UserMessage(content="What is heavy?", source="user")])).content)
        await client.close()


if __name__ == "__main__":
    asyncio.run(main())
