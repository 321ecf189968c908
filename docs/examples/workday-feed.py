#!/usr/bin/env python3
"""Sends a full snapshot of workers to a SCIM 2.0 server, with Bulk requests (RFC 7644 section 3.7).

    SCIM_TOKEN=... python3 workday-feed.py workers.csv --base-url http://127.0.0.1:8080/scim/v2

The snapshot is a CSV file with the columns of workers.csv; each row is a worker, and worker_id is what the server keeps as
externalId. A run reads back who is there, compares, and sends only what differs: new workers, changed ones, and those whose
status is not "active" or who are no longer in the file, who are deactivated. So a run that was interrupted is continued by
running it again, and a second run in a row sends nothing.

Instead of SCIM_TOKEN: SCIM_TOKEN_URL, SCIM_CLIENT_ID and SCIM_CLIENT_SECRET (OAuth 2.0 client credentials).

Exit status: 0 all rows are in step, 1 some rows failed (each is printed), 2 nothing could be done, or too many leavers.
"""

import argparse
import csv
import email.utils
import json
import os
import random
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
MOST_OPERATIONS, MOST_BYTES = 1000, 1024 * 1024
TRIES = 8

# Column, and the PATCH path of its attribute.
PATHS = {
    "user_name": "userName",
    "given_name": "name.givenName",
    "family_name": "name.familyName",
    "display_name": "displayName",
    "email": 'emails[type eq "work"].value',
    "mobile": 'phoneNumbers[type eq "mobile"].value',
    "title": "title",
    "worker_id": ENTERPRISE + ":employeeNumber",
    "organization": ENTERPRISE + ":organization",
    "division": ENTERPRISE + ":division",
    "department": ENTERPRISE + ":department",
    "manager_worker_id": ENTERPRISE + ":manager",
}


class Failed(Exception):
    """The run cannot go on."""


class Lost(Exception):
    """The connection broke, and nobody knows whether the request was carried out."""


def detail_of(body):
    """What the server says about a failure."""
    try:
        error = json.loads(body) if isinstance(body, (bytes, str)) else body
        words = [error.get("scimType"), error.get("detail") or error.get("error")]
        return ": ".join(word for word in words if word) or "no detail"
    except (ValueError, AttributeError):
        return "no detail"


class Server:
    """The SCIM server: signs in, and waits when it is asked to."""

    def __init__(self, base_url):
        self.base_url = base_url.rstrip("/")
        self.token = os.environ.get("SCIM_TOKEN")
        self.token_url = os.environ.get("SCIM_TOKEN_URL")
        if not self.token and not self.token_url:
            raise Failed("set SCIM_TOKEN, or SCIM_TOKEN_URL, SCIM_CLIENT_ID and SCIM_CLIENT_SECRET")

    def fetch_token(self):
        form = {
            "grant_type": "client_credentials",
            "client_id": os.environ.get("SCIM_CLIENT_ID", ""),
            "client_secret": os.environ.get("SCIM_CLIENT_SECRET", ""),
        }
        self.token = self.send(self.token_url, urllib.parse.urlencode(form).encode(), {})["access_token"]

    def ask(self, path, body=None):
        """The answer to a GET, or to a POST of a body that is JSON already."""
        for renewed in (False, True):
            if not self.token:
                self.fetch_token()
            headers = {"Authorization": "Bearer " + self.token, "Accept": "application/scim+json"}
            if body is not None:
                headers["Content-Type"] = "application/scim+json"
            try:
                return self.send(self.base_url + path, body, headers)
            except urllib.error.HTTPError as error:
                # An access token has an end; a fixed token that is refused stays refused.
                if error.code != 401 or not self.token_url or renewed:
                    raise Failed(f"{path}: {error.code}: {detail_of(error.read())}") from None
                self.token = None

    def send(self, url, body, headers):
        for attempt in range(TRIES):
            request = urllib.request.Request(url, data=body, headers=headers)
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as error:
                if error.code not in (429, 503) or attempt + 1 == TRIES:
                    raise
                pause(attempt, error.headers.get("Retry-After"))
            except (OSError, ValueError) as error:
                # A question may be asked again. After a command that may have been carried out, look first.
                if body is not None and url != self.token_url:
                    raise Lost(str(error)) from None
                if attempt + 1 == TRIES:
                    raise Failed(f"{url}: {error}") from None
                pause(attempt, None)


