"""The pages on which a person signs in for an application and decides what it gets: in Chromium without JavaScript, by the
keyboard alone, and by what WCAG 2.1 AA asks of pages (REQUIREMENTS F-17, F-22, O-21; labels, language, headings, order, contrast)."""

import http.server
import pathlib
import sys
import threading
import unittest
import urllib.parse

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "blackbox"))
import applications  # noqa: E402
import chromium  # noqa: E402
import harness  # noqa: E402
import npm  # noqa: E402
from harness import json_of  # noqa: E402

SCOPE = "launch/patient patient/Patient.rs patient/Observation.rs offline_access"
CONTRAST = 4.5  # WCAG 2.1, 1.4.3, of text of any size here
NARROW = 320  # CSS pixels: 1.4.10

# What a page is, as an assistive technology has it. `own`: elements that have text of their own, or are fields.
LOOK = """(() => {
  const shown = (element) => element.getClientRects().length > 0;
  const words = (element) => element.textContent.trim().replace(/\\s+/g, ' ');
  const fields = [...document.querySelectorAll('input:not([type=hidden]), select, textarea')];
  const own = [...document.body.querySelectorAll('*')].filter((element) => shown(element) && (fields.includes(element)
    || [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())));
  const canvas = document.body.appendChild(document.createElement('i'));
  canvas.style.background = 'Canvas';
  const ground = getComputedStyle(canvas).backgroundColor;
  canvas.remove();
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const over = ([r, g, b, a = 1], [x, y, z]) => [r * a + x * (1 - a), g * a + y * (1 - a), b * a + z * (1 - a)];
  const behind = (element) => {
    if (!element) return parts(ground);
    return over(parts(getComputedStyle(element).backgroundColor), behind(element.parentElement));
  };
  const light = (colour) => {
    const [r, g, b] = colour.map((part) => part / 255).map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (element) => {
    const back = behind(element);
    const [a, b] = [light(over(parts(getComputedStyle(element).color), back)), light(back)];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  };
  return {
    language: document.documentElement.lang, title: document.title,
    headings: [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map((heading) => heading.localName),
    mains: document.querySelectorAll('main').length, scripts: document.querySelectorAll('script').length,
    fields: fields.map((field) => ({ name: field.name, type: field.type, labels: [...field.labels].map(words) })),
    buttons: [...document.querySelectorAll('button')].map(words), ids: [...document.querySelectorAll('[id]')].map((each) => each.id),
    groups: [...document.querySelectorAll('fieldset')].map((group) => words(group.firstElementChild)),
    alerts: [...document.querySelectorAll('[role=alert]')].filter(shown).map(words),
    order: [...document.querySelectorAll('a[href], button, input:not([type=hidden])')].map((each) => each.name || words(each)),
    jumps: document.querySelectorAll('[tabindex]:not([tabindex="0"])').length,
    contrasts: own.map((element) => [element.localName, Math.round(contrast(element) * 100) / 100]),
    wide: document.documentElement.scrollWidth, path: location.pathname,
  };
})()"""
FOCUSED = "(() => { const at = document.activeElement; return at.name || at.textContent.trim(); })()"
OUTLINE = "getComputedStyle(document.activeElement).outlineStyle"


class Application(http.server.BaseHTTPRequestHandler):
    """Where the browser comes back to: a page that says nothing, and notes what it was told."""

    def do_GET(self):
        self.server.told.append(dict(urllib.parse.parse_qsl(urllib.parse.urlparse(self.path).query)))
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>back</title>")

    def log_message(self, *_):
        pass


