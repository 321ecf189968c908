"""The interface against its own OpenAPI document, by schemathesis."""

import pathlib
import re
import subprocess
from collections import Counter

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
]

# What must hold from one request to the next.
SEQUENCE_CHECKS = [*CHECKS, "use_after_free", "ensure_resource_availability"]

# Bounded by number, not by time, so that a slow machine tries the same.
EXAMPLES = 40
SEED = 7644
PATIENCE = 600


def check(server):
    user = server.create("/Users", {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "known"})
    group = server.create("/Groups", {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Known"})
    # Ids that somebody has; otherwise all that is checked of these operations is that nothing is found.
    config = server.folder / "known.toml"
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
    # Single requests with the ids; then sequences, which find their ids themselves. The REST interface comes last, since
    # it changes what the source may do.
    runs = [
        (prefix, token, options)
        for prefix, token in [("/scim/v2", server.scim_token), ("/oauth", "nobody"), ("/api/v1", server.api_token)]
        for options in [
            (["--config-file", config], ["--phases", "examples,coverage,fuzzing", "--checks", ",".join(CHECKS)]),
            ([], ["--phases", "stateful", "--checks", ",".join(SEQUENCE_CHECKS)]),
        ]
        # A token endpoint alone is no sequence.
        if prefix != "/oauth" or options[0]
    ]
    problems = []
    tried = Counter()
    for prefix, token, (before, options) in runs:
        done = subprocess.run(
            [
                "schemathesis", *before, "run", f"{server.base}/api/v1/openapi.json",
                "--include-path-regex", f"^{prefix}", "--header", f"Authorization: Bearer {token}", *options,
                "--max-examples", str(EXAMPLES), "--seed", str(SEED), "--generation-database", "none", "--no-color",
            ],
            capture_output=True,
            text=True,
            cwd=pathlib.Path(server.folder),
            timeout=PATIENCE,
        )  # fmt: skip
        generated = re.search(r"^ *(\d+) generated", done.stdout, re.MULTILINE)
        if done.returncode != 0 or generated is None:
            problems.append(f"{prefix} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        tried[prefix] += int(generated.group(1)) if generated else 0
    return ", ".join(f"{count} requests to {prefix}" for prefix, count in tried.items()), problems
