"""The interface against its own OpenAPI document, by schemathesis."""

import pathlib
import re
import subprocess

# What must hold for every answer. Left out are the two checks that take the schema for the whole truth: SCIM tolerates
# more than a schema can say (names in any case, single values for lists), and refuses what no schema can tell (a
# `userName` that is taken, a filter with a typing error); the REST interface takes an empty parameter for none.
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "allow_header_conformance",
    "ignored_auth",
    "use_after_free",
    "ensure_resource_availability",
]

# Bounded by number, not by time, so that a slow machine tries the same.
EXAMPLES = 40
SEED = 7644
PATIENCE = 600


def check(server):
    user = server.create("/Users", {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "known"})
    group = server.create("/Groups", {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Known"})
    # Ids that somebody has; otherwise all that is checked of these operations is that nothing is found.
    config = server.folder / "schemathesis.toml"
    config.write_text(
        "".join(
            f'[[operations]]\ninclude-path = "{path}"\nexclude-method = "DELETE"\n'
            f'parameters = {{ "path.id" = "{known}" }}\n'
            for path, known in [
                ("/scim/v2/Users/{id}", user),
                ("/scim/v2/Groups/{id}", group),
                ("/api/v1/users/{id}", user),
                ("/api/v1/users/{id}/explain", user),
            ]
        )
    )
    problems = []
    summaries = []
    for prefix, token in [("/api/v1", server.api_token), ("/scim/v2", server.scim_token), ("/oauth", "nobody")]:
        done = subprocess.run(
            [
                "schemathesis", "--config-file", config, "run", f"{server.base}/api/v1/openapi.json",
                "--include-path-regex", f"^{prefix}", "--header", f"Authorization: Bearer {token}",
                "--checks", ",".join(CHECKS), "--max-examples", str(EXAMPLES), "--seed", str(SEED), "--generation-database", "none", "--no-color",
            ],
            capture_output=True,
            text=True,
            cwd=pathlib.Path(server.folder),
            timeout=PATIENCE,
        )  # fmt: skip
        if done.returncode != 0:
            problems.append(f"{prefix} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        lines = [line.strip() for line in done.stdout.splitlines()]
        tried = next((line for line in lines if re.match(r"\d+ generated", line)), None)
        summaries.append(f"{prefix}: {tried}")
        if tried is None:
            problems.append(f"{prefix}: nothing was tried:\n{done.stdout}{done.stderr}")
    return "; ".join(summaries), problems
