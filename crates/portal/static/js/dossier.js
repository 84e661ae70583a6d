// The calculator beside a dossier's counts (B5, B10, D4): products and sums while one types. The
// server reckons again and is the one that counts.
"use strict";
(() => {
  const form = document.querySelector("form[data-reckon]");
  if (!form) return;
  const mark = document.documentElement.lang === "en" ? "," : ".";
  const written = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, mark);
  // One kind of mark, before groups of three digits; anything else is no count.
  const whole = /^(\d+|\d{1,3}([.,\s])\d{3}(\2\d{3})*)$/;
  const read = (field) => {
    const text = field.value.trim();
    return whole.test(text) ? Number(text.replace(/\D/g, "")) : 0;
  };
  const all = (root, selector) => [...root.querySelectorAll(selector)];

  function reckon() {
    let needed = 0;
    for (const row of all(form, "[data-product]")) {
      const product = all(row, "[data-factor]").map(read).reduce((a, b) => a * b, 1);
      row.querySelector("[data-result]").textContent = written(product);
      needed += product;
    }
    form.querySelector("[data-needed]").textContent = written(needed);
    for (const place of all(form, "[data-sum]")) {
      const sum = all(place.closest("table"), "[data-part]").map(read).reduce((a, b) => a + b, 0);
      const cap = Number(place.dataset.cap);
      place.textContent = written(sum);
      place.parentElement.querySelector("[data-over]").hidden = !cap || sum <= cap;
    }
  }

  form.addEventListener("input", reckon);
  reckon();
})();
