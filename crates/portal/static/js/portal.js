// The portal's own script: scanner and paste on the counter's field, the idle lock, shortcuts.
// Everything here is a comfort: each page works without it. No markup is written, no style is
// set, nothing is kept in the browser, nothing is sent anywhere but by the page's own forms.
"use strict";
(() => {
  const doc = document;
  const find = (selector, root = doc) => root.querySelector(selector);
  const findAll = (selector, root = doc) => [...root.querySelectorAll(selector)];

  // A scanner ends with Enter, and many send the separator as they like; the card's QR code reads
  // id|old id|name|ddMMyyyy|sex|address|issue date, with the old id often empty.
  const CARD_PARTS = 6;
  const DIGITS_ID = /^\d{12}$/;
  const DIGITS_OLD_ID = /^\d{9}$/;
  const DAY_FIRST = /^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})$/;
  const PACKED_DAY = /^(\d{2})(\d{2})(\d{4})$/;
  const YEAR = /^(1[89]|20)\d{2}$/;

  /** dd/mm/yyyy, mm/yyyy is not a birth date, a bare year is. Empty when it is no real day. */
  function birthOf(text) {
    const parts = DAY_FIRST.exec(text) || PACKED_DAY.exec(text);
    if (!parts) return YEAR.test(text) ? text : "";
    const [day, month, year] = parts.slice(1).map(Number);
    const date = new Date(Date.UTC(year, month - 1, day));
    if (date.getUTCDate() !== day || date.getUTCMonth() !== month - 1) return "";
    return `${String(day).padStart(2, "0")}/${String(month).padStart(2, "0")}/${year}`;
  }

  /** Sorts a scan, a paste or typing into {personalId, oldId, fullName, dateOfBirth}. */
  function sortParts(raw) {
    const found = { personalId: "", oldId: "", fullName: "", dateOfBirth: "" };
    const text = raw.normalize("NFC").replace(/[\u200b\ufeff]/g, "").trim();
    const card = text.split("|").map((part) => part.trim());
    if (card.length >= CARD_PARTS && DIGITS_ID.test(card[0])) {
      found.personalId = card[0];
      found.oldId = DIGITS_OLD_ID.test(card[1]) ? card[1] : "";
      found.fullName = card[2];
      found.dateOfBirth = birthOf(card[3]);
      return found;
    }
    // Pasted from a sheet or typed: tabs, commas, semicolons and line ends part the pieces;
    // within a piece an id may be grouped by spaces and stand before the name.
    let rest = text.replace(/[\t\n\r,;|]+/g, " ");
    rest = rest.replace(/(?:\d[ .]?){11}\d(?!\d)/, (hit) => keep("personalId", hit));
    rest = rest.replace(/\b\d{1,2}[/.-]\d{1,2}[/.-]\d{4}\b/, (hit) => {
      found.dateOfBirth = birthOf(hit);
      return found.dateOfBirth ? " " : hit;
    });
    rest = rest.replace(/\b\d{9}\b/, (hit) => keep("oldId", hit));
    for (const piece of rest.split(/\s+/)) {
      if (!found.dateOfBirth && /\d/.test(piece) && birthOf(piece)) {
        found.dateOfBirth = birthOf(piece);
      } else if (/^[\p{L}\p{M}'’-]+$/u.test(piece)) {
        found.fullName = `${found.fullName} ${piece}`.trim();
      }
    }
    return found;

    function keep(part, hit) {
      found[part] = hit.replace(/\D/g, "");
      return " ";
    }
  }

  function grouped(id) {
    return id.replace(/(\d{3})(?=\d)/g, "$1\u2009");
  }

  // What was understood is shown beside the field while one types; the server sorts again and is
  // the one that counts.
  function counter() {
    const field = find("[data-subject]");
    if (!field) return;
    const shown = findAll("[data-part]");
    const panel = find("[data-understood]");
    const show = () => {
      const parts = sortParts(field.value);
      for (const place of shown) {
        const value = parts[place.dataset.part];
        place.textContent = (place.dataset.part.endsWith("Id") ? grouped(value) : value) || "–";
      }
      if (panel) panel.hidden = !Object.values(parts).some(Boolean);
    };
    field.addEventListener("input", show);
    // A scanner types line ends inside one code; they must not send half of it.
    field.addEventListener("paste", (event) => {
      const text = event.clipboardData.getData("text");
      if (!/[\r\n\t]/.test(text)) return;
      event.preventDefault();
      field.setRangeText(text.replace(/[\r\n\t]+/g, "|"), field.selectionStart, field.selectionEnd, "end");
      show();
    });
    if (panel && !panel.hidden) show();
  }

  // After idle the page asks the server for the lock screen. Each window of the same person shares
  // the moment of the last key through a channel, so that one busy window keeps the others open.
  function idleLock() {
    const seconds = Number(doc.body.dataset.idleSeconds);
    const form = find("form[data-lock]");
    if (!seconds || !form) return;
    const channel = "BroadcastChannel" in window ? new BroadcastChannel("dancu-activity") : null;
    let last = Date.now();
    const touch = (tell) => {
      const now = Date.now();
      if (tell && channel && now - last > 5000) channel.postMessage("active");
      last = now;
    };
    for (const kind of ["keydown", "pointerdown", "wheel"]) {
      doc.addEventListener(kind, () => touch(true), { passive: true });
    }
    // One window that locks or leaves takes the others with it; each keeps its own form.
    for (const [word, leaving] of [["locked", "form[data-lock]"], ["left", "form[data-leave]"]]) {
      for (const way of findAll(leaving)) {
        way.addEventListener("submit", () => channel && channel.postMessage(word));
      }
    }
    if (channel) channel.onmessage = ({ data }) => {
      if (data === "active") return touch(false);
      if (data === "left") return hide(), location.reload();
      fillKept(form);
      hide();
      return form.submit();
    };
    // Ten seconds is the precision with which a screen locks; timers of a sleeping machine run
    // late, so the hour is compared rather than counted.
    setInterval(() => {
      if (Date.now() - last < seconds * 1000) return;
      last = Date.now();
      form.requestSubmit();
    }, 10000);
  }

  // What is being typed goes to the server with the lock and comes back after it (rule E2);
  // passwords and codes do not.
  function keepForm() {
    const lock = find("form[data-lock]");
    if (lock) lock.addEventListener("submit", () => {
      fillKept(lock);
      hide();
    });
  }

  const BOXES = ["checkbox", "radio"];

  // The form that was typed into last; before that the one that the page names, or its first.
  let typedInto = null;
  doc.addEventListener("input", ({ target, isTrusted }) => {
    if (isTrusted && target.form && target.form.method === "post") typedInto = target.form;
  });

  function keptForm() {
    return typedInto || find("[data-kept]") || find('#main form[method="post"]');
  }

  function fillKept(lock) {
    const form = keptForm();
    const kept = new URLSearchParams();
    for (const field of form ? [...form.elements] : []) {
      const box = BOXES.includes(field.type);
      const secret = ["password", "hidden", "file"].includes(field.type) || field.name === "code";
      if (field.name && !secret && (!box || field.checked)) kept.append(field.name, field.value);
    }
    lock.elements.kept.value = kept.toString();
  }

  // After unlocking the server sends back what was kept; it goes into the fields it came from.
  function restore() {
    const sent = find("form[data-restore]");
    if (!sent) return;
    const first = sent.elements[0].name;
    const form = findAll('#main form[method="post"]').find((one) => one.elements[first]);
    const values = new Map();
    for (const field of sent.elements) {
      values.set(field.name, [...(values.get(field.name) || []), field.value]);
    }
    for (const field of form ? [...form.elements] : []) {
      if (["password", "hidden", "file"].includes(field.type) || !field.name) continue;
      if (BOXES.includes(field.type)) field.checked = (values.get(field.name) || []).includes(field.value);
      else if (values.has(field.name)) field.value = values.get(field.name).shift();
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
    sent.remove();
    // The page was the answer to unlocking; its own address stands in the form of the lock.
    const lock = find("form[data-lock]");
    if (lock && lock.elements.back.value) history.replaceState(null, "", lock.elements.back.value);
  }

  /** Takes personal data off the page at once, before the server answers. */
  function hide() {
    for (const place of findAll("[data-personal], [data-part]")) place.replaceChildren();
    for (const field of findAll("[data-subject]")) field.value = "";
  }

  // Shortcuts stand in the page as data-key ("Alt+T", "Escape", "/"), each beside its words.
  function shortcuts() {
    doc.addEventListener("keydown", (event) => {
      // What a browser fills in by itself comes as a key without a name.
      if (!event.key || event.ctrlKey || event.metaKey || event.isComposing) return;
      const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
      const name = (event.altKey ? "Alt+" : "") + (event.key.length === 1 ? event.key.toUpperCase() : event.key);
      if (typing && !event.altKey && event.key !== "Escape") return;
      const target = find(`[data-key="${CSS.escape(name)}"]`);
      if (!target) return;
      event.preventDefault();
      if (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) target.focus();
      else target.click();
    });
  }

  // Ids read in groups and leave without spaces, even when a part of the page is copied.
  function copying() {
    doc.addEventListener("click", (event) => {
      const button = event.target.closest("[data-copy]");
      if (!button || !navigator.clipboard) return;
      navigator.clipboard.writeText(button.dataset.copy.replace(/\s/g, "")).then(() => {
        const said = find("[data-said]", button) || find("[data-said]");
        if (said) said.textContent = button.dataset.done || "";
      });
    });
  }

  function showCopying() {
    for (const button of findAll("[data-copy]")) button.hidden = !navigator.clipboard;
  }

  // Errors are read first; otherwise the field where work begins has the caret.
  function firstFocus() {
    const target = find("[data-errors]") || find("[data-first]");
    if (!target) return;
    target.focus({ preventScroll: target.hasAttribute("data-first") });
    // What stands there is selected: the next scan writes over the last person.
    if (target.select) target.select();
  }

  // A form is sent once: a second Enter while the answer is on its way does nothing. Caught on the
  // way down, before htmx sees it.
  function sendOnce() {
    doc.addEventListener("submit", (event) => {
      const form = event.target;
      if (form.dataset.sent === "yes") {
        event.preventDefault();
        event.stopImmediatePropagation();
        return;
      }
      form.dataset.sent = "yes";
      setTimeout(() => delete form.dataset.sent, 4000);
    }, true);
    doc.addEventListener("htmx:afterRequest", (event) => delete event.target.dataset.sent);
  }

  // Without a network the page says so and keeps what was typed.
  function offline() {
    const note = find("[data-offline]");
    if (!note) return;
    const show = (on) => () => { note.hidden = !on; };
    doc.addEventListener("htmx:sendError", show(true));
    doc.addEventListener("htmx:afterOnLoad", show(false));
    window.addEventListener("offline", show(true));
    window.addEventListener("online", show(false));
  }

  // The clock is the product's: the page carries the server's moment and counts from there.
  function clock() {
    const place = find("time[data-now]");
    if (!place) return;
    const began = performance.now();
    const server = Date.parse(place.dataset.now);
    const format = new Intl.DateTimeFormat("vi-VN", { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: "Asia/Ho_Chi_Minh" });
    setInterval(() => {
      place.textContent = format.format(new Date(server + performance.now() - began));
    }, 5000);
  }

  // What was held back by a confirmation goes on its way as soon as it is given.
  function sendNow() {
    const form = find("form[data-send-now]");
    if (form) form.requestSubmit();
  }

  function menu() {
    const link = find(".menu-link");
    const nav = find("#nav");
    if (!link || !nav) return;
    doc.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && location.hash === "#nav") location.hash = "#main";
    });
  }

  // A page kept by the browser for "back" would show what was cleared: load it again.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
  for (const button of findAll("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }
  doc.addEventListener("htmx:afterSwap", () => { counter(); showCopying(); firstFocus(); });

  counter();
  restore();
  idleLock();
  keepForm();
  shortcuts();
  copying();
  showCopying();
  firstFocus();
  sendOnce();
  offline();
  clock();
  menu();
  sendNow();
})();
