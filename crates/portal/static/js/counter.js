// The counter's own comfort: scanners that end with Tab, or send Tab between the fields of a card,
// a scan that comes while the caret stands elsewhere, and a verdict that is seen and heard. A person
// types slower than a scanner, so Tab keeps its meaning for everybody at a keyboard.
"use strict";
(() => {
  // A scanner types a key every few milliseconds; the fastest typists need twice as long as this.
  // The time of the key counts, not that of a page which is busy.
  const KEY_MS = 50;
  // So much has to come at that pace before a Tab is a scanner's.
  const RUN = 10;
  // A card has six fields before the day of issue.
  const CARD_PARTS = 6;
  // After so long without a key a scan is over.
  const OVER_MS = 250;

  let last = 0;
  let run = 0;
  let waiting = 0;

  const send = (field) => {
    waiting = 0;
    if (field.form && field.value.split(/[|\t]/).length > CARD_PARTS) field.form.requestSubmit();
  };

  // A card begins with a digit, and no page has another use for digits outside of its fields:
  // after an error or an answer the next card is simply scanned.
  document.addEventListener("keydown", (event) => {
    const busy = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
    if (busy || event.ctrlKey || event.metaKey || event.altKey || !/^[0-9]$/.test(event.key)) return;
    const field = document.querySelector("[data-subject]");
    if (!field) return;
    field.focus();
    field.select();
  }, true);

  document.addEventListener("keydown", (event) => {
    const field = event.target;
    if (!field.matches || !field.matches("[data-subject]") || event.isComposing) return;
    run = event.timeStamp - last < KEY_MS ? run + 1 : 0;
    last = event.timeStamp;
    clearTimeout(waiting);
    if (event.key !== "Tab" || event.shiftKey || run < RUN) return;
    event.preventDefault();
    field.setRangeText("|", field.selectionStart, field.selectionEnd, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
    waiting = setTimeout(() => send(field), OVER_MS);
  }, true);

  // The chosen procedure in whole words: a closed list cuts them, and a folded reason hides them.
  const say = () => {
    const list = document.querySelector("#procedure");
    if (!list) return;
    for (const place of document.querySelectorAll("[data-chosen]")) {
      place.textContent = list.selectedOptions.length ? list.selectedOptions[0].text : "";
      place.hidden = !place.textContent;
    }
  };

  // The folded reason opens for whoever wants into it: by key, or by the link of an error.
  const unfold = (id) => {
    const fold = document.querySelector("[data-fold]");
    const field = document.getElementById(id);
    if (fold && field && fold.parentElement.contains(field)) fold.checked = true;
  };
  document.addEventListener("keydown", (event) => {
    // What a browser fills in by itself comes as a key without a name.
    const key = { t: "procedure", h: "case" }[(event.key || "").toLowerCase()];
    if (key && event.altKey && !event.ctrlKey && !event.metaKey) unfold(key);
  }, true);
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-errors] a");
    if (link) unfold(link.hash.slice(1));
  }, true);

  // What came of a question is brought into the window, and told to readers of the screen. The
  // caret stays in the field for the next scan, but where fingers type: there it would bring the
  // keyboard of the screen over the verdict.
  const tell = () => {
    const place = document.querySelector("[data-verdict]");
    if (!place) return;
    const { top, bottom } = place.getBoundingClientRect();
    // In the lower half the keyboard of a screen may stand over it.
    if (top < 0 || bottom > innerHeight || top > innerHeight / 2) place.scrollIntoView({ block: "start" });
    if (matchMedia("(pointer: coarse)").matches) place.focus({ preventScroll: true });
    const heard = document.querySelector("[data-tell]");
    // An alert is told by itself.
    if (heard && !place.matches("[role=alert]") && !place.querySelector("[role=alert]")) heard.textContent = place.innerText;
  };
  const errors = () => {
    for (const link of document.querySelectorAll("[data-errors] a")) unfold(link.hash.slice(1));
  };
  document.addEventListener("htmx:beforeRequest", () => {
    const heard = document.querySelector("[data-tell]");
    if (heard) heard.textContent = "";
  });
  document.addEventListener("htmx:afterSettle", () => { errors(); tell(); });
  document.addEventListener("change", (event) => { if (event.target.id === "procedure") say(); });
  // After the portal's own script, which puts the caret into the field.
  addEventListener("load", () => { say(); tell(); });
})();
