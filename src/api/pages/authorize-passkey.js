"use strict";

const form = document.getElementById("passkey");
const error = document.getElementById("error");

const fromBase64url = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));

const toBase64url = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  error.hidden = true;
  try {
    const { challenge, rp } = form.dataset;
    const credential = await navigator.credentials.get({
      publicKey: { challenge: fromBase64url(challenge), rpId: rp, userVerification: "required", allowCredentials: [] },
    });
    const { clientDataJSON, authenticatorData, signature, userHandle } = credential.response;
    form.elements.credential.value = JSON.stringify({
      id: credential.id,
      type: credential.type,
      response: {
        clientDataJSON: toBase64url(clientDataJSON),
        authenticatorData: toBase64url(authenticatorData),
        signature: toBase64url(signature),
        userHandle: toBase64url(userHandle ?? new ArrayBuffer(0)),
      },
    });
    form.submit();
  } catch {
    // What an authenticator says is not for people.
    error.textContent = "Nothing was done with a passkey. Try again, or go back and use your password.";
    error.hidden = false;
    button.disabled = false;
  }
});