def pause(attempt, retry_after):
    """Waits as long as the server asks, or longer each time, up to a minute."""
    seconds = min(60, 2**attempt) * random.uniform(0.5, 1)
    if retry_after and retry_after.strip().isdigit():
        seconds = int(retry_after)
    elif retry_after:
        moment = email.utils.parsedate_to_datetime(retry_after)
        seconds = max(0, moment.timestamp() - time.time())
    print(f"waiting {seconds:.1f} s", file=sys.stderr)
    time.sleep(seconds)


def read_workers(file):
    """The snapshot: what is wanted of each worker, by worker id."""
    workers = {}
    with open(file, encoding="utf-8-sig", newline="") as rows:
        for number, row in enumerate(csv.DictReader(rows), start=2):
            worker = {name: (value or "").strip() for name, value in row.items() if name}
            key = worker.get("worker_id")
            if not key or not worker.get("user_name") or key in workers:
                raise Failed(f"{file}, row {number}: worker_id and user_name are needed, and each worker_id once")
            worker["display_name"] = f"{worker['given_name']} {worker['family_name']}".strip()
            worker["active"] = worker.get("status", "active").lower() == "active"
            workers[key] = worker
    if not workers:
        raise Failed(f"{file}: no workers; an empty file would deactivate everybody")
    return workers


def read_back(server):
    """Everybody whom this source has sent, by worker id, page by page with a cursor (RFC 9865)."""
    people, cursor = {}, ""
    fields = f"externalId,userName,name,displayName,emails,phoneNumbers,title,active,{ENTERPRISE}"
    while cursor is not None:
        query = {"filter": "externalId pr", "count": 500, "attributes": fields, "cursor": cursor}
        page = server.ask("/Users?" + urllib.parse.urlencode(query))
        for user in page.get("Resources", []):
            people[user["externalId"]] = user
        cursor = page.get("nextCursor")
    return people


def current(user):
    """What the server holds, under the names of the columns."""
    def typed(name, kind):
        return next((item.get("value", "") for item in user.get(name, []) if item.get("type") == kind), "")

    name, work = user.get("name", {}), user.get(ENTERPRISE, {})
    return {
        "user_name": user.get("userName", ""),
        "given_name": name.get("givenName", ""),
        "family_name": name.get("familyName", ""),
        "display_name": user.get("displayName", ""),
        "email": typed("emails", "work"),
        "mobile": typed("phoneNumbers", "mobile"),
        "title": user.get("title", ""),
        "worker_id": work.get("employeeNumber", ""),
        "organization": work.get("organization", ""),
        "division": work.get("division", ""),
        "department": work.get("department", ""),
        "manager_worker_id": work.get("manager", {}).get("value", ""),
    }


def creation(worker):
    work = {"employeeNumber": worker["worker_id"]}
    work |= {name: worker[name] for name in ("organization", "division", "department") if worker[name]}
    if worker["manager_worker_id"]:
        work["manager"] = {"value": worker["manager_worker_id"]}
    user = {
        "schemas": [CORE, ENTERPRISE],
        "externalId": worker["worker_id"],
        "userName": worker["user_name"],
        "displayName": worker["display_name"],
        "name": {"givenName": worker["given_name"], "familyName": worker["family_name"]},
        "active": True,
        ENTERPRISE: work,
    }
    if worker["title"]:
        user["title"] = worker["title"]
    if worker["email"]:
        user["emails"] = [{"type": "work", "value": worker["email"], "primary": True}]
    if worker["mobile"]:
        user["phoneNumbers"] = [{"type": "mobile", "value": worker["mobile"]}]
    return {"method": "POST", "path": "/Users", "bulkId": worker["worker_id"], "data": user}


def patch(key, user_id, operations):
    data = {"schemas": [PATCH], "Operations": operations}
    return {"method": "PATCH", "path": "/Users/" + user_id, "bulkId": key, "data": data}


def change(key, user, worker):
    """What makes the server's user like the worker, or nothing."""
    operations = []
    if worker["active"]:
        held = current(user)
        for column, path in PATHS.items():
            if worker[column] and worker[column] != held[column]:
                value = {"value": worker[column]} if column == "manager_worker_id" else worker[column]
                operations.append({"op": "replace", "path": path, "value": value})
            elif held[column] and not worker[column]:
                operations.append({"op": "remove", "path": path})
    if user.get("active", True) != worker["active"]:
        operations.append({"op": "replace", "path": "active", "value": worker["active"]})
    return patch(key, user["id"], operations) if operations else None


