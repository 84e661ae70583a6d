// Pages of sign-in: passkeys and hardware keys, the proof of work, the seconds one has to wait.
// A page without this script still takes a password, a code or a recovery code.
"use strict";
(() => {
  const doc = document;
  const find = (selector, root = doc) => root.querySelector(selector);

  // --- passkeys: bytes travel as base64url in JSON and stand as buffers in the browser ---------

  function bytes(text) {
    const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
  }

  function base64(buffer) {
    const text = btoa(String.fromCharCode(...new Uint8Array(buffer)));
    return text.replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }

  function opened(key) {
    key.challenge = bytes(key.challenge);
    if (key.user) key.user.id = bytes(key.user.id);
    for (const list of [key.allowCredentials, key.excludeCredentials]) {
      for (const item of list || []) item.id = bytes(item.id);
    }
    return { publicKey: key };
  }

  function written(credential) {
    const from = credential.response;
    const response = { clientDataJSON: base64(from.clientDataJSON) };
    for (const part of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (from[part]) response[part] = base64(from[part]);
    }
    return JSON.stringify({ id: credential.id, type: credential.type, response });
  }

  async function useKey(form) {
    const sent = new URLSearchParams(new FormData(form));
    sent.delete("response");
    const answer = await fetch(`${form.getAttribute("action")}/options`, { method: "POST", body: sent });
    if (!answer.ok || !(answer.headers.get("content-type") || "").includes("json")) {
      // The server's own page says why: let it come.
      form.submit();
      return;
    }
    const { ticket, options } = await answer.json();
    const credential = await navigator.credentials[form.dataset.passkey](opened(options));
    form.elements.ticket.value = ticket;
    form.elements.response.value = written(credential);
    form.submit();
  }

  for (const form of doc.querySelectorAll("form[data-passkey]")) {
    form.addEventListener("submit", (event) => {
      if (!window.PublicKeyCredential) return;
      event.preventDefault();
      const failed = find("[data-failed]", form);
      if (failed) failed.hidden = true;
      useKey(form).catch(() => {
        if (failed) failed.hidden = false;
        delete form.dataset.sent;
      });
    });
  }
  if (window.PublicKeyCredential) {
    for (const part of doc.querySelectorAll("[data-passkeys]")) part.hidden = false;
  }

  // --- proof of work: a number whose digest with the salt is the challenge ----------------------

  const AT_ONCE = 512;

  async function digest(text) {
    const sum = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
    return [...new Uint8Array(sum)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  async function solve(task) {
    for (let from = 0; from <= task.maxnumber; from += AT_ONCE) {
      const numbers = Array.from({ length: AT_ONCE }, (_, at) => from + at);
      const sums = await Promise.all(numbers.map((number) => digest(task.salt + number)));
      const at = sums.indexOf(task.challenge);
      if (at >= 0) return from + at;
    }
    return null;
  }

  async function prove(place) {
    const task = JSON.parse(place.dataset.captcha);
    const button = find("button", place.closest("form"));
    button.setAttribute("aria-disabled", "true");
    const hold = (event) => event.preventDefault();
    button.addEventListener("click", hold);
    const number = await solve(task);
    const { algorithm, challenge, salt, signature } = task;
    find("[name=altcha]", place).value = btoa(JSON.stringify({ algorithm, challenge, number, salt, signature }));
    find("[data-working]", place).hidden = true;
    find("[data-solved]", place).hidden = false;
    button.removeEventListener("click", hold);
    button.removeAttribute("aria-disabled");
  }

  for (const place of doc.querySelectorAll("[data-captcha]")) prove(place);

  // --- waiting after failures: the seconds run down, and nothing is said twice ------------------

  const waiting = find("[data-wait]");
  if (waiting) {
    const until = performance.now() + Number(waiting.dataset.wait) * 1000;
    const words = waiting.textContent;
    const timer = setInterval(() => {
      const left = Math.ceil((until - performance.now()) / 1000);
      waiting.textContent = words.replace(/\d+/, String(Math.max(left, 0)));
      if (left <= 0) {
        clearInterval(timer);
        waiting.hidden = true;
      }
    }, 1000);
  }
})();
