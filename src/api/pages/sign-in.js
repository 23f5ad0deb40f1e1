"use strict";

// The access token lives in this variable alone: not in a cookie, not in storage. Leaving the page forgets it.
let token = "";

const part = (id) => document.getElementById(id);

function say(id, text) {
  part(id).textContent = text;
  part(id).hidden = text === "";
}

const fromBase64url = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));

const toBase64url = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

async function call(method, path, body) {
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers: {
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...(token === "" ? {} : { Authorization: `Bearer ${token}` }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "omit",
    });
  } catch {
    throw new Error("The server cannot be reached. Try again.");
  }
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(said.issue?.[0]?.diagnostics ?? `The server refused (${answer.status}).`);
  return said;
}

// Runs a step; its button is off meanwhile, so that nothing is sent twice.
function on(form, step) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    say("error", "");
    say("told", "");
    try {
      await step();
    } catch (problem) {
      // What an authenticator says is not for people.
      say("error", problem instanceof DOMException ? "Nothing was done with a passkey." : problem.message);
    } finally {
      button.disabled = false;
    }
  });
}

function button(text, step) {
  const form = document.createElement("form");
  const press = document.createElement("button");
  press.textContent = text;
  form.append(press);
  on(form, step);
  return form;
}

function item(text, ...more) {
  const line = document.createElement("li");
  line.append(text, ...more);
  return line;
}

async function showTopics() {
  const { topics } = await call("GET", "/auth/awareness");
  part("topics").replaceChildren(
    ...topics.map((topic) => {
      const block = document.createElement("section");
      const title = document.createElement("h3");
      const text = document.createElement("p");
      title.textContent = topic.title;
      text.textContent = topic.text;
      block.append(title, text);
      if (topic.acknowledged_version === topic.version) {
        block.append(`Confirmed on ${topic.acknowledged.slice(0, 10)}.`);
      } else {
        block.append(
          button("I have read this", async () => {
            await call("POST", `/auth/awareness/${topic.topic}`, { version: topic.version });
            await showTopics();
          }),
        );
      }
      return block;
    }),
  );
}

async function showPasskeys() {
  const { passkeys } = await call("GET", "/auth/passkeys");
  part("passkeys").replaceChildren(
    ...passkeys.map((passkey) =>
      item(
        `${passkey.name}, since ${passkey.created.slice(0, 10)}`,
        button("Remove", async () => {
          await call("DELETE", `/auth/passkeys/${passkey.id}`);
          await showPasskeys();
        }),
      ),
    ),
  );
}

async function enter(answer) {
  token = answer.access_token;
  const account = await call("GET", "/auth/account");
  part("name").textContent = account.user;
  part("left").textContent = account.recovery_codes_left;
  part("notices").replaceChildren(
    ...(answer.notices ?? []).map((notice) => item(`${notice.at.slice(0, 16).replace("T", " ")} UTC: ${notice.text}`)),
  );
  await showTopics();
  await showPasskeys();
  part("outside").hidden = true;
  part("inside").hidden = false;
  if (answer.still_to_do) say("error", answer.still_to_do);
}

on(part("passkey-form"), async () => {
  const options = await call("POST", "/auth/passkeys/login/options", {});
  const credential = await navigator.credentials.get({
    publicKey: { ...options, challenge: fromBase64url(options.challenge) },
  });
  const { clientDataJSON, authenticatorData, signature, userHandle } = credential.response;
  await enter(
    await call("POST", "/auth/passkeys/login/verify", {
      credential: {
        id: credential.id,
        type: credential.type,
        response: {
          clientDataJSON: toBase64url(clientDataJSON),
          authenticatorData: toBase64url(authenticatorData),
          signature: toBase64url(signature),
          userHandle: toBase64url(userHandle ?? new ArrayBuffer(0)),
        },
      },
    }),
  );
});

on(part("password-form"), async () => {
  const factor = part("factor").value.trim();
  const shown = /^[0-9]{6}$/.test(factor) ? { totp: factor } : { recovery_code: factor };
  const asked = { user: part("user").value.trim(), password: part("password").value, ...shown };
  part("password").value = part("factor").value = "";
  await enter(await call("POST", "/auth/login", asked));
});

// Until the browser comes back from the provider it keeps a secret, without which what it brings is worth nothing.
const kept = "tacenda-openid";

on(part("openid-form"), async () => {
  const { url, browser } = await call("POST", "/auth/openid/begin", {});
  sessionStorage.setItem(kept, browser);
  location.assign(url);
});

async function offerProvider() {
  const answer = await fetch("/auth/openid", { credentials: "omit" }).catch(() => null);
  if (!answer?.ok) return;
  const { issuer } = await answer.json();
  if (issuer === undefined) return;
  part("issuer").textContent = new URL(issuer).host;
  part("openid-form").hidden = false;
}

async function comeBack() {
  const brought = new URLSearchParams(location.search);
  const browser = sessionStorage.getItem(kept) ?? "";
  sessionStorage.removeItem(kept);
  history.replaceState(null, "", "/auth/sign-in");
  try {
    if (brought.has("error")) throw new Error("You were not signed in there.");
    const [state, code, iss] = ["state", "code", "iss"].map((name) => brought.get(name) ?? "");
    await enter(await call("POST", "/auth/openid/finish", { browser, state, code, iss }));
  } catch (problem) {
    say("error", problem.message);
  }
}

on(part("add-form"), async () => {
  const name = part("label").value.trim();
  const options = await call("POST", "/auth/passkeys/register/options", {});
  const credential = await navigator.credentials.create({
    publicKey: {
      ...options,
      challenge: fromBase64url(options.challenge),
      user: { ...options.user, id: fromBase64url(options.user.id) },
      excludeCredentials: options.excludeCredentials.map((known) => ({ ...known, id: fromBase64url(known.id) })),
    },
  });
  await call("POST", "/auth/passkeys/register/verify", {
    name,
    credential: {
      id: credential.id,
      type: credential.type,
      response: {
        clientDataJSON: toBase64url(credential.response.clientDataJSON),
        attestationObject: toBase64url(credential.response.attestationObject),
      },
    },
  });
  part("label").value = "";
  await showPasskeys();
  say("told", "The passkey is added: next time you need nothing else.");
});

on(part("codes-form"), async () => {
  const { recovery_codes } = await call("POST", "/auth/recovery-codes", {});
  part("codes").textContent = recovery_codes.join("\n");
  part("codes").hidden = false;
  part("left").textContent = recovery_codes.length;
  say("told", "Write them down or print them now: they are shown once.");
});

on(part("out-form"), async () => {
  await call("POST", "/auth/logout", {});
  token = "";
  part("codes").textContent = "";
  part("codes").hidden = true;
  part("inside").hidden = true;
  part("outside").hidden = false;
  say("told", "You are signed out.");
});

part("outside").hidden = false;
offerProvider();
if (location.pathname === "/auth/openid/callback") comeBack();
