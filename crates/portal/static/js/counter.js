// The counter's own comfort: scanners that end with Tab, or send Tab between the fields of a card,
// and a scan that comes while the caret stands elsewhere. A person types slower than a scanner, so
// Tab keeps its meaning for everybody at a keyboard.
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
})();
