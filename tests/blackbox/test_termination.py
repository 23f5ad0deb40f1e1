"""Somebody leaves while everything he has is in use: sessions, an application's tokens, its refresh tokens, an export.
REQUIREMENTS S-11."""

import json
import threading
import time
import unittest

import harness
from applications import App
from harness import json_of
from test_export import wait_for_destruction


class UnderLoad(threading.Thread):
    """Asks again and again, on one connection, until it is told to stop; notes when each question began and its status."""

    def __init__(self, server, ask):
        super().__init__(daemon=True)
        self.server, self.ask, self.noted, self.stopped = server, ask, [], threading.Event()

    def run(self):
        connection = None
        while not self.stopped.is_set():
            begun = time.monotonic()
            try:
                connection = connection or self.server.connect()
                self.noted.append((begun, self.ask(connection)))
            except (OSError, ConnectionError):
                connection = None  # a server may close what it has refused
        if connection:
            connection.close()

    def statuses(self, since=0.0, until=float("inf")):
        return {status for begun, status in self.noted if since <= begun < until}


class Termination(harness.TestCase):
    policy = "classic"
    config = harness.UNLIMITED

    def reading(self, token):
        return lambda connection: connection.request("GET", "/fhir/Patient/" + self.patient, token=token).status

    def refreshing(self, answer):
        """Each refresh token is good once: the chain goes on with the next one."""
        held = dict(answer)

        def ask(_):
            reply = self.app.refresh(held["refresh_token"])
            if reply.status == 200:
                held.update(json_of(reply))
                self.newest = held["access_token"]
            return reply.status
        return ask

    def test_S11_everything_of_a_disabled_user_ends_while_it_is_in_use(self):
        server = self.server
        leaver = server.person("leaver", "administrator")
        leaver.session = session = server.token_of(leaver)
        stays = server.token_of(server.person("stays", "doctor"))
        self.patient = json_of(server.request("POST", "/fhir/Patient", {"resourceType": "Patient"}, stays))["id"]
        self.app = App(server, "app", "user/*.rs offline_access")
        allowed, refreshed = (self.app.launch(leaver, scope="user/*.rs offline_access") for _ in range(2))
        self.newest = refreshed["access_token"]
        others = UnderLoad(server, self.reading(stays))
        his = [UnderLoad(server, self.reading(token)) for token in (session, allowed["access_token"])]
        chain = UnderLoad(server, self.refreshing(refreshed))
        load = [others, chain, *his]
        for each in load:
            each.start()
        export = server.request("GET", "/fhir/$export", token=session, headers={"Prefer": "respond-async"})
        self.assertEqual(export.status, 202, export)
        status = "/fhir/" + export.headers["content-location"].split("/fhir/")[1]
        end = time.monotonic() + harness.PATIENCE
        while not all(200 in each.statuses() for each in load) and time.monotonic() < end:
            time.sleep(0.05)

        server.cli("user", "disable", "leaver", "--data", server.data, check=True)
        ended = time.monotonic()
        while not all(each.statuses(since=ended) for each in load) and time.monotonic() < end:
            time.sleep(0.05)
        time.sleep(0.5)  # whatever may still come
        for each in load:
            each.stopped.set()
        for each in load:
            each.join(harness.PATIENCE)

        self.assertEqual(others.statuses(), {200}, "who stays notices nothing")
        for each in his:
            self.assertIn(200, each.statuses(until=ended))
            self.assertEqual(each.statuses(since=ended), {401})
        self.assertIn(200, chain.statuses(until=ended))
        self.assertEqual(chain.statuses(since=ended), {400})
        for token in (session, allowed["access_token"], self.newest):
            self.assertEqual(server.request("GET", status, token=token).status, 401)
        wait_for_destruction(self, server, status)

        entries = server.audit()
        end_of_account = next(e["sequence"] for e in entries if e["event"] == "user-disabled")
        his = [e for e in entries if e.get("user") == "leaver" and e["outcome"] == 0]
        self.assertTrue(his)
        # What the server does to his export bears his name, too.
        behind = [e for e in his if e["sequence"] > end_of_account and e["event"] != "export-ended"]
        self.assertEqual(behind, [], "nothing he was told stands in the log behind the end of his account")


if __name__ == "__main__":
    unittest.main()