class Pages(harness.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.back = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Application)
        cls.back.told = []
        threading.Thread(target=cls.back.serve_forever, daemon=True).start()
        cls.addClassCleanup(cls.back.server_close)
        cls.addClassCleanup(cls.back.shutdown)
        cls.doctor = cls.server.person("dr", "doctor")
        cls.doctor.session = cls.server.token_of(cls.doctor)
        cls.patient = cls.server.create({"resourceType": "Patient"}, cls.doctor.session)
        cls.app = applications.App(cls.server, "chart", SCOPE, redirect=f"http://127.0.0.1:{cls.back.server_address[1]}/cb")
        cls.browser = chromium.Chromium("--ignore-certificate-errors")  # the certificate is the test's own
        cls.addClassCleanup(cls.browser.close)
        cls.browser.without_scripts()

    def setUp(self):
        self.back.told.clear()
        self.browser.ask("Emulation.clearDeviceMetricsOverride")

    def begin(self, **changes):
        self.browser.go_to(self.app.base + "/oauth/authorize?" + urllib.parse.urlencode(
            self.app.request(scope=SCOPE, **changes)))

    def look(self):
        """The page as it is, after what holds of every page was held to it."""
        page = self.browser.find(LOOK)
        self.assertEqual((page["language"], page["mains"], page["scripts"], page["jumps"]), ("en", 1, 0, 0), page)
        self.assertTrue(page["title"].startswith("Tacenda: "), page["title"])
        self.assertEqual(page["headings"], ["h1"])
        for field in page["fields"]:
            self.assertTrue(field["labels"] and all(field["labels"]), field)
        self.assertTrue(all(page["buttons"]), page["buttons"])
        self.assertTrue(all(page["groups"]), page["groups"])
        self.assertEqual(len(page["ids"]), len(set(page["ids"])), "an id names one element")
        for scheme in ("light", "dark"):
            self.browser.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
            contrasts = self.browser.find(LOOK)["contrasts"]
            self.assertGreater(len(contrasts), 1)
            for element, contrast in contrasts:
                self.assertGreaterEqual(contrast, CONTRAST, (scheme, element))
        self.browser.ask("Emulation.setDeviceMetricsOverride", width=NARROW, height=640, deviceScaleFactor=1, mobile=False)
        self.assertLessEqual(self.browser.find(LOOK)["wide"], NARROW, "read without scrolling in two directions")
        return page

    def tab_to(self, name):
        for _ in range(40):
            self.browser.press("Tab")
            if self.browser.find(FOCUSED) == name:
                self.assertNotEqual(self.browser.find(OUTLINE), "none", "who goes by the keyboard sees where he is")
                return
        self.fail(f"{name} is not reached")

    def tabs(self, count):
        """What the keyboard comes by, one after the other."""
        found = []
        for _ in range(count):
            self.browser.press("Tab")
            found.append(self.browser.find(FOCUSED))
        return found

    def sign_in(self, **changes):
        for name, text in {"user": self.doctor.name, "password": self.doctor.password, **changes}.items():
            self.tab_to(name)
            self.browser.type(text)
        self.tab_to("factor")
        self.browser.type(changes.get("factor") or self.app.factor_of(self.doctor))
        self.browser.submit()

    # --- the whole way ---

    def test_F17_F22_somebody_allows_an_application_by_the_keyboard_and_without_scripts(self):
        self.begin()
        self.assertEqual(self.look()["path"], "/oauth/authorize")
        self.sign_in()
        self.assertEqual(self.look()["path"], "/oauth/sign-in")
        self.tab_to("patient")
        self.browser.type(self.patient)
        self.tab_to("decision")
        self.browser.submit()
        told, = self.back.told
        self.assertEqual((told["state"], told["iss"]), ("a state & more", self.app.base))
        answer = json_of(self.app.fetch(told["code"]))
        self.assertEqual(answer["patient"], self.patient)
        reply = self.server.request("GET", "/fhir/Patient/" + self.patient, token=answer["access_token"])
        self.assertEqual(reply.status, 200)

    def test_F20_O21_a_box_is_unticked_by_the_space_bar_and_everything_is_denied_by_a_button(self):
        self.begin()
        self.sign_in()
        page = self.look()
        boxes = {field["labels"][0]: field["name"] for field in page["fields"] if field["type"] == "checkbox"}
        unticked = next(name for text, name in boxes.items() if text.startswith("Observation"))
        self.tab_to(unticked)
        self.browser.press(" ", " ")
        self.tab_to("patient")
        self.browser.type(self.patient)
        self.tab_to("decision")
        self.browser.submit()
        granted = json_of(self.app.fetch(self.back.told[-1]["code"]))["scope"]
        self.assertNotIn("Observation", granted)
        self.assertIn("patient/Patient.rs", granted)

        self.begin()
        self.sign_in()
        while self.browser.find("document.activeElement.value") != "deny":
            self.tab_to("decision")
        self.browser.submit()
        self.assertEqual(self.back.told[-1]["error"], "access_denied")

    # --- what is there to be read ---

    def test_pages_are_gone_through_in_the_order_in_which_they_are_read(self):
        self.begin()
        page = self.look()
        self.assertEqual(page["order"][:3], ["user", "password", "factor"])
        self.assertEqual(self.tabs(len(page["order"])), page["order"])
        self.sign_in()
        page = self.look()
        self.assertEqual(page["order"][-3:], ["patient", "decision", "decision"])
        self.assertEqual(page["groups"], ["It may"])
        self.assertEqual(self.tabs(len(page["order"])), page["order"])

    def test_what_went_wrong_is_said_as_an_alert_on_a_page_that_can_be_used_again(self):
        self.begin()
        self.sign_in(factor="AAAA-AAAA-AAAA-AAAA")
        page = self.look()
        self.assertEqual(page["alerts"], ["User, password or second factor is wrong."])
        self.assertEqual([field["name"] for field in page["fields"]], ["user", "password", "factor"])
        self.sign_in()
        self.tab_to("patient")
        self.browser.type("nobody-of-this-name")
        self.tab_to("decision")
        self.browser.submit()
        page = self.look()
        self.assertEqual((page["path"], len(page["alerts"])), ("/oauth/consent", 1))
        self.assertEqual(self.back.told, [])

    def test_W07_a_foreign_address_is_a_page_and_no_redirect(self):
        self.begin(redirect_uri="http://127.0.0.1:1/cb")
        page = self.look()
        self.assertEqual((page["path"], len(page["alerts"]), page["fields"]), ("/oauth/authorize", 1, []))


if __name__ == "__main__":
    if chromium.PROGRAM is None:
        npm.skip("Chromium is not installed: apt install chromium")
    npm.main()
