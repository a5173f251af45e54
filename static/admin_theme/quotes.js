// The editor of a quote: rows are added and taken away without leaving the page, and the sums follow the typing. All of
// it is computed by the server. Without this script every button still works, by loading the page anew.
(() => {
  "use strict";

  const WAIT = 300;
  // A choice of these decides which other fields there are.
  const SHAPING = ["plan_code", "kind", "frequency"].map((name) => `select[name$='-${name}']`).join() +
    ", select[name$='-commitment_kind'], .q-quote-changes select[name$='-external_id']";

  // Steps that give other rows the names of these.
  const MOVES = /^(remove|up|down)/;

  const editor = (form) => {
    const rows = form.querySelector("#quote-rows");
    const side = form.querySelector("#quote-totals");
    let timer = 0;
    let turn = 0;
    let isSent = false;

    const sent = (step) => {
      const body = new FormData(form);
      body.delete("step");
      if (step) body.set("step", step);
      return body;
    };

    const typed = () => {
      const fields = [...rows.querySelectorAll("input[name]:not([type=hidden]), select[name], textarea[name]")];
      return new Map(fields.map((one) => [one.name, one.type === "checkbox" ? (one.checked ? "on" : "") : one.value]));
    };

    const tell = (errors) => {
      for (const place of form.querySelectorAll("[data-q-error]")) place.textContent = errors[place.dataset.qError] || "";
    };

    const sums = async () => {
      clearTimeout(timer);
      const mine = ++turn;
      side.classList.add("q-waits");
      try {
        const answer = await fetch(form.dataset.qQuote, { method: "POST", body: sent(), credentials: "same-origin" });
        if (!answer.ok || mine !== turn) return;
        const found = await answer.json();
        if (mine !== turn) return;
        side.innerHTML = found.html;
        tell(found.errors);
      } finally {
        if (mine === turn) side.classList.remove("q-waits");
      }
    };

    const later = () => {
      clearTimeout(timer);
      timer = setTimeout(sums, WAIT);
    };

    // One after the other, so that each begins with the rows that the one before it made.
    let queue = Promise.resolve();
    const redraw = (step) => {
      queue = queue.then(() => drawn(step)).catch(() => {
        side.textContent = "The server cannot be reached. What you typed is still here: try again in a moment.";
      });
      return queue;
    };

    // Rows come from the server with all that was typed; where one was added, typing goes on in it.
    const drawn = async (step) => {
      // Rows are about to get other names: nothing can be typed into them until they have.
      rows.inert = MOVES.test(step);
      try {
        return await draw(step);
      } finally {
        rows.inert = false;
      }
    };

    const draw = async (step) => {
      const asked = typed();
      const before = document.activeElement?.name;
      const answer = await fetch(window.location.href, {
        method: "POST",
        body: sent(step),
        credentials: "same-origin",
        headers: { "X-Quote-Part": "rows" },
      });
      if (!answer.ok || answer.redirected) return form.submit();
      const html = await answer.text();
      const active = document.activeElement?.name || before;
      const open = new Set([...rows.querySelectorAll("details[open] [name]")].map((one) => one.name));
      // What was typed while the answer was on its way; rows that were taken away have other names now.
      const since = MOVES.test(step) ? [] : [...typed()].filter(([name, value]) => asked.get(name) !== value);
      rows.innerHTML = html;
      for (const [name, value] of since) {
        const field = rows.querySelector(`[name="${CSS.escape(name)}"]`);
        if (field?.type === "checkbox") field.checked = value === "on";
        else if (field) field.value = value;
      }
      for (const part of rows.querySelectorAll("details")) {
        if ([...part.querySelectorAll("[name]")].some((one) => open.has(one.name))) part.open = true;
      }
      const added = rows.querySelector("[data-q-focus]");
      const first = added?.querySelector("input:not([type=hidden]), select, textarea");
      const again = active ? [...rows.querySelectorAll("[name]")].find((one) => one.name === active && one.type !== "submit") : null;
      (first || again)?.focus();
      return sums();
    };

    form.classList.add("q-quote-live");
    form.addEventListener("input", (event) => {
      if (event.target.matches(SHAPING)) return;
      later();
    });
    form.addEventListener("change", (event) => {
      if (event.target.matches(SHAPING)) redraw("refresh");
      else later();
    });
    form.addEventListener("click", (event) => {
      const button = event.target.closest("[data-q-step]");
      if (!button || button.disabled) return;
      event.preventDefault();
      redraw(button.value);
    });
    form.addEventListener("submit", (event) => {
      if (event.submitter?.value === "refresh") {
        event.preventDefault();
        sums();
      } else if (isSent) {
        event.preventDefault();  // the second half of a double click
      } else {
        isSent = true;
      }
    });
    window.addEventListener("pageshow", () => {
      isSent = false;
    });
    // The search fields of the theme tell of a choice by jQuery alone.
    const query = window.django?.jQuery || window.jQuery;
    if (query) query(form).on("change", "select", later);
    if (side.dataset.qFresh !== undefined) sums();
  };

  document.addEventListener("DOMContentLoaded", () => {
    for (const form of document.querySelectorAll("[data-q-quote]")) editor(form);
  });
})();
