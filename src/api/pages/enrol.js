"use strict";

// The code comes in the fragment of the link, which no browser sends to a server or a proxy. It is taken out of the
// address at once, so that it stays out of the history, too.
let code = decodeURIComponent(location.hash.slice(1));
history.replaceState(null, "", location.pathname);

const part = (id) => document.getElementById(id);

function show(id) {
  for (const one of ["code-form", "password-form", "factor-form", "done"]) part(one).hidden = one !== id;
  part(id).querySelector("input")?.focus();
}

function complain(text) {
  part("error").textContent = text;
  part("error").hidden = text === "";
}

async function post(path, body) {
  let answer;
  try {
    answer = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      credentials: "omit",
    });
  } catch {
    throw new Error("The server cannot be reached. Try again.");
  }
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) {
    // What is wrong, and what would make it better.
    const told = (said.issue ?? []).map((issue) => issue.diagnostics).join(": ");
    throw new Error(told || `The server refused (${answer.status}).`);
  }
  return said;
}

// Runs a step of a form; its button is off meanwhile, so that nothing is sent twice.
function on(id, step) {
  part(id).addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = part(id).querySelector("button");
    button.disabled = true;
    complain("");
    try {
      await step();
    } catch (problem) {
      complain(problem.message);
    } finally {
      button.disabled = false;
    }
  });
}

on("code-form", () => {
  code = part("code").value.trim();
  show("password-form");
});

part("shown").addEventListener("change", () => {
  for (const id of ["password", "repeated"]) part(id).type = part("shown").checked ? "text" : "password";
});

on("password-form", async () => {
  if (part("password").value !== part("repeated").value) throw new Error("The two passwords differ.");
  const { otpauth } = await post("/auth/enrol", { code, password: part("password").value });
  part("password").value = part("repeated").value = "";
  const secret = new URLSearchParams(otpauth.slice(otpauth.indexOf("?"))).get("secret");
  part("key").textContent = secret.match(/.{1,4}/g).join(" ");
  part("link").href = otpauth;
  show("factor-form");
});

on("factor-form", async () => {
  const { user, recovery_codes } = await post("/auth/enrol/confirm", { code, totp: part("totp").value });
  part("key").textContent = "";
  part("link").removeAttribute("href");
  part("said").textContent = `You are enrolled as ${user}. This link has done its work.`;
  part("codes").textContent = recovery_codes.join("\n");
  show("done");
});

show(code === "" ? "code-form" : "password-form");
