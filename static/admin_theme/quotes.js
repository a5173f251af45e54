// The editor of a quote: rows are added, moved and taken away without leaving the page, and the sums follow the typing.
// All of it is computed by the server. Without this script every button still works, by loading the page anew.
(() => {
  "use strict";

  const WAIT = 300;
  const PATIENCE = 10000;
  // A choice of these decides which other fields there are.
  const SHAPING = ["plan_code", "kind", "frequency"].map((name) => `select[name$='-${name}']`).join() +
    ", select[name$='-commitment_kind'], .q-quote-changes select[name$='-external_id']";

  // Steps that give other rows the names of these.
  const MOVES = /^(remove|up)/;
  const TOKEN = "csrfmiddlewaretoken";
  const KEPT = " What you typed is still here.";

  // An answer that is none: the words are for the person.
  class Refused extends Error {}

  const editor = (form) => {
    const rows = form.querySelector("#quote-rows");
    const side = form.querySelector("#quote-totals");
    let timer = 0;
    let turn = 0;
    let isBusy = false;
    let isChanged = false;

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

    // Words above the sums, which stay as they were; with a link where one leads on.
    const note = (text, link) => {
      const box = document.createElement("div");
      box.className = "q-note q-tone-bad";
      box.dataset.qNote = "";
      box.setAttribute("role", "alert");
      const words = document.createElement("div");
      words.append(text);
      if (link) {
        const there = Object.assign(document.createElement("a"), { href: link, target: "_blank", textContent: "Sign in" });
        words.append(" ", there);
      }
      box.append(words);
      side.querySelector("[data-q-note]")?.remove();
      side.prepend(box);
      side.scrollTop = 0;
    };

    const post = (url, step, headers) =>
      fetch(url, { method: "POST", body: sent(step), credentials: "same-origin", headers });

    // Whoever signed in again, here or in another window, has another token against forgery.
    const renewed = async () => {
      const answer = await fetch(window.location.href, { credentials: "same-origin" });
      const address = new URL(answer.url);
      if (address.pathname.endsWith("/login/")) {
        address.search = "";
        throw Object.assign(new Refused("You are signed out." + KEPT + " Sign in in another window, then go on here."), { link: address.href });
      }
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const token = answer.ok ? page.querySelector(`form[data-q-quote] [name=${TOKEN}]`) : null;
      if (!token) throw new Refused("This cannot be changed any more." + KEPT);
      for (const field of document.querySelectorAll(`[name=${TOKEN}]`)) field.value = token.value;
    };

    const asked = async (url, step, headers) => {
      let answer = await post(url, step, headers);
      if (answer.redirected || answer.status === 403) {
        await renewed();
        answer = await post(url, step, headers);
      }
      if (!answer.ok || answer.redirected) throw new Refused("The server did not understand this." + KEPT);
      return answer;
    };

    const failed = (error) => {
      if (error instanceof Refused) note(error.message, error.link);
      else note("The server cannot be reached." + KEPT + " Try again in a moment.");
    };

    // Returns whether what is typed could be saved: nobody submitted it meanwhile, and somebody is signed in.
    const sums = async () => {
      clearTimeout(timer);
      const mine = ++turn;
      side.classList.add("q-waits");
      try {
        const answer = await asked(form.dataset.qQuote);
        const found = await answer.json();
        if (mine !== turn) return !found.is_over;
        if (found.is_over) {
          note(found.is_over);
          return false;
        }
        side.innerHTML = found.html;
        tell(found.errors);
        return true;
      } catch (error) {
        if (mine === turn) failed(error);
        return false;
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
      queue = queue.then(() => drawn(step)).catch(failed);
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
      const before = typed();
      const began = document.activeElement;
      const name = began?.name;
      const answer = await asked(window.location.href, step, { "X-Quote-Part": "rows" });
      const html = await answer.text();
      // Whoever went on to another field meanwhile stays in it, with the caret where it is.
      const now = document.activeElement;
      const hasGoneOn = now !== began && now !== document.body && !MOVES.test(step);
      const active = rows.contains(now) ? now.name : rows.contains(began) || !now?.name ? name : "";
      const caret = rows.contains(now) && "selectionStart" in now ? [now.selectionStart, now.selectionEnd] : null;
      const open = new Set([...rows.querySelectorAll("details[open] [name]")].map((one) => one.name));
      // What was typed while the answer was on its way; rows that were taken away have other names now.
      const since = MOVES.test(step) ? [] : [...typed()].filter(([field, value]) => before.get(field) !== value);
      rows.innerHTML = html;
      for (const [field, value] of since) {
        const place = rows.querySelector(`[name="${CSS.escape(field)}"]`);
        if (place?.type === "checkbox") place.checked = value === "on";
        else if (place) place.value = value;
      }
      for (const part of rows.querySelectorAll("details")) {
        if ([...part.querySelectorAll("[name]")].some((one) => open.has(one.name))) part.open = true;
      }
      const added = hasGoneOn ? null : rows.querySelector("[data-q-focus]");
      const first = added?.querySelector("input:not([type=hidden]), select, textarea");
      const again = active ? [...rows.querySelectorAll("[name]")].find((one) => one.name === active && one.type !== "submit") : null;
      (first || again)?.focus();
      if (!first && again && caret && again.setSelectionRange) again.setSelectionRange(...caret);
      return sums();
    };

    form.classList.add("q-quote-live");
    form.addEventListener("input", (event) => {
      isChanged = true;
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
      isChanged = true;
      redraw(button.value);
    });

    // What was typed must not be lost to a sign-in page: it is only sent once the server is known to take it.
    const save = async (button) => {
      await queue;
      if (await sums()) {
        // Going back leads to what was made, not to a form that would make it once more.
        const once = form.querySelector("[name=once]")?.value;
        const back = new URL(window.location.href);
        if (once) back.searchParams.set("once", once);
        window.history.replaceState(null, "", back);
        const step = Object.assign(document.createElement("input"), { type: "hidden", name: "step", value: button.value });
        form.append(step);
        form.submit();
        step.remove();
        // Whoever stopped it may try again: the server makes the same thing only once.
        setTimeout(() => { isBusy = false; }, PATIENCE);
      } else {
        isBusy = false;
      }
    };
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const button = event.submitter;
      if (!button || button.value === "refresh") sums();
      else if (!isBusy) {  // the second half of a double click comes while the first one is on its way
        isBusy = true;
        save(button);
      }
    });
    window.addEventListener("pageshow", () => {
      isBusy = false;
    });
    window.addEventListener("beforeunload", (event) => {
      if (isChanged && !isBusy) event.preventDefault();
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
