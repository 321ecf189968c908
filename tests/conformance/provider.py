"""SCIM as scim2-tester and scim2-cli understand it."""

import json
import os
import random
import subprocess

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server

DINGTALK = "urn:rollcall:params:scim:schemas:extension:dingtalk:2.0:User"

# What counts as passed: as the RFCs demand, recommend or permit.
GOOD = {Status.SUCCESS, Status.COMPLIANT, Status.ACCEPTABLE}

# Fewer checks than this would mean that the tool has not found what there is to check.
FEWEST_CHECKS = 135


def _is_member_name(result) -> bool:
    """The members differ by the name alone that the server shows."""
    found = [member.model_copy(update={"display": None}) for member in result.data["modify_actual"]]
    return found == result.data["expected"]


# Where the tool is wrong: the check, the attribute, what else must be so, and why. An entry that is not needed is a
# problem too.
EXPECTED = [
    *(
        (check, "members", _is_member_name, "a member's `display` is read-only and shown by the server; the tool "
         "wants back exactly what it sent")
        for check in ("check_add_attribute", "check_replace_attribute")
    ),
    *(
        (check, DINGTALK, lambda result: True, "all attributes of the extension are read-only and returned on request; "
         "the tool sends an extension without attributes and wants it back")
        for check in ("check_add_attribute", "check_replace_attribute")
    ),
    ("check_remove_attribute", "active", lambda result: result.data["modify_actual"] is not None, "`active` has a "
     "default (RFC 7644 section 3.5.1), so nobody is ever without a value; removing it does not bring back somebody "
     "who has left"),
]  # fmt: skip


def _urn(result):
    return result.data.get("urn") if isinstance(result.data, dict) else None


def tester(server):
    """Every check of scim2-tester."""
    random.seed(7643)
    http = Client(base_url=server.scim, headers={"Authorization": f"Bearer {server.scim_token}"}, timeout=30)
    with http:
        results = check_server(SyncSCIMClient(http))
    unused = list(EXPECTED)
    problems = []
    for result in results:
        if result.status in GOOD:
            continue
        for expected in EXPECTED:
            check, urn, holds, _ = expected
            if result.status == Status.ERROR and (result.title, _urn(result)) == (check, urn) and holds(result):
                unused = [other for other in unused if other is not expected]
                break
        else:
            problems.append(f"{result.status.name} {result.title} ({result.resource_type}): {result.reason}")
    problems += [f"{check} of {urn} is expected to fail and does not" for check, urn, _, _ in unused]
    if len(results) < FEWEST_CHECKS:
        problems.append(f"only {len(results)} checks were made, not {FEWEST_CHECKS}")
    passed = sum(result.status in GOOD for result in results)
    return f"{len(results)} checks, {passed} passed, {len(EXPECTED)} known faults of the tool", problems


def commands(server):
    """A day of a person with the commands of scim2-cli, which reads every answer by its models."""
    environment = {**os.environ, "SCIM_CLI_HEADERS": f"Authorization: Bearer {server.scim_token}"}
    problems = []
    count = 0

    def run(*arguments, body=None):
        nonlocal count
        count += 1
        done = subprocess.run(
            ["scim2", "--url", server.scim, *arguments],
            input=None if body is None else json.dumps(body),
            stdin=subprocess.DEVNULL if body is None else None,
            capture_output=True,
            text=True,
            env=environment,
            timeout=120,
        )
        if done.returncode != 0:
            problems.append(f"`{' '.join(arguments)}` ended with {done.returncode}: {done.stdout}{done.stderr}")
            return {}
        return json.loads(done.stdout) if done.stdout.strip() else {}

    def expect(what, actual, wanted):
        if actual != wanted:
            problems.append(f"{what}: {actual!r}, not {wanted!r}")

    user = run("create", "user", "--user-name", "jo", "--display-name", "Jo").get("id", "none")
    group = run("create", "group", "--display-name", "Staff").get("id", "none")
    expect("read", run("query", "user", user).get("userName"), "jo")
    expect("list", run("query", "user", "--filter", 'userName eq "JO"').get("totalResults"), 1)
    expect("search", run("search", "--filter", 'displayName eq "staff"').get("totalResults"), 1)
    renamed = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": user, "userName": "joe"}
    expect("replace", run("replace", "user", body=renamed).get("userName"), "joe")
    member = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "add", "path": "members", "value": [{"value": user}]}],
    }
    expect("modify", [found["value"] for found in run("modify", "group", group, body=member).get("members", [])], [user])
    bulk = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [
            {"method": "DELETE", "path": f"/Groups/{group}"},
            {"method": "DELETE", "path": f"/Users/{user}"},
        ],
    }
    expect("bulk", [done["status"] for done in run("bulk", body=bulk).get("Operations", [])], ["204", "204"])
    expect("nobody is left", run("query", "user").get("totalResults"), 0)
    return f"{count} commands", problems