def plan(workers, people, most_leavers):
    """All operations: leavers first, because they give up userNames and should wait for nobody."""
    leavers, changes, creations = [], [], []
    for key, user in people.items():
        worker = workers.get(key, {"active": False})
        operation = change(key, user, worker)
        if operation:
            (changes if worker["active"] else leavers).append(operation)
    for key, worker in workers.items():
        if key not in people and worker["active"]:
            creations.append(creation(worker))
    print(f"{len(creations)} to create, {len(changes)} to change, {len(leavers)} to deactivate")
    if len(leavers) > most_leavers:
        names = ", ".join(operation["bulkId"] for operation in leavers[:10])
        raise Failed(f"more leavers than --most-leavers {most_leavers} ({names}); nothing was sent")
    return leavers + changes + creations


def batches(operations, most_operations, most_bytes):
    """Bulk requests as bytes, none of them too long."""
    frame = len(json.dumps({"schemas": [BULK], "Operations": []})) + 8
    batch, size = [], frame
    for operation in operations:
        text = json.dumps(operation, ensure_ascii=False)
        length = len(text.encode()) + 2
        if batch and (len(batch) == most_operations or size + length > most_bytes):
            yield batch
            batch, size = [], frame
        batch.append(text)
        size += length
    if batch:
        yield batch


def send(server, operations, limits):
    """Sends everything; gives the rows that failed, and those that the server had no time for."""
    failed, again, sent = {}, [], 0
    by_key = {operation["bulkId"]: operation for operation in operations}
    for batch in batches(operations, *limits):
        body = '{"schemas": ["%s"], "Operations": [%s]}' % (BULK, ", ".join(batch))
        answer = server.ask("/Bulk", body.encode())
        for outcome in answer["Operations"]:
            status = int(outcome["status"])
            if status in (429, 503):
                again.append(by_key[outcome["bulkId"]])
            elif status >= 300:
                failed[outcome["bulkId"]] = (status, detail_of(outcome.get("response", {})))
        sent += len(batch)
        print(f"{sent} of {len(operations)} sent")
    return failed, again


def link(server, failed, workers):
    """Somebody with that userName is there already, from another source: from now on it is this worker, too."""
    operations = []
    for key, (status, _) in failed.items():
        if status != 409 or not workers[key]["active"]:
            continue
        name = json.dumps(workers[key]["user_name"])
        query = urllib.parse.urlencode({"filter": "userName eq " + name, "count": 2})
        found = server.ask("/Users?" + query).get("Resources", [])
        if len(found) == 1 and not found[0].get("externalId"):
            rest = change(key, found[0], workers[key])
            more = rest["data"]["Operations"] if rest else []
            first = {"op": "replace", "path": "externalId", "value": key}
            operations.append(patch(key, found[0]["id"], [first, *more]))
    return operations


def run(options):
    server = Server(options.base_url)
    workers = read_workers(options.workers)
    bulk = server.ask("/ServiceProviderConfig")["bulk"]
    limits = min(MOST_OPERATIONS, bulk["maxOperations"]), min(MOST_BYTES, bulk["maxPayloadSize"])
    for attempt in range(TRIES):
        try:
            operations = plan(workers, read_back(server), options.most_leavers)
            if options.dry_run:
                print(json.dumps(operations, indent=2, ensure_ascii=False))
                return 0
            failed, again = send(server, operations, limits)
            if options.link and failed:
                joined = link(server, failed, workers)
                print(f"{len(joined)} to link to people of other sources")
                refused, late = send(server, joined, limits)
                again += late
                for operation in joined:
                    failed.pop(operation["bulkId"])
                failed |= refused
        except Lost as error:
            print(f"the connection broke ({error}); reading back", file=sys.stderr)
            again = True
        if not again:
            for key, (status, detail) in failed.items():
                print(f"{key} failed: {status}: {detail}")
            return 1 if failed else 0
        pause(attempt, None)
    raise Failed("the server stayed too busy; run again later to go on")


def main():
    parser = argparse.ArgumentParser(description="Sends a full snapshot of workers by SCIM Bulk.")
    parser.add_argument("workers", help="the CSV file with all workers")
    parser.add_argument("--base-url", required=True, help="such as https://rollcall.example.com/scim/v2")
    parser.add_argument("--most-leavers", type=int, default=20, help="send nothing when more would be deactivated")
    parser.add_argument("--link", action="store_true", help="take over people of other sources with the same userName")
    parser.add_argument("--dry-run", action="store_true", help="print the operations and send nothing")
    try:
        return run(parser.parse_args())
    except Failed as error:
        print(f"error: {error}", file=sys.stderr)
    except urllib.error.HTTPError as error:
        print(f"error: {error.url}: {error.code}: {detail_of(error.read())}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
