"""Chromium, headless, driven over a pipe by its DevTools protocol: for what needs no library of Node.js."""

import json
import os
import select
import shutil
import subprocess
import tempfile
import time

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser")
PATIENCE = 60  # seconds until an answer that must come counts as lost


class Chromium:
    """One page of a browser with a profile of its own; what it says is read when something is asked."""

    def __init__(self, *arguments):
        self.profile = tempfile.mkdtemp(prefix="tacenda-chromium-")
        commands, self.commands = os.pipe()
        self.replies, replies = os.pipe()
        # The browser reads commands at descriptor 3 and answers at 4; the shell puts them there.
        shell = 'exec "$0" "$@" 3<&%d 4>&%d' % (commands, replies)
        self.process = subprocess.Popen(
            ["bash", "-c", shell, PROGRAM, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
             "--remote-debugging-pipe", "--user-data-dir=" + self.profile, *arguments, "about:blank"],
            pass_fds=(commands, replies), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(commands)
        os.close(replies)
        self.unread, self.last, self.session, self.events = b"", 0, None, []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.ask("Page.enable")

    def close(self):
        self.process.terminate()
        self.process.wait()
        os.close(self.commands)
        os.close(self.replies)
        shutil.rmtree(self.profile, ignore_errors=True)

    def _message(self, end):
        while b"\0" not in self.unread:
            ready, _, _ = select.select([self.replies], [], [], max(0, end - time.monotonic()))
            more = os.read(self.replies, 1 << 16) if ready else b""
            if not more:
                raise AssertionError("the browser does not answer")
            self.unread += more
        message, self.unread = self.unread.split(b"\0", 1)
        return json.loads(message)

    def ask(self, method, **parameters):
        """The answer to one command; events that come before it are kept."""
        self.last += 1
        message = {"id": self.last, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.commands, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + PATIENCE
        while True:
            reply = self._message(end)
            if reply.get("id") != self.last:
                self.events.append(reply)
            elif "error" in reply:
                raise AssertionError(f"{method}: {reply['error']}")
            else:
                return reply["result"]

    def wait_for(self, event):
        """The next event of this name that was not waited for."""
        end = time.monotonic() + PATIENCE
        while True:
            for i, each in enumerate(self.events):
                if each.get("method") == event:
                    del self.events[:i + 1]
                    return each["params"]
            self.events.append(self._message(end))

    # --- a page ---

    def without_scripts(self):
        self.ask("Emulation.setScriptExecutionDisabled", value=True)

    def go_to(self, url):
        self.events.clear()
        self.ask("Page.navigate", url=url)
        self.wait_for("Page.loadEventFired")

    def find(self, expression):
        """What an expression gives in the page: of the test, also where the page itself may run nothing."""
        said = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in said:
            raise AssertionError(said["exceptionDetails"])
        return said["result"].get("value")

    def press(self, key, text="", **more):
        code = {"Tab": 9, "Enter": 13, " ": 32}.get(key, 0)
        for kind in ("keyDown", "keyUp"):
            self.ask("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code,
                     **({"text": text} if text and kind == "keyDown" else {}), **more)

    def type(self, text):
        """Into what has the focus."""
        self.ask("Input.insertText", text=text)

    def submit(self):
        """Enter in a form, and the page that comes of it."""
        self.events.clear()
        self.press("Enter", "\r")
        self.wait_for("Page.loadEventFired")
