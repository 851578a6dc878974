// Passkeys: asks the browser for one, or for the answer of one, and sends it with the form.
"use strict";

const bytesOf = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));

const textOf = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");

const withBytes = (credentials) =>
  (credentials || []).map((one) => ({ ...one, id: bytesOf(one.id) }));

async function make(options, alone) {
  const { publicKey } = options;
  const selection = { ...publicKey.authenticatorSelection };
  selection.residentKey = alone ? "required" : "discouraged";
  selection.requireResidentKey = alone;
  if (alone) selection.userVerification = "required";
  return navigator.credentials.create({
    publicKey: {
      ...publicKey,
      challenge: bytesOf(publicKey.challenge),
      user: { ...publicKey.user, id: bytesOf(publicKey.user.id) },
      excludeCredentials: withBytes(publicKey.excludeCredentials),
      authenticatorSelection: selection,
    },
  });
}

async function use(options) {
  const { publicKey } = options;
  return navigator.credentials.get({
    publicKey: {
      ...publicKey,
      challenge: bytesOf(publicKey.challenge),
      allowCredentials: withBytes(publicKey.allowCredentials),
    },
  });
}

function inWords(credential) {
  const { response } = credential;
  const parts = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
  const told = {};
  for (const part of parts) if (response[part]) told[part] = textOf(response[part]);
  if (response.getTransports) told.transports = response.getTransports();
  return {
    id: credential.id,
    rawId: textOf(credential.rawId),
    type: credential.type,
    response: told,
    clientExtensionResults: credential.getClientExtensionResults(),
  };
}

async function optionsOf(form) {
  if (form.dataset.options) return JSON.parse(form.dataset.options);
  const answer = await fetch(form.dataset.optionsFrom, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`the answer was ${answer.status}`);
  return (await answer.json()).request_options;
}

async function send(form) {
  const options = await optionsOf(form);
  const alone = form.elements.passwordless ? form.elements.passwordless.checked : false;
  const credential = form.dataset.passkey === "make" ? await make(options, alone) : await use(options);
  form.elements.credential.value = JSON.stringify(inWords(credential));
  form.submit();
}

const WORDS = {
  InvalidStateError: "This device has a passkey for this account already.",
  NotAllowedError: "No passkey was given: it was cancelled, took too long, or there is none here.",
  SecurityError: "Passkeys need a name in the address, over https: they do not work on a bare IP address.",
};

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const fault = form.querySelector(".fault[hidden]");
  if (!window.PublicKeyCredential) continue;
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    fault.hidden = true;
    try {
      await send(form);
    } catch (error) {
      fault.textContent = WORDS[error.name] || `The passkey did not work: ${error.message}`;
      fault.hidden = false;
    }
  });
}
